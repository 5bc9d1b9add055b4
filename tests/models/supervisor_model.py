"""A supervisor as section 5 of the semantics and the rows SUP-001 to SUP-092 describe it.

What it does is written as generators that yield what they wait for: a child may take its time to
start or to stop, and meanwhile others die and requests queue up.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from typing import Literal, NamedTuple, TypeAlias

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

Wait: TypeAlias = Callable[[], bool]
Work: TypeAlias = Generator[Wait, None, None]


class Options(NamedTuple):
    """What a supervisor is started with."""

    strategy: Literal["one_for_one", "one_for_all", "rest_for_one"] = "one_for_one"
    max_restarts: int = 3
    max_seconds: float = 5.0
    auto_shutdown: Literal["never", "any_significant", "all_significant"] = "never"
    backoff: BackoffNumbers | None = None


class Failure(NamedTuple):
    """Why a child did not start: the error a requester gets, and the reason behind it."""

    error: str
    reason: str


IGNORED = Failure("Ignored", "normal")


class SupervisorModel(Supervised):
    """A supervisor and its children."""

    def __init__(self, options: Options, recipes: Iterable[Recipe], now: float) -> None:
        super().__init__(now)
        self.options = options
        self.rows: dict[str, Row] = {}
        self.account = Account(options.max_restarts, options.max_seconds, options.backoff)
        self._work: Work = self._live(list(recipes))
        self._wait: Wait = lambda: True

    @property
    def idle(self) -> bool:
        """Whether it would answer at once."""
        return self.up and self.ending is None and not self.suspended and self._wait == self._wanted

    @property
    def running(self) -> list[str]:
        """The tags of the children that have a process."""
        return [tag for tag, row in self.rows.items() if row.life is not None]

    @property
    def stopped(self) -> list[str]:
        """The tags of the children that have none."""
        return [tag for tag, row in self.rows.items() if row.life is None]

    def interrupted(self) -> None:
        """It is ended from outside: what it was doing is left as it is."""
        for life in self.lives:
            life.not_waited_for()
        self._work = self._stop_together() if self.killed else self._stop_in_order()
        self._wait = lambda: True

    def has_ended(self, life: Life) -> None:
        """A child has ended: the supervisor gets a message."""
        super().has_ended(life)
        for row in self.rows.values():
            if row.life is life:
                self.queue.append(Down(row, life))

    # -- its life ---------------------------------------------------------------------------

    def react(self) -> bool:
        """Make one step, up to the next wait, if that is over."""
        if self.dead or not self._wait():
            return False
        wait = next(self._work, None)
        if wait is None:
            self.over()
        else:
            self._wait = wait
        return True

    def _live(self, recipes: list[Recipe]) -> Work:
        for recipe in recipes:
            row = self.rows[recipe.tag] = Row(recipe)
            failure = yield from self._start_new(row)
            if failure is not None and failure is not IGNORED:
                self.ending = f"shutdown failed {recipe.tag} {failure.reason}"
                break
        else:
            self.up = True
            while self.ending is None:
                yield self._wanted
                yield from self._handle(self.queue.pop(self.next_message()))
        yield from self._stop_in_order()

    def _wanted(self) -> bool:
        return self.next_message() >= 0

    def _stop_in_order(self) -> Work:
        """One by one, last started first, each when the one after it is dead (5.3)."""
        for row in reversed(self.rows.values()):
            yield from self._stop(row)

    def _stop_together(self) -> Work:
        """The children of a killed supervisor are told at the same time (5.12)."""
        lives = [row.life for row in self.rows.values() if row.life is not None]
        for life in lives:
            life.asked_to_stop("killed")
        yield lambda: all(life.dead for life in lives)

    # -- starting and stopping --------------------------------------------------------------

    def _start(
        self, row: Row, request: Request | None = None
    ) -> Generator[Wait, None, Failure | None]:
        """Start a child and wait until it is up; or why it is not."""
        recipe = row.recipe
        if recipe.name in self.holders:
            error = f"AlreadyStarted {self.holders[recipe.name].mark}"
            row.status = "stopped"
            return Failure(error, error)
        row.life = life = self.spawn(recipe)
        row.status = "starting"
        if request is not None:
            request.started = life
        yield lambda: life.came_up or life.dead
        if life.came_up:
            row.status = "running"
            row.stays.append(life)
            return None
        row.life, row.status = None, "stopped"
        return IGNORED if life.ignored else Failure(f"StartFailed {life.reason}", life.reason)

    def _start_new(
        self, row: Row, request: Request | None = None
    ) -> Generator[Wait, None, Failure | None]:
        """An ignored child keeps its row, unless it is temporary; a failed one has none."""
        failure = yield from self._start(row, request)
        if failure is IGNORED:
            self._settle(row)
        elif failure is not None:
            del self.rows[row.recipe.tag]
        return failure

    def _stop(self, row: Row) -> Work:
        life = row.life
        if life is not None:
            life.asked_to_stop()
            yield lambda: life.dead
        row.life, row.status = None, "stopped"

    def _settle(self, row: Row) -> None:
        """It is not restarted; the spec of a temporary child is removed."""
        row.life, row.status = None, "stopped"
        if row.recipe.restart == "temporary":
            self.rows.pop(row.recipe.tag, None)

    # -- messages ---------------------------------------------------------------------------

    def _handle(self, message: Down | Retry | Request) -> Work:
        match message:
            case Down(row, life):
                if row.life is life:
                    yield from self._ended(row, life)
            case Retry(row, number, failure):
                if row.status == "restarting" and row.restarts == number:
                    if failure is None:
                        yield from self._start_group(row)
                    else:
                        yield from self._restart(row, failure)
            case Request():
                yield from self._serve(message)

    def _serve(self, request: Request) -> Work:
        match request.kind:
            case "start":
                yield from self._start_child(request)
            case "terminate":
                if (row := self._row_of(request)) is not None:
                    yield from self._stop(row)
                    self._settle(row)
                    self.answer(request, "ok")
            case "restart":
                if (row := self._stopped_row_of(request)) is not None:
                    failure = yield from self._start(row)
                    self.answer(request, self._started(row, failure))
            case "delete":
                if (row := self._stopped_row_of(request)) is not None:
                    del self.rows[row.recipe.tag]
                    self.answer(request, "ok")
            case "which":
                shown = (row.shown() for row in reversed(self.rows.values()))
                self.answer(request, ", ".join(shown))
            case "count":
                self.answer(request, counted(list(self.rows.values())))
            case "suspend" | "resume":
                self.suspended = request.kind == "suspend"
                self.answer(request, "ok")
            case "stop":
                self.ending = str(request.what)

    def _start_child(self, request: Request) -> Work:
        recipe = request.what
        assert isinstance(recipe, Recipe)
        present = self.rows.get(recipe.tag)
        if present is not None and present.life is not None:
            self.answer(request, f"AlreadyStarted {present.life.name}")
        elif present is not None:
            self.answer(request, f"AlreadyPresent {recipe.tag}")
        elif recipe.significant and self.options.auto_shutdown == "never":
            self.answer(request, "ValueError")
        elif not request.cancelled:
            row = self.rows[recipe.tag] = Row(recipe)
            failure = yield from self._start_new(row, request)
            self.answer(request, self._started(row, failure))

    def _started(self, row: Row, failure: Failure | None) -> str:
        if failure is not None:
            return failure.error
        assert row.life is not None
        return f"ok {row.life.name}"

    def _row_of(self, request: Request) -> Row | None:
        row = self.rows.get(str(request.what))
        if row is None:
            self.answer(request, f"ChildNotFound {request.what}")
        return row

    def _stopped_row_of(self, request: Request) -> Row | None:
        row = self._row_of(request)
        if row is not None and row.status == "restarting":
            self.answer(request, f"ChildRestarting {request.what}")
            return None
        if row is not None and row.life is not None:
            self.answer(request, f"ChildRunning {request.what} {row.life.name}")
            return None
        return row

    # -- a child has ended ------------------------------------------------------------------

    def _ended(self, row: Row, life: Life) -> Work:
        row.life, row.status = None, "stopped"
        restart = row.recipe.restart
        if restart == "permanent" or (restart == "transient" and not is_clean(life.reason)):
            yield from self._restart(row, life.reason)
            return
        self._settle(row)
        if self._is_over(row):
            self.say(f"sup: {row.recipe.tag} {life.reason}, shut down")
            self.ending = "shutdown"
        else:
            self.say(f"sup: {row.recipe.tag} {life.reason}, leave")

    def _is_over(self, row: Row) -> bool:
        """A significant child has ended by itself (5.10)."""
        if not row.recipe.significant or self.options.auto_shutdown == "never":
            return False
        return self.options.auto_shutdown == "any_significant" or not any(
            other.recipe.significant and (other.life is not None or other.status == "restarting")
            for other in self.rows.values()
        )

    def _restart(self, row: Row, reason: str) -> Work:
        allowed = self.account.record(row, self.now)
        told = f"sup: {row.recipe.tag} {reason}"
        if not allowed:
            self.say(f"{told}, give up {self.account.shown}")
            self.ending = self.account.gave_up(reason)
            return
        self.say(f"{told}, restart {self.account.shown}")
        delay = self.account.delay(row)
        if not delay:
            yield from self._start_group(row)
            return
        yield from self._stop_group(row)
        row.status = "restarting"
        retry = Retry(row, row.restarts, None)
        self.later(delay, lambda: self.queue.append(retry))

    def _group_of(self, row: Row) -> list[Row]:
        """What is restarted together (5.6), in start order."""
        rows = list(self.rows.values())
        match self.options.strategy:
            case "one_for_one":
                return [row]
            case "one_for_all":
                return rows
            case "rest_for_one":
                return rows[rows.index(row) :]

    def _stop_group(self, row: Row) -> Work:
        """All of it is stopped before anything of it is started; temporary ones are dropped."""
        group = self._group_of(row)
        for member in reversed(group):
            yield from self._stop(member)
        for member in group:
            self._settle(member)

    def _start_group(self, row: Row) -> Work:
        group = self._group_of(row)
        yield from self._stop_group(row)
        for member in group:
            if self.rows.get(member.recipe.tag) is not member:
                continue
            failure = yield from self._start(member)
            if failure is not None and failure is not IGNORED:
                self.say(f"sup: {member.recipe.tag} failed {failure.reason}")
                member.status = "restarting"
                self.queue.append(Retry(member, member.restarts, failure.reason))
                return
