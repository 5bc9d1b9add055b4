"""When a backlog is worth an alarm, and until when it holds. Pure decisions.

An alarm is raised once, when a limit is reached, and holds until half of that is left; so what
hovers about the limit is told once and not again and again. When everything backs up at once, only
so many are raised in one look and the others in the next ones, or to tell of it would take longer
than what is told.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final, Literal, TypeAlias

import msgspec

from runtime.instruments import MailboxLong, MessageOld
from runtime.pid import Pid
from runtime.watchdogs.limits import WatchdogLimits

Kind: TypeAlias = Literal["LoopStalled", "MailboxLong", "MessageOld", "StillAlive", "RestartsHigh"]
"""The name of the event that an alarm was raised with."""

Key: TypeAlias = tuple[Kind, Pid | None]
"""There is one alarm of a kind for a process, at most."""


AT_ONCE: Final = 100
"""In one look about so many are raised at most."""


class Backlog(msgspec.Struct, frozen=True):
    """The messages that wait for one process; ``oldest`` in seconds, if that is known."""

    pid: Pid
    name: str | None
    length: int
    oldest: float | None


class Verdict(msgspec.Struct, frozen=True):
    """What is new, and the alarms of backlogs that hold now, each with its text."""

    raised: tuple[MailboxLong | MessageOld, ...]
    holding: dict[Key, str]


def judge(backlogs: Iterable[Backlog], held: Collection[Key], limits: WatchdogLimits) -> Verdict:
    """Decide about all mailboxes in which anything waits; ``held`` are the alarms so far."""
    raised: list[MailboxLong | MessageOld] = []
    holding: dict[Key, str] = {}
    for one in backlogs:
        key: Key = ("MailboxLong", one.pid)
        old: Key = ("MessageOld", one.pid)
        may_raise = len(raised) < AT_ONCE
        if _reaches(one.length, limits.mailbox, key in held) and (key in held or may_raise):
            holding[key] = f"{one.length} messages wait, the watermark is {limits.mailbox}"
            if key not in held:
                raised.append(MailboxLong(one.pid, one.name, one.length, int(limits.mailbox)))
        key, age = old, one.oldest
        if age is None or not _reaches(age, limits.oldest, key in held):
            continue
        if key in held or may_raise:
            holding[key] = f"the oldest of {one.length} messages has waited for {age:.3g} s"
            if key not in held:
                raised.append(MessageOld(one.pid, one.name, age, one.length))
    return Verdict(tuple(raised), holding)


def _reaches(value: float, limit: float, is_held: bool) -> bool:
    return value > limit / 2 if is_held else value >= limit
