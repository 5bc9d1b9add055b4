"""What is in each mailbox, what each ``receive`` returns or raises, and how each call ends.

Written from 1.1, 1.2, 1.4, parts 2, 3 and 8 of docs/semantics.md, the PROC rows, and what
``receive`` and ``MailboxLimit`` say of themselves. The model is told what happened in its order:
an operation was made, a ``receive`` began or was over, a process has ended. It knows by itself
what time brings.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable
from dataclasses import dataclass, field

from runtime import (
    CallExit,
    CallTimeout,
    ExitReason,
    Killed,
    MailboxFull,
    NoProcess,
    Normal,
    ProcessNotFound,
    ReplyDropped,
)
from tests.models import mailbox_steps as do
from tests.models.mailbox_log import Broke, Cancelled, Got, Over, Refused

SLIPS: tuple[type[Exception], ...] = (
    TypeError, TypeError, ValueError, TypeError, ValueError, TypeError,
)  # fmt: skip


@dataclass
class Item:
    """A message in a mailbox."""

    kind: do.Kind
    number: int
    order: int
    at: float

    @property
    def counts(self) -> bool:
        """Whether a user sent it, so that it counts for the limit and can be dropped (2.7)."""
        return self.kind not in ("exit", "down", "forged")


@dataclass
class Call:
    """A call under way, or how it has ended."""

    reader: int
    taken: bool = False
    outcome: object = None
    fails_at_once: bool = False  # but lets others run before, of whom one may cancel it
    given_up: bool = False

    def may_end(self, outcome: object) -> bool:
        """Whether it may have ended this way."""
        cancelled = self.fails_at_once and self.given_up and isinstance(outcome, Cancelled)
        return outcome == self.outcome or cancelled


@dataclass
class Waiting:
    """A ``receive`` that has begun."""

    receive: do.Receive
    order: int
    until: float
    cancelled: bool


@dataclass
class Reader:
    """One process, with what is in its mailbox."""

    number: int
    born: do.Born
    began: bool = False
    items: list[Item] = field(default_factory=list[Item])
    handled: int = 0
    dropped: int = 0
    current: Item | None = None
    waiting: Waiting | None = None
    dying_of: ExitReason = None
    leaving: bool = False

    @property
    def must_end(self) -> bool:
        return self.leaving or self.dying_of is not None

    @property
    def is_full(self) -> bool:
        return self.born.limited and sum(one.counts for one in self.items) >= self.born.length


def wanted(match: do.Match, item: Item) -> bool:
    """Whether a ``receive`` takes this message."""
    match match:
        case do.Everything() | do.CallsOff():
            return True
        case do.OfClasses():
            return any(item.kind in do.INSTANCES[one] for one in match.classes)
        case do.Odd():
            return item.number % 2 == 1
        case do.Fragile():
            return item.kind in ("blue", "dark")
        case do.SendsItself():
            return item.kind in ("red", "dark")


def breaks(match: do.Match, item: Item) -> bool:
    """Whether its predicate raises at this message."""
    return isinstance(match, do.Fragile) and item.kind == "red"


class World:
    """All readers, and whoever wants something of them."""

    def __init__(self) -> None:
        self.now = 0.0
        self.order = 0
        self.slots: list[int] = [-1] * do.READERS
        self.readers: dict[int, Reader] = {}
        self.dropped: list[tuple[int, do.Kind, int, int]] = []  # as reported
        self.calls: dict[int, Call] = {}
        self.monitors: dict[int, int] = {}  # those that are active, and whose they are
        self.owners: dict[int, int] = {}  # of all monitors
        self._due: list[tuple[float, int, Callable[[], None]]] = []

    def pass_time(self, until: float) -> None:
        """What is due by then happens, in order (12.2)."""
        while self._due and self._due[0][0] <= until:
            self.now, _, happens = heapq.heappop(self._due)
            happens()
        self.now = until

    def _at(self, seconds: float, happens: Callable[[], None]) -> None:
        self.order += 1
        if seconds != math.inf:
            heapq.heappush(self._due, (self.now + seconds, self.order, happens))

    # -- what is done --------------------------------------------------------------------------

    def make(self, op: do.Op) -> object:
        """What an operation returns, or how it is refused."""
        match op:
            case do.Post():
                return self._post(op)
            case do.Later():
                self._at(op.seconds, lambda: self._fire(op))
            case do.Ask():
                self._ask(op)
            case do.GiveUp():
                self.calls[op.which].given_up = True
                self._end_call(op.which, Cancelled())
            case do.Answer():
                self._answer(op)
            case do.Signal():
                self._signal(op)
            case do.Kill():
                if (reader := self._alive(op.reader)) is not None:
                    reader.dying_of = Killed()
            case do.Leave():
                self.readers[self.slots[op.reader]].leaving = True
            case do.Cancel():
                waiting = self.readers[self.slots[op.reader]].waiting
                assert waiting is not None
                waiting.cancelled = True
            case do.Watch():
                self._watch(op)
            case do.EndBystander():
                pass
            case do.CallOff():
                return self._call_off(op)
        return None

    def _alive(self, slot: int) -> Reader | None:
        return self.readers.get(self.slots[slot])

    def _put(self, reader: Reader, kind: do.Kind, number: int) -> None:
        self.order += 1
        reader.items.append(Item(kind, number, self.order, self.now))

    def _drop(self, reader: Reader, kind: do.Kind, number: int) -> None:
        reader.dropped += 1
        self.dropped.append((reader.number, kind, number, reader.dropped))

    def _post(self, post: do.Post) -> object:
        reader = self._alive(post.reader)
        if reader is None:
            return Refused(ProcessNotFound) if post.how == "name" else None
        if not self._enter(reader, post.kind, post.number):
            return self._full(reader)
        return None

    @staticmethod
    def _full(reader: Reader) -> Refused:
        return Refused(MailboxFull, (reader.number, reader.born.length))

    def _enter(self, reader: Reader, kind: do.Kind, number: int) -> bool:
        """2.5 to 2.7: false if whoever sends it is to be told that it is full."""
        if reader.is_full and kind not in ("exit", "down", "forged"):
            if reader.born.policy == "raise" or (
                reader.born.policy == "drop_newest" and kind == "call"
            ):
                return False
            if reader.born.policy == "drop_newest":
                self._drop(reader, kind, number)
                return True
            oldest = next(one for one in reader.items if one.counts)
            reader.items.remove(oldest)
            if oldest.kind == "call":
                self._end_call(oldest.number, self._full(reader))
            else:
                self._drop(reader, oldest.kind, oldest.number)
        self._put(reader, kind, number)
        return True

    def _fire(self, op: do.Later) -> None:
        """A timer: there is nobody to raise to."""
        post = op.post
        named = post.how == "name"
        reader = self._alive(post.reader) if named else self.readers.get(op.process)
        if reader is not None and not self._enter(reader, post.kind, post.number):
            self._drop(reader, post.kind, post.number)

    def _ask(self, op: do.Ask) -> None:
        reader = self._alive(op.reader)
        call = self.calls[op.number] = Call(-1 if reader is None else reader.number)
        if op.cancelled:
            call.outcome = Cancelled()
        elif reader is None:
            call.outcome = Refused(CallExit, (NoProcess(),))
        elif not self._enter(reader, "call", op.number):
            call.outcome = self._full(reader)
        elif op.timeout == 0:
            call.outcome = Refused(CallTimeout)
        else:
            timed_out = Refused(CallTimeout)
            self._at(op.timeout, lambda: self._end_call(op.number, timed_out))
        call.fails_at_once = call.outcome is not None

    def _end_call(self, number: int, outcome: object) -> None:
        """3.1: it ends in one way, the first."""
        call = self.calls[number]
        if call.outcome is None:
            call.outcome = outcome

    def _answer(self, op: do.Answer) -> None:
        reader = self.readers.get(self.calls[op.which].reader)
        if op.how == "forget" and reader is not None and reader.dying_of is not None:
            return  # 3.7: the end that is near says more
        said = {"reply": op.which, "error": Refused(KeyError)}
        self._end_call(op.which, said.get(op.how, Refused(ReplyDropped)))

    def _signal(self, op: do.Signal) -> None:
        reader = self._alive(op.reader)
        if reader is not None and reader.born.traps and reader.began:
            self._put(reader, "exit", op.number)
        elif reader is not None and reader.dying_of is None:
            reader.dying_of = op.number

    def _watch(self, op: do.Watch) -> None:
        reader = self._alive(op.reader)
        assert reader is not None
        self.owners[op.number] = reader.number
        if op.alive:
            self.monitors[op.number] = reader.number
        else:
            self._put(reader, "down", op.number)

    def _call_off(self, op: do.CallOff) -> bool:
        if self.monitors.pop(op.which, None) is not None:
            return True
        owner = self.readers[self.owners[op.which]]
        if op.flush:
            owner.items = [
                one for one in owner.items if (one.kind, one.number) != ("down", op.which)
            ]
        return False

    # -- what happens --------------------------------------------------------------------------

    def begin(self, number: int, receive: do.Receive) -> None:
        """A ``receive`` begins."""
        reader = self.readers[number]
        assert reader.waiting is None
        self.order += 1
        until = self.now + receive.timeout
        reader.waiting = Waiting(receive, self.order, until, receive.cancelled)

    def over(self, number: int, over: Over) -> None:
        """It has returned or raised: whether it could, and what it has taken out."""
        reader = self.readers[number]
        waiting, reader.waiting = reader.waiting, None
        assert waiting is not None
        receive = waiting.receive
        match over:
            case Refused():
                assert receive.slip is not None
                assert over.error is SLIPS[receive.slip]
            case Cancelled():
                assert waiting.cancelled
                assert receive.slip is None
            case _:
                assert receive.slip is None
                assert not receive.cancelled, "it did something though it was cancelled before"
                self._looked(reader, waiting, over)

    def _looked(self, reader: Reader, waiting: Waiting, over: Over) -> None:
        match = waiting.receive.match
        ends_it = [one for one in reader.items if wanted(match, one) or breaks(match, one)]
        match over:
            case Got():
                first = ends_it[0]
                assert (first.kind, first.number) == (over.kind, over.number)
                assert not breaks(match, first)
                reader.items.remove(first)
                reader.handled += 1
                reader.current = first
                if first.kind == "call":
                    self.calls[first.number].taken = True
            case Broke():
                assert breaks(match, ends_it[0])
            case _:
                self._may_time_out(waiting, ends_it)

    def _may_time_out(self, waiting: Waiting, ends_it: list[Item]) -> None:
        """Only what has come since it looked, or at the very moment, can be there."""
        if waiting.receive.timeout == 0:
            assert [one for one in ends_it if one.order < waiting.order] == []
        else:
            assert self.now == waiting.until
            assert [one for one in ends_it if one.at < self.now] == []

    def born(self, number: int, slot: int, born: do.Born) -> None:
        """A new reader, in the place of one that is dead."""
        self.slots[slot] = number
        self.readers[number] = Reader(number, born)

    def began(self, number: int) -> None:
        """Its first step has run."""
        assert self.readers[number].dying_of is None
        self.readers[number].began = True

    def ended(self, number: int) -> tuple[Reader, ExitReason]:
        """A reader has ended, and who has called it hears of that."""
        reader = self.readers.pop(number)
        reason = Normal() if reader.dying_of is None else reader.dying_of
        assert reader.must_end, "it was not told to end"
        for one, call in self.calls.items():
            if call.reader == number:
                self._end_call(one, Refused(CallExit, (reason,)))
        self.monitors = {one: owner for one, owner in self.monitors.items() if owner != number}
        return reader, reason

    def bystander_ended(self, number: int) -> None:
        """Who has monitored it gets a ``Down``."""
        owner = self.monitors.pop(number, None)
        if owner is not None:
            self._put(self.readers[owner], "down", number)

    def settled(self) -> None:
        """Nothing more happens at this moment: nobody waits for what is there, or is to end."""
        for reader in self.readers.values():
            assert reader.began
            assert not reader.must_end
            if (waiting := reader.waiting) is not None:
                match = waiting.receive.match
                assert not waiting.cancelled, "it waits though it was cancelled"
                assert self.now < waiting.until, "it waits for too long"
                for one in reader.items:
                    assert not wanted(match, one), f"it waits though {one} is there"
                    assert not breaks(match, one)
