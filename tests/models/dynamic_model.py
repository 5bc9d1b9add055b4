"""A dynamic supervisor as section 14 of the semantics and the rows DYN-001 to DYN-056 describe it.

Nothing is waited for in its turn: a start is answered when the child is up, a stop when it is
dead, and whatever else is asked meanwhile is done.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from tests.models.supervisor_life import Life, Recipe, is_clean
from tests.models.supervisor_parts import (
    Account,
    BackoffNumbers,
    Down,
    Request,
    Retry,
    Row,
    Supervised,
    counted,
)


class DynamicOptions(NamedTuple):
    """What a dynamic supervisor is started with."""

    max_children: int | None = None
    max_restarts: int = 3
    max_seconds: float = 5.0
    backoff: BackoffNumbers | None = None


@dataclass(eq=False)
class DynamicRow(Row):
    """A child, known by its last process that was up, or by the first one."""

    key: Life | None = None
    requester: Request | None = None  # waits for the first start
    stopping: bool = False
    stoppers: list[Request] = field(default_factory=list)


class DynamicModel(Supervised):
    """A dynamic supervisor and its children."""

    def __init__(self, options: DynamicOptions, now: float) -> None:
        super().__init__(now)
        self.options = options
        self.rows: list[DynamicRow] = []
        self.account = Account(options.max_restarts, options.max_seconds, options.backoff)
        self.up = True
        self._stops: list[Life] = []  # that are to be asked

    @property
    def idle(self) -> bool:
        """Whether it would answer at once."""
        return self.ending is None and not self.suspended

    @property
    def running(self) -> list[str]:
        """The tags of the children that have a process."""
        return [row.recipe.tag for row in self.rows if row.life is not None]

    # -- its life ---------------------------------------------------------------------------

    def react(self) -> bool:
        """Handle what is there, in one turn; if it is ending, wait for its children.

        What it starts makes its first step after that turn, as does what stops a child: whichever
        of the two is first.
        """
        if self.dead:
            return False
        if self._stops:
            self._stops.pop(0).asked_to_stop()
            return True
        handled = False
        while self.ending is None and (at := self.next_message()) >= 0:
            self._handle(self.queue.pop(at))
            handled = True
        if self.ending is not None and not self.lives:
            self.over()
        return handled or self.dead

    def interrupted(self) -> None:
        """It ends: the children are told at the same time (14.5, 5.12)."""
        for row in self.rows:
            if row.life is not None:
                row.life.asked_to_stop("killed" if self.killed else "shutdown")

    def _end(self, reason: str) -> None:
        self.ending = reason
        self.interrupted()

    # -- the life of a child ----------------------------------------------------------------

    def _row_of(self, life: Life) -> DynamicRow:
        (row,) = [row for row in self.rows if row.life is life]
        return row

    def is_up(self, life: Life) -> None:
        """Whoever asked for it hears of it; a restart has a place of its own."""
        row = self._row_of(life)
        row.status = "running"
        row.stays.append(life)
        if row.requester is not None:
            self.answer(row.requester, f"ok {life.name}")
            row.requester = None
        if row.key is not life:
            self.rows.remove(row)
            self.rows.append(row)
            row.key = life

    def has_ended(self, life: Life) -> None:
        """Whoever waits for its start or its end hears of it, then the supervisor."""
        super().has_ended(life)
        row = self._row_of(life)
        if row.requester is not None:
            self.answer(row.requester, "Ignored" if life.ignored else f"StartFailed {life.reason}")
            row.requester, row.stopping = None, True
        for request in row.stoppers:
            self.answer(request, "ok")
        self.queue.append(Down(row, life))

    def _spawn(self, row: DynamicRow) -> str | None:
        """A process for a child; or why it has none."""
        name = row.recipe.name
        if name in self.holders:
            return f"AlreadyStarted {self.holders[name].mark}"
        row.life, row.status = self.spawn(row.recipe), "starting"
        return None

    # -- messages ---------------------------------------------------------------------------

    def _handle(self, message: Down | Retry | Request) -> None:
        match message:
            case Down(row, life):
                assert isinstance(row, DynamicRow)
                self._ended(row, life)
            case Retry(row, number, failure):
                assert isinstance(row, DynamicRow)
                if row.status == "restarting" and row.restarts == number:
                    if failure is None:
                        self._start_again(row)
                    else:
                        self._restart(row, failure)
            case Request():
                self._serve(message)

    def ask(self, request: Request) -> None:
        """What is wrong in itself is refused in the caller, whether it lives or not (DYN-018)."""
        if isinstance(request.what, Recipe) and request.what.significant:
            request.answer = (self.now, "ValueError")
        else:
            super().ask(request)

    def _serve(self, request: Request) -> None:
        match request.kind:
            case "start":
                self._start_child(request)
            case "terminate":
                self._terminate_child(request)
            case "which":
                self.answer(request, ", ".join(row.shown() for row in reversed(self.rows)))
            case "count":
                self.answer(request, counted(self.rows))
            case "suspend" | "resume":
                self.suspended = request.kind == "suspend"
                self.answer(request, "ok")
            case "stop":
                self._end(str(request.what))
            case "restart" | "delete":
                raise ValueError(request.kind)

    def _start_child(self, request: Request) -> None:
        recipe, limit = request.what, self.options.max_children
        assert isinstance(recipe, Recipe)
        if request.cancelled:
            return
        if limit is not None and len(self.rows) >= limit:
            self.answer(request, "MaxChildren")
            return
        row = DynamicRow(recipe)
        error = self._spawn(row)
        if error is not None:
            self.answer(request, error)
            return
        row.key = request.started = row.life
        row.requester = request
        self.rows.append(row)

    def _terminate_child(self, request: Request) -> None:
        """By the process it is known by, or by the one that is not up yet (DYN-024, DYN-031)."""
        known = [
            row
            for row in self.rows
            for life in (row.key, row.life)
            if life is not None and life.name == request.what
        ]
        if not known:
            self.answer(request, f"ChildNotFound {request.what}")
            return
        row = known[0]
        if row.life is None:
            self.rows.remove(row)
            row.status = "stopped"
            self.answer(request, "ok")
        elif row.life.dead:
            row.stopping = True
            self.answer(request, "ok")
        else:
            row.stopping = True
            row.stoppers.append(request)
            self._stops.append(row.life)

    # -- a child has ended ------------------------------------------------------------------

    def _ended(self, row: DynamicRow, life: Life) -> None:
        was_up = row.status == "running"
        row.life, row.status = None, "stopped"
        restart = row.recipe.restart
        if row.stopping:
            self.rows.remove(row)
        elif not was_up:
            self._attempt_failed(row, None if life.ignored else life.reason)
        elif restart == "permanent" or (restart == "transient" and not is_clean(life.reason)):
            self._restart(row, life.reason)
        else:
            self.rows.remove(row)
            self.say(f"sup: {row.recipe.tag} {life.reason}, leave")

    def _attempt_failed(self, row: DynamicRow, reason: str | None) -> None:
        """One that says it is not needed is done, any other is tried again (DYN-026, DYN-027)."""
        if reason is None:
            self.rows.remove(row)
            return
        self.say(f"sup: {row.recipe.tag} failed {reason}")
        row.status = "restarting"
        self.queue.append(Retry(row, row.restarts, reason))

    def _restart(self, row: DynamicRow, reason: str) -> None:
        allowed = self.account.record(row, self.now)
        told = f"sup: {row.recipe.tag} {reason}"
        if not allowed:
            self.say(f"{told}, give up {self.account.shown}")
            self._end(self.account.gave_up(reason))
            return
        self.say(f"{told}, restart {self.account.shown}")
        delay = self.account.delay(row)
        if not delay:
            self._start_again(row)
            return
        row.status = "restarting"
        retry = Retry(row, row.restarts, None)
        self.later(delay, lambda: self.queue.append(retry))

    def _start_again(self, row: DynamicRow) -> None:
        error = self._spawn(row)
        if error is not None:
            self._attempt_failed(row, error)
