"""What a pool promises, as plain data: workers, who waits, who has which one, what is counted.

Written from section 22 of the contract and the docstrings. Workers are known by their numbers, in
the order they are made. While it is suspended what comes waits in ``inbox``; all else goes on.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from tests.models.pool_fleet import BUDGET, Fleet, Worker, start_takes, stop_takes


@dataclass(eq=False)
class Row:
    """One slot of the pool. ``book`` is what the pool knows of its worker."""

    worker: Worker
    book: str = "starting"  # "idle", "lent", "stopping", "put off"
    wanted_by: Ask | None = None  # for whom it was made
    lent_to: Ask | None = None
    streak: int = 0
    up_since: float | None = None

    def described(self) -> tuple[int | None, str]:
        """Its line in the list of children."""
        if self.book == "put off":
            return None, "restarting"
        return self.worker.number, "starting" if self.book == "starting" else "running"


@dataclass(eq=False)
class Ask:
    """One caller; ``patience`` is ``queue``, ``start`` (without ``block``) or ``none``."""

    holder: str | None
    patience: str
    refusal: str
    deadline: float = math.inf
    in_block: bool = False
    outcome: tuple[object, ...] | None = None
    worker: Worker | None = None
    lent_by: PoolModel | None = None
    checked_in: bool = False

    def end(self, now: float, *outcome: object) -> None:
        """The call ends, in one way (3.1)."""
        if self.outcome is None:
            self.outcome = (*outcome, now)

    def check_in(self) -> None:
        """By its handle, or by leaving its block."""
        self.in_block, self.checked_in = False, True
        if self.lent_by is not None:
            self.lent_by.check_in(self)


@dataclass(eq=False)
class PoolModel:
    """One incarnation. ``idle`` is in the order of coming back, ``leases`` in that of lending."""

    now: float
    fleet: Fleet
    size: int
    limit: int
    lifo: bool
    max_queue: int | None
    replaces: bool
    max_restarts: int
    max_seconds: float
    backoff: tuple[float, float] | None  # the first delay, the longest
    phase: str = "running"  # "ending", "ended"
    suspended: bool = False
    reason: str = ""
    rows: list[Row] = field(default_factory=list[Row])
    idle: list[Row] = field(default_factory=list[Row])
    leases: list[Row] = field(default_factory=list[Row])
    waiting: list[Ask] = field(default_factory=list[Ask])
    unread: list[Ask] = field(default_factory=list[Ask])  # their requests are in the inbox
    inbox: list[Callable[[], None]] = field(default_factory=list[Callable[[], None]])
    later: list[tuple[float, Callable[[], None]]] = field(
        default_factory=list[tuple[float, Callable[[], None]]]
    )
    restarts: list[float] = field(default_factory=list[float])
    reading: bool = False
    ended: tuple[str, float] | None = None

    def start(self) -> str:
        """Its workers start one after the other; if one does not, the pool does not (22.1)."""
        for _ in range(self.size):
            worker = self.make()
            self.now, worker.due = worker.due, math.inf
            if worker.fault != "none":
                self.phase = "ended"
                return "StartFailed Shutdown"
            worker.state = "up"
            self.rows.append(Row(worker))
        for row in self.rows:
            row.up_since = self.now
            self._is_idle(row)
        return "up"

    # -- messages -----------------------------------------------------------------------------

    def post(self, message: Callable[[], None]) -> None:
        """Handled in its turn, but not while the pool is suspended."""
        if self.phase == "running":
            self.inbox.append(message)
            self.read()

    def read(self) -> None:
        """Handle what is there, one after the other."""
        if self.reading or self.suspended:
            return
        self.reading = True
        while self.inbox and self.phase == "running":
            self.inbox.pop(0)()
            if self.phase == "running":
                self._go_on()
        self.reading = False

    def resume(self) -> None:
        """What has come meanwhile is handled."""
        self.suspended = False
        self.read()

    def ask(self, ask: Ask) -> None:
        """Somebody wants a worker."""
        if self.phase == "ended":
            ask.end(self.now, "CallExit", "NoProcess")
            return
        self.unread.append(ask)
        self.post(lambda: self._ask(ask))

    def _ask(self, ask: Ask) -> None:
        self.unread.remove(ask)
        if ask.outcome is not None:
            return
        waiting = self.in_line()
        if self._may_wait(ask, len(waiting)):
            self.waiting.append(ask)
        elif ask.refusal == "PoolFull":
            ask.end(self.now, "PoolFull", self.limit, len(waiting))
        else:
            ask.end(self.now, ask.refusal)

    def _may_wait(self, ask: Ask, waiting: int) -> bool:
        if self.usable():
            return True
        behind = waiting - self.count("starting")  # no worker is being started for these
        if ask.patience == "none":
            return False
        if self.used() < self.limit or behind < 0:
            return True
        return ask.patience == "queue" and (self.max_queue is None or behind < self.max_queue)

    def check_in(self, ask: Ask) -> None:
        """A worker comes back, once (22.8)."""

        def back() -> None:
            for row in self.leases:
                if row.lent_to is ask:
                    self._end_lease(row)
                    self._is_idle(row)
                    return

        self.post(back)

    def holder_died(self, holder: str) -> None:
        """Each worker it has is replaced, or goes to the next as it is (22.7)."""
        for row in tuple(self.leases):
            if row.lent_to is not None and row.lent_to.holder == holder:
                self.post(partial(self._bereft, row, row.lent_to))

    def _bereft(self, row: Row, ask: Ask) -> None:
        if row.lent_to is ask:
            self._end_lease(row)
            if self.replaces:
                row.book = "stopping"
                self.stop(row.worker)
            else:
                self._is_idle(row)

    def _end_lease(self, row: Row) -> None:
        if row in self.leases:
            self.leases.remove(row)
        row.lent_to = None

    def _is_idle(self, row: Row) -> None:
        row.book = "idle"
        self.idle.append(row)

    # -- workers ------------------------------------------------------------------------------

    def make(self) -> Worker:
        """A process, which takes its time to start."""
        fleet, number = self.fleet, self.fleet.made
        fleet.made += 1
        return Worker(number, self.now + start_takes(number, fleet.start), fleet.fault)

    def up(self, row: Row) -> None:
        """Its start is done."""
        row.worker.state, row.worker.due = "up", math.inf

        def heard() -> None:
            row.wanted_by, row.up_since = None, self.now
            self._is_idle(row)

        self.post(heard)

    def stop(self, worker: Worker) -> None:
        """It is told to end by the pool, and killed when its budget is over."""
        self.tell(worker, "Shutdown")
        worker.due = min(worker.due, self.now + BUDGET)

    def tell(self, worker: Worker, reason: str) -> None:
        """It is told to end, or ends by itself; only the first time counts."""
        if worker.state == "starting":
            worker.fault, worker.reason, worker.due = "told", reason, self.now
            self._die(worker)
        elif worker.state == "up":
            worker.state, worker.reason = "ending", reason
            worker.due = self.now + stop_takes(worker.number, self.fleet.stop)

    def kill(self, worker: Worker) -> None:
        """At once, without last words."""
        if worker.state != "dead":
            worker.fault, worker.reason = "told", "Killed"
            self._die(worker)

    def _die(self, worker: Worker) -> None:
        was_up = worker.state != "starting"
        worker.state, worker.due = "dead", math.inf
        for row in self.rows:
            if row.worker is worker:
                self.post(partial(self._ended, row, worker, was_up=was_up))
        if self.phase == "ending" and all(row.worker.state == "dead" for row in self.rows):
            self.has_ended()

    def _ended(self, row: Row, worker: Worker, *, was_up: bool) -> None:
        """It has ended: stopped, by itself, or before it was up (22.10, 22.11)."""
        self._end_lease(row)
        if row in self.idle:
            self.idle.remove(row)
        if row.book == "stopping":
            self.rows.remove(row)
            return
        row.book, wanted_by, row.wanted_by = "put off", row.wanted_by, None
        again = self.staying() - 1 < self.size if wanted_by is not None else self._is_missed(row)
        if wanted_by is not None and wanted_by in self.waiting and not was_up:
            self.waiting.remove(wanted_by)
            error = ("Ignored",) if worker.fault == "ignores" else ("StartFailed", worker.reason)
            wanted_by.end(self.now, *error)
        if not again:
            self.rows.remove(row)
        elif was_up:
            self._restart(row)
        else:
            self.post(lambda: self._restart(row))

    def _is_missed(self, row: Row) -> bool:
        staying = self.staying() - (row.book == "put off")
        return staying < self.size or len(self.in_line()) > self.count("starting")

    def _restart(self, row: Row) -> None:
        """It counts; it may be one too many, or be put off."""
        self.restarts = [at for at in self.restarts if self.now - at <= self.max_seconds]
        self.restarts.append(self.now)
        delay = self._delay(row)
        if len(self.restarts) > self.max_restarts:
            self.end("Shutdown")
        elif delay == 0:
            self._start_again(row)
        else:
            again = self.now + delay
            self.later.append((again, lambda: self.post(lambda: self._start_again(row))))

    def _delay(self, row: Row) -> float:
        if self.backoff is None:
            return 0.0
        first, longest = self.backoff
        delays = [min(longest, first * 2.0**at) for at in range(row.streak + 1)]
        last = delays[row.streak - 1] if row.streak else 0.0
        if row.up_since is not None and self.now - row.up_since > max(self.max_seconds, last):
            row.streak = 0
        row.streak, row.up_since = row.streak + 1, None
        return delays[row.streak - 1]

    def _start_again(self, row: Row) -> None:
        if self._is_missed(row):
            row.book, row.worker = "starting", self.make()
        else:
            self.rows.remove(row)

    # -- what follows -------------------------------------------------------------------------

    def count(self, book: str) -> int:
        """How many are booked so."""
        return sum(row.book == book for row in self.rows)

    def used(self) -> int:
        """How many slots are taken: also by those that are being stopped."""
        return len(self.rows)

    def staying(self) -> int:
        """How many there are that are not being stopped."""
        return self.used() - self.count("stopping")

    def usable(self) -> list[Row]:
        """Those that can be lent at once."""
        return [row for row in self.idle if row.worker.state == "up"]

    def in_line(self) -> list[Ask]:
        """Those who wait."""
        return [ask for ask in self.waiting if ask.outcome is None]

    def _go_on(self) -> None:
        while True:
            self.waiting = self.in_line()
            usable = self.usable()
            if usable and self.waiting:
                row = usable[-1] if self.lifo else usable[0]
                self._lend(row, self.waiting.pop(0))
            elif usable and self.count("idle") + self.count("lent") > self.size:
                row = usable[-1]
                self.idle.remove(row)
                row.book = "stopping"
                self.stop(row.worker)
            elif self.used() < self.limit and len(self.waiting) > self.count("starting"):
                served = [row.wanted_by for row in self.rows]
                first = next(ask for ask in self.waiting if ask not in served)
                self.rows.append(Row(self.make(), wanted_by=first))
            elif self.used() < self.limit and self.staying() < self.size:
                self.rows.append(Row(self.make()))
            else:
                return

    def _lend(self, row: Row, ask: Ask) -> None:
        self.idle.remove(row)
        self.leases.append(row)
        row.book, row.lent_to = "lent", ask
        ask.worker, ask.lent_by = row.worker, self
        ask.end(self.now, "worker", row.worker.number)

    # -- the end, and time --------------------------------------------------------------------

    def end(self, reason: str, *, killed: bool = False) -> None:
        """Who waits hears of it before the workers have stopped (22.12)."""
        if self.phase != "running":
            return
        self.phase, self.reason = "ending", reason
        for ask in (*self.waiting, *(self.unread if killed else ())):
            ask.end(self.now, "CallExit", reason)
        for row in self.rows:
            self.stop(row.worker)
        if all(row.worker.state == "dead" for row in self.rows):
            self.has_ended()

    def has_ended(self) -> None:
        """All its workers have."""
        self.phase, self.ended = "ended", (self.reason, self.now)
        for ask in self.unread:
            ask.end(self.now, "CallExit", self.reason)

    def advance(self, seconds: float) -> None:
        """From one thing that is due to the next."""
        end = self.now + seconds
        while (due := self._next_due()) <= end:
            self.now = due
            for ask in (*self.waiting, *self.unread):
                if ask.deadline <= due:
                    ask.end(due, "CallTimeout")
            for row in tuple(self.rows):
                if row.worker.due <= due:
                    self._is_due(row)
            for one in [one for one in self.later if one[0] <= due]:
                self.later.remove(one)
                one[1]()
        self.now = end

    def _is_due(self, row: Row) -> None:
        worker = row.worker
        if worker.state == "starting" and worker.fault == "none":
            self.up(row)
        else:
            if worker.state == "starting":
                worker.reason = "crash Oops"
            self._die(worker)

    def _next_due(self) -> float:
        if self.phase == "ended":
            return math.inf
        waiting = [ask for ask in (*self.waiting, *self.unread) if ask.outcome is None]
        deadlines = [ask.deadline for ask in waiting]
        times = [at for at, _ in self.later] if self.phase == "running" else []
        return min([math.inf, *deadlines, *times, *(row.worker.due for row in self.rows)])
