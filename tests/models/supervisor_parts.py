"""What the models of both supervisors are made of: rows, messages, and the account of restarts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, TypeAlias

from tests.models.supervisor_life import Life, Line, Recipe, World

HISTORY = 20

Kind: TypeAlias = Literal[
    "start", "terminate", "restart", "delete", "which", "count", "suspend", "resume", "stop"
]
SYSTEM: tuple[Kind, ...] = ("suspend", "resume", "stop")
"""What a suspended supervisor hears all the same."""


class BackoffNumbers(NamedTuple):
    """A backoff without the random part."""

    initial: float
    maximum: float
    factor: float

    def delay(self, restarts: int) -> float:
        """Seconds before the restart of this number, from 1."""
        seconds = self.initial
        for _ in range(restarts - 1):
            seconds = min(self.maximum, seconds * self.factor)
        return seconds


@dataclass(eq=False)
class Request:
    """Something that was asked, by whom it does not matter; ``what`` is what it is about."""

    number: int
    kind: Kind
    what: Recipe | str = ""
    answer: Line | None = None
    cancelled: bool = False
    started: Life | None = None


@dataclass(eq=False)
class Row:
    """A child, as its supervisor knows it."""

    recipe: Recipe
    life: Life | None = None
    status: Literal["starting", "running", "restarting", "stopped"] = "stopped"
    restarts: int = 0
    streak: int = 0
    stays: list[Life] = field(default_factory=list)  # that came up since the last restart

    def longest_stay(self) -> float:
        """How long it has stayed up since the last restart."""
        return max((life.stayed for life in self.stays), default=0.0)

    def shown(self) -> str:
        """A line of ``which_children``."""
        pid = "-" if self.life is None else self.life.mark
        return f"{self.recipe.tag}={pid} {self.status} {self.recipe.kind}"


class Down(NamedTuple):
    """A child's process has ended."""

    row: Row
    life: Life


class Retry(NamedTuple):
    """Go on with the restart of this number; ``failure`` is why another must be counted."""

    row: Row
    number: int
    failure: str | None


@dataclass
class Account:
    """The restarts of all children (5.8, 5.9), and the delays before them (5.14)."""

    max_restarts: int
    max_seconds: float
    backoff: BackoffNumbers | None = None
    recent: list[float] = field(default_factory=list)
    history: list[str] = field(default_factory=list)

    def record(self, row: Row, now: float) -> bool:
        """One more is due, because a child has ended or an attempt has failed; may it be made?"""
        self.recent = [at for at in self.recent if at >= now - self.max_seconds] + [now]
        self.history = [*self.history, row.recipe.tag][-HISTORY:]
        row.restarts += 1
        if self.backoff is not None and row.streak:
            last = self.backoff.delay(row.streak)
            if row.longest_stay() > max(self.max_seconds, last):
                row.streak = 0
        row.streak += 1
        row.stays = []
        return len(self.recent) <= self.max_restarts

    def delay(self, row: Row) -> float:
        """How long the restart that was just recorded is put off."""
        return self.backoff.delay(row.streak) if self.backoff is not None else 0.0

    def gave_up(self, reason: str) -> str:
        """The reason a supervisor ends with when the restart for ``reason`` is one too many."""
        by = reason if reason.startswith(("crash", "AlreadyStarted")) else "-"
        return f"shutdown gave up {' '.join(self.history)} by {by}"

    @property
    def shown(self) -> str:
        """How far the limit is used up."""
        return f"{len(self.recent)} of {self.max_restarts}"


def counted(rows: Sequence[Row]) -> str:
    """The answer of ``count_children``."""
    active = sum(row.status in ("running", "starting") for row in rows)
    supervisors = sum(row.recipe.kind == "supervisor" for row in rows)
    return f"{len(rows)} {active} {supervisors} {len(rows) - supervisors}"


class Supervised(World):
    """A world with a supervisor in it: who has asked it for something, and what they heard."""

    def __init__(self, now: float) -> None:
        super().__init__(now)
        self.up = False
        self.suspended = False
        self.ending: str | None = None
        self.killed = False
        self.dead = False
        self.queue: list[Down | Retry | Request] = []
        self._unanswered: list[Request] = []

    # -- for subclasses ---------------------------------------------------------------------

    @property
    def idle(self) -> bool:
        """Whether it would answer at once."""
        raise NotImplementedError

    @property
    def running(self) -> list[str]:
        """The tags of the children that have a process."""
        raise NotImplementedError

    def interrupted(self) -> None:
        """It is ended from outside, whatever it is doing."""
        raise NotImplementedError

    def over(self) -> None:
        """Its children have ended, and so does it."""
        self.dead = True
        self.say(f"sup ended {self.ending}")
        self.tell_all(str(self.ending))

    # -- what befalls it --------------------------------------------------------------------

    def signal(self, reason: str) -> None:
        """Its parent's exit signal ends it, unless it is ending (5.11, 4.2)."""
        if self.ending is None:
            self.ending = reason
            self.interrupted()

    def kill(self) -> None:
        """Who waits for it hears at once, while its children stop (3.2, 5.12)."""
        if not self.dead and not self.killed:
            self.killed = True
            self.ending = "killed"
            self.tell_all("killed")
            self.interrupted()

    def ask(self, request: Request) -> None:
        """A request arrives."""
        self._unanswered.append(request)
        if self.dead:
            self.tell_all("noproc")
        else:
            self.queue.append(request)

    def cancel(self, request: Request) -> None:
        """Who asked gives up: a start ends, anything else is done all the same."""
        request.cancelled = True
        self.answer(request, "cancelled")
        if request.started is not None:
            request.started.kill()

    # -- answers ----------------------------------------------------------------------------

    def answer(self, request: Request, text: str) -> None:
        """Whoever asked hears this, if nothing else before."""
        if request.answer is None:
            request.answer = (self.now, text)
            self._unanswered.remove(request)

    def tell_all(self, reason: str) -> None:
        """Whoever waits for an answer hears of the end."""
        for request in tuple(self._unanswered):
            as_asked = request.kind == "stop" and request.what == reason
            self.answer(request, "ok" if as_asked else f"CallExit {reason}")

    def next_message(self) -> int:
        """Where the next message is that it may handle, or -1."""
        for at, message in enumerate(self.queue):
            if not self.suspended or (isinstance(message, Request) and message.kind in SYSTEM):
                return at
        return -1
