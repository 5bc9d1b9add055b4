"""What a key does to ``otp top``. Pure: from a look and a key to the next look, and a wish."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal, TypeAlias

import msgspec

from runtime.console.frames import Action
from runtime.inspection.views import ProcessView, Sort
from supervisors.command.wording import title_of

Mode: TypeAlias = Literal["list", "find", "detail", "sure"]

SORTS: Final[dict[str, Sort]] = {
    "m": "mailbox",
    "r": "rate",
    "c": "cpu",
    "s": "restarts",
    "n": "pid",
}
"""Keys, and what the list is sorted by."""

_ACTIONS: Final[dict[str, Action]] = {"k": "kill", "R": "restart"}
_ENTER: Final = ("enter", "c-m", "c-j")
_BACK: Final = ("escape", "q", "left", "c-h")


class Do(msgspec.Struct, frozen=True):
    """Something to do to a process, once the user has said that they mean it."""

    action: Action
    pid: int
    title: str


class Trace(msgspec.Struct, frozen=True):
    """Begin to show what a process gets and gives, or end it."""

    pid: int
    on: bool


class Look(msgspec.Struct, frozen=True):
    """What is looked at, and how. ``cursor`` is a process, so it stays with it when it moves."""

    mode: Mode = "list"
    sort: Sort = "mailbox"
    find: str = ""
    paused: bool = False
    cursor: int | None = None
    asked: Do | None = None
    after: Mode = "list"
    traced: int | None = None
    note: str = ""


Wish: TypeAlias = Do | Trace | Literal["quit", "ask again"] | None
"""What the key asks of the world: nothing, an end, other processes, a deed."""


def press(look: Look, key: str, shown: Sequence[ProcessView]) -> tuple[Look, Wish]:
    """What is looked at after ``key``, with these processes on the screen, and what to do."""
    look = msgspec.structs.replace(look, note="")
    if key == "c-c":
        return look, "quit"
    match look.mode:
        case "find":
            return _press_in_find(look, key)
        case "sure":
            return _press_in_question(look, key)
        case "detail":
            return _press_in_detail(look, key, shown)
        case _:
            return _press_in_list(look, key, shown)


def selected(look: Look, shown: Sequence[ProcessView]) -> ProcessView | None:
    """The process under the cursor; the first if the one that was is not there any more."""
    first = shown[0] if shown else None
    return next((one for one in shown if one.pid == look.cursor), first)


def _press_in_list(look: Look, key: str, shown: Sequence[ProcessView]) -> tuple[Look, Wish]:
    here = selected(look, shown)
    if key == "q":
        return look, "quit"
    if key in SORTS:
        return msgspec.structs.replace(look, sort=SORTS[key], cursor=None), "ask again"
    if key in ("/", "c-f"):
        return msgspec.structs.replace(look, mode="find"), None
    if key == "escape" and look.find:
        return msgspec.structs.replace(look, find="", cursor=None), "ask again"
    if key in _ENTER and here is not None:
        return msgspec.structs.replace(look, mode="detail", cursor=here.pid), "ask again"
    if key in _STEPS and here is not None:
        at = shown.index(here) + _STEPS[key]
        there = shown[min(max(at, 0), len(shown) - 1)]
        return msgspec.structs.replace(look, cursor=there.pid), None
    return _press_anywhere(look, key, here)


_STEPS: Final = {"up": -1, "down": 1, "pageup": -20, "pagedown": 20, "home": -(10**6), "end": 10**6}


def _press_in_detail(look: Look, key: str, shown: Sequence[ProcessView]) -> tuple[Look, Wish]:
    here = next((one for one in shown if one.pid == look.cursor), None)
    if key in _BACK:
        wish = None if look.traced is None else Trace(look.traced, on=False)
        return msgspec.structs.replace(look, mode="list", traced=None), wish or "ask again"
    if key == "t" and look.traced is not None:
        return msgspec.structs.replace(look, traced=None), Trace(look.traced, on=False)
    if key == "t" and here is not None:
        return msgspec.structs.replace(look, traced=here.pid), Trace(here.pid, on=True)
    return _press_anywhere(look, key, here)


def _press_anywhere(look: Look, key: str, here: ProcessView | None) -> tuple[Look, Wish]:
    if key in ("p", " "):
        return msgspec.structs.replace(look, paused=not look.paused), "ask again"
    if key in _ACTIONS and here is not None:
        asked = Do(_ACTIONS[key], here.pid, title_of(here))
        return msgspec.structs.replace(look, mode="sure", asked=asked, after=look.mode), None
    return look, None


def _press_in_question(look: Look, key: str) -> tuple[Look, Wish]:
    """Only a clear yes is one."""
    back = msgspec.structs.replace(look, mode=look.after, after="list", asked=None)
    return back, look.asked if key in ("y", "Y") else None


def _press_in_find(look: Look, key: str) -> tuple[Look, Wish]:
    if key in _ENTER:
        return msgspec.structs.replace(look, mode="list"), None
    if key == "escape":
        return msgspec.structs.replace(look, mode="list", find="", cursor=None), "ask again"
    if key in ("c-h", "backspace"):
        return msgspec.structs.replace(look, find=look.find[:-1], cursor=None), "ask again"
    if len(key) == 1 and key.isprintable():
        return msgspec.structs.replace(look, find=look.find + key, cursor=None), "ask again"
    return look, None
