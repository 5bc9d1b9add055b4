"""Who gets which worker, and when one is made or ended: a pure decision, without Trio.

A pool has ``size + max_overflow`` slots. A worker has its slot from before it is started until it
is really gone, so there are never more, and a start that fails frees its slot. Nothing tells a core
worker from an overflow worker: while there are more than ``size``, whichever comes back first to
nobody waiting is one too many.

The server tells what has happened, then carries out ``next_step`` until there is none. Workers and
waiters are any two kinds of hashable things.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Generic, Literal, NamedTuple, TypeAlias, TypeVar

W = TypeVar("W", bound=Hashable)
C = TypeVar("C", bound=Hashable)

PoolStrategy: TypeAlias = Literal["lifo", "fifo"]
"""Which idle worker is lent first: the one that came back last, or the one that is idle longest."""
PoolState: TypeAlias = Literal["ready", "overflow", "full"]
"""Whether a worker is idle; none is, but another can be made; neither."""
Patience: TypeAlias = Literal["queue", "start", "none"]
"""What a waiter waits for: its turn; at most the start of a worker; nothing."""


class Lend(NamedTuple, Generic[W, C]):
    """Give this worker to this waiter."""

    worker: W
    waiter: C


class Make(NamedTuple, Generic[C]):
    """Start a worker: for this waiter, or because there are fewer than ``size``."""

    waiter: C | None


class Retire(NamedTuple, Generic[W]):
    """Stop this worker, it is one too many."""

    worker: W


class Ended(NamedTuple, Generic[C]):
    """What follows from a worker's end.

    ``again``: it is missed and keeps its slot to be started again. ``tell``: the waiter that its
    start was for, which has left the queue.
    """

    again: bool
    tell: C | None


class Slots(Generic[W, C]):
    """The slots of a pool, and who waits for one.

    ``usable`` says whether an idle worker is still there to be used, ``waits`` whether a waiter is
    still there; both may change at any time, and are asked before anything is lent.
    """

    def __init__(
        self,
        size: int,
        max_overflow: int = 0,
        *,
        strategy: PoolStrategy = "lifo",
        max_queue: int | None = None,
        usable: Callable[[W], bool],
        waits: Callable[[C], bool],
    ) -> None:
        self.size = size
        self.limit = size + max_overflow
        self._lifo = strategy == "lifo"
        self._max_queue = max_queue
        self._usable = usable
        self._waits = waits
        # A worker is in exactly one of these.
        self._starting: dict[W, C | None] = {}  # for whom it was made
        self._idle: dict[W, None] = {}  # the one that came back last is the last
        self._busy: set[W] = set()  # lent, or about to end by itself
        self._put_off: set[W] = set()  # to be started again
        self._stopping: set[W] = set()
        self._waiting: dict[C, None] = {}  # in the order of asking

    # -- how things are ---------------------------------------------------------------------

    @property
    def idle(self) -> int:
        """How many can be lent at once."""
        return sum(map(self._usable, self._idle))

    @property
    def overflow(self) -> int:
        """How many there are beyond ``size``, those being stopped left out."""
        return max(0, self._staying - self.size)

    @property
    def waiting(self) -> int:
        """How many wait."""
        self._forget_who_left()
        return len(self._waiting)

    @property
    def state(self) -> PoolState:
        """What a checkout would find."""
        if self._next_idle() is not None:
            return "ready"
        return "overflow" if self._used < self.limit else "full"

    @property
    def _used(self) -> int:
        return self._staying + len(self._stopping)

    @property
    def _staying(self) -> int:
        return len(self._starting) + len(self._idle) + len(self._busy) + len(self._put_off)

    # -- what has happened ------------------------------------------------------------------

    def ask(self, waiter: C, patience: Patience = "queue") -> bool:
        """Somebody wants a worker; whether it may wait for one."""
        if not self._has_room(patience):
            self._forget_who_left()  # one who has just given up has a place no longer
            if not self._has_room(patience):
                return False
        self._waiting[waiter] = None
        return True

    def _has_room(self, patience: Patience) -> bool:
        if self._next_idle() is not None:
            return True
        if patience == "none":
            return False
        in_line = len(self._waiting) - len(self._starting)  # no start is for these
        if self._used < self.limit or in_line < 0:
            return True
        return patience == "queue" and (self._max_queue is None or in_line < self._max_queue)

    def leave(self, waiter: C) -> None:
        """A waiter has given up."""
        self._waiting.pop(waiter, None)

    def begin(self, worker: W, waiter: C | None) -> None:
        """``Make`` was carried out: this is the worker."""
        self._starting[worker] = waiter

    def came_up(self, worker: W) -> None:
        """It has started."""
        del self._starting[worker]
        self._idle[worker] = None

    def give_back(self, worker: W) -> None:
        """Its holder has checked it in."""
        self._busy.remove(worker)
        self._idle[worker] = None

    def discard(self, worker: W) -> None:
        """A lent worker is being stopped."""
        self._busy.remove(worker)
        self._stopping.add(worker)

    def ended(self, worker: W) -> Ended[C]:
        """It has ended: stopped, by itself, or before it was up."""
        if worker in self._stopping:
            self._stopping.remove(worker)
            return Ended(again=False, tell=None)
        wanted_by = self._starting.pop(worker, None)
        self._idle.pop(worker, None)
        self._busy.discard(worker)
        self._forget_who_left()
        again = self._staying < self.size if wanted_by is not None else self._is_missed()
        if again:
            self._put_off.add(worker)
        tell = wanted_by if wanted_by in self._waiting else None
        if tell is not None:
            self.leave(tell)
        return Ended(again, tell)

    def start_again(self, worker: W) -> bool:
        """The time has come to start it again; false, and it is forgotten, if it is not missed."""
        self._put_off.remove(worker)
        self._forget_who_left()
        if not self._is_missed():
            return False
        self._starting[worker] = None
        return True

    # -- what follows -----------------------------------------------------------------------

    def next_step(self) -> Lend[W, C] | Make[C] | Retire[W] | None:
        """What is to be done now; to be carried out before it is asked again."""
        waiter = self._first_waiter()
        worker = self._next_idle()
        if worker is not None and waiter is not None:
            del self._idle[worker], self._waiting[waiter]
            self._busy.add(worker)
            return Lend(worker, waiter)
        if worker is not None and len(self._idle) + len(self._busy) > self.size:
            last = next(filter(self._usable, reversed(self._idle)))
            del self._idle[last]
            self._stopping.add(last)
            return Retire(last)
        if self._used < self.limit:
            self._forget_who_left()
            if len(self._waiting) > len(self._starting):
                return Make(self._first_unserved())
            if self._staying < self.size:
                return Make(None)
        return None

    def _is_missed(self) -> bool:
        """Whether one that is not counted now should be there."""
        return self._staying < self.size or len(self._waiting) > len(self._starting)

    def _next_idle(self) -> W | None:
        """The idle worker whose turn it is. One that is about to end is not idle."""
        while self._idle:
            worker = next(reversed(self._idle) if self._lifo else iter(self._idle))
            if self._usable(worker):
                return worker
            del self._idle[worker]
            self._busy.add(worker)
        return None

    def _first_waiter(self) -> C | None:
        while self._waiting:
            waiter = next(iter(self._waiting))
            if self._waits(waiter):
                return waiter
            self.leave(waiter)
        return None

    def _first_unserved(self) -> C:
        """The first in line that no start was made for."""
        served = set(self._starting.values())
        return next(waiter for waiter in self._waiting if waiter not in served)

    def _forget_who_left(self) -> None:
        for waiter in tuple(self._waiting):
            if not self._waits(waiter):
                self.leave(waiter)
