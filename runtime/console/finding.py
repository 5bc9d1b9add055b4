"""Which process is meant: by name, number, pid or handle, or by what only one is called."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Final, TypeAlias

from runtime.calls import Ref
from runtime.containment import short_repr
from runtime.current import current_table, find_process
from runtime.pid import Pid
from runtime.process import Process

Who: TypeAlias = str | int | Pid | Ref
"""A process: ``"counter"``, ``12``, a ``Pid``, ``named("counter")``."""

_MOST: Final = 10


class NotFound(LookupError):
    """No living process, or more than one, is meant by that."""

    def __str__(self) -> str:
        return str(self.args[0])


def process_of(who: Who) -> Process:
    """The living process that is meant; ``NotFound`` says what there is instead."""
    if isinstance(who, str):
        return _by_text(who)
    if isinstance(who, int) and not isinstance(who, bool):
        return _by_number(who)
    if not isinstance(who, Pid | Ref):
        raise TypeError(
            f"who: got {short_repr(who)}, allowed are a name, a number, a Pid and a Ref"
        )
    process = find_process(who)
    if process is None:
        raise NotFound(f"{who!r} is not alive")
    return process


def _by_text(text: str) -> Process:
    table = current_table()
    process = table.by_name.get(text)
    if process is not None:
        return process
    if text.isdecimal():
        return _by_number(int(text))
    called = [one for one in table.by_pid.values() if text in (one.label, one.pid.label)]
    if len(called) == 1:
        return called[0]
    if called:
        numbers = ", ".join(str(one.pid.number) for one in called[:_MOST])
        more = f" and {len(called) - _MOST} more" if len(called) > _MOST else ""
        raise NotFound(f"{len(called)} processes are called {text!r}, say which: {numbers}{more}")
    known = {*table.by_name, *(one.pid.label for one in table.by_pid.values())}
    near = ", ".join(map(repr, get_close_matches(text, known)))
    raise NotFound(f"no process is called {text!r}" + (f"; there are {near}" if near else ""))


def _by_number(number: int) -> Process:
    for pid, process in current_table().by_pid.items():
        if pid.number == number:
            return process
    raise NotFound(f"there is no process {number}, or no more")
