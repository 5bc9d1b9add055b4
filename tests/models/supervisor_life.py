"""What is modelled of a child's process, and of time, for the models of supervisors.

Plain data; reasons are texts. Several processes may be ready to go on at one moment, and which of
them goes first is Trio's choice: the model then follows the log it will be compared with, as long
as that names one that is ready. Everything else is decided here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

Line: TypeAlias = tuple[float, str]
"""What is written down, and when."""
Outcome: TypeAlias = Literal["up", "raise", "stop", "ignore"]


class Plan(NamedTuple):
    """What one ``init`` is to do, after how many seconds."""

    outcome: Outcome = "up"
    delay: float = 0.0


@dataclass(frozen=True)
class Recipe:
    """A child: the options of its spec, and how long its ``terminate`` takes."""

    tag: str
    restart: Literal["permanent", "transient", "temporary"] = "permanent"
    significant: bool = False
    kind: Literal["worker", "supervisor"] = "worker"
    trap: bool = False
    nap: float = 0.0
    shutdown: float | Literal["brutal_kill"] = 5.0
    name: str | None = None


def mark(number: int) -> str:
    """A process in a text: its name is known once it has made its first step."""
    return f"<{number}>"


def with_names(text: str, names: Mapping[int, str]) -> str:
    """A text with names in place of marks; what never made a step has none."""
    return re.sub("<([0-9]+)>", lambda found: names.get(int(found[1]), "?"), text)


def is_clean(reason: str) -> bool:
    """Whether a transient child that ended so is done (5.5)."""
    return reason == "normal" or reason.startswith("shutdown")


class Life:
    """One incarnation of a child, from its start to its end."""

    def __init__(self, world: World, recipe: Recipe, number: int) -> None:
        self.world = world
        self.recipe = recipe
        self.number = number
        self.name = ""
        self.state: Literal["unborn", "starting", "up", "ending", "dead"] = "unborn"
        self.came_up_at: float | None = None
        self.died_at: float | None = None
        self.reason = ""
        self.ignored = False
        self._plan = Plan()
        self._signal: str | None = None  # the first that was accepted
        self._killed = False
        self._inbox: list[str] = []  # ends that wait for their turn among the messages
        self.wakes_at: float | None = None
        self._asked_at: float | None = None
        self.overdue_at: float | None = None

    @property
    def mark(self) -> str:
        """It, in a text."""
        return mark(self.number)

    @property
    def dead(self) -> bool:
        """Whether it has ended."""
        return self.state == "dead"

    @property
    def came_up(self) -> bool:
        """Whether its ``init`` succeeded, if only for a moment."""
        return self.came_up_at is not None

    @property
    def stayed(self) -> float:
        """For how long it was up."""
        if self.came_up_at is None:
            return 0.0
        until = self.world.now if self.died_at is None else self.died_at
        return until - self.came_up_at

    # -- what befalls it --------------------------------------------------------------------

    def message(self, reason: str) -> None:
        """A message at which it ends itself."""
        if not self.dead:
            self._inbox.append(reason)

    def signal(self, reason: str, *, from_parent: bool) -> None:
        """An exit signal (4.2, 4.3, 4.4, 4.13)."""
        if self.state in ("ending", "dead"):
            return
        if self.recipe.trap and self.state != "unborn":
            if from_parent:
                self._inbox.append(reason)
        elif reason != "normal" and self._signal is None:
            self._signal = reason

    def kill(self) -> None:
        """The signal that nothing can trap."""
        if not self.dead:
            self._killed = True

    def asked_to_stop(self, reason: str = "shutdown") -> None:
        """By its supervisor: the budget counts from the first time, also when asked again (5.4)."""
        if self.dead:
            return
        if self.recipe.shutdown == "brutal_kill":
            self.kill()
            return
        if self._asked_at is None:
            self._asked_at = self.world.now
        self.overdue_at = max(self.world.now, self._asked_at + self.recipe.shutdown)
        self.signal(reason, from_parent=True)

    def not_waited_for(self) -> None:
        """The wait for its end is given up: it is not killed until it is its turn again (5.3)."""
        self.overdue_at = None

    # -- what it does -----------------------------------------------------------------------

    @property
    def ready(self) -> bool:
        """Whether it can go on now."""
        match self.state:
            case "dead":
                return False
            case "unborn":
                return True
            case "up":
                return self._killed or self._signal is not None or bool(self._inbox)
            case "starting" | "ending":
                late = self._is_due(self.overdue_at)
                signalled = self.state == "starting" and self._signal is not None
                return self._killed or signalled or late or self._is_due(self.wakes_at)

    def _is_due(self, at: float | None) -> bool:
        return at is not None and at <= self.world.now

    def step(self) -> None:
        """Go on."""
        if self._killed:
            self._die("killed")
        elif self.state in ("unborn", "starting") and self._signal is not None:
            self._die(self._signal)
        elif self.state == "unborn":
            self._begin()
        elif self._is_due(self.wakes_at):
            self.wakes_at = None
            if self.state == "starting":
                self._finish_init()
            else:
                self._die(self.reason)
        elif self._is_due(self.overdue_at):
            self.world.say(f"{self.name} overdue")
            self.overdue_at = None
            self.kill()
        else:
            self._terminate(self._inbox.pop(0) if self._signal is None else self._signal)

    def _begin(self) -> None:
        self.name, self._plan = self.world.born(self)
        self.world.say(f"{self.name} init")
        self.state = "starting"
        if self._plan.delay:
            self.wakes_at = self.world.now + self._plan.delay
        else:
            self._finish_init()

    def _finish_init(self) -> None:
        match self._plan.outcome:
            case "up":
                self.state = "up"
                self.came_up_at = self.world.now
                self.world.is_up(self)
            case "raise":
                self._die("crash no luck")
            case "stop":
                self._die("no use")
            case "ignore":
                self.ignored = True
                self._die("normal")

    def _terminate(self, reason: str) -> None:
        self.state, self.reason = "ending", reason
        self.world.say(f"{self.name} terminate {reason}")
        if self.recipe.nap:
            self.wakes_at = self.world.now + self.recipe.nap
        else:
            self._die(reason)

    def _die(self, reason: str) -> None:
        if self.name:
            self.world.say(f"{self.name} ended {reason}")
        self.state, self.reason, self.died_at = "dead", reason, self.world.now
        self.world.has_ended(self)


class World:
    """The time, the processes of the children, and whoever supervises them."""

    def __init__(self, now: float) -> None:
        self.now = now
        self.plans: dict[str, list[Plan]] = {}
        self.log: list[Line] = []
        self.latest: dict[str, Life] = {}
        self.lives: list[Life] = []
        self.holders: dict[str, Life] = {}
        self._births: dict[str, int] = {}
        self._spawned = 0
        self._names: dict[int, str] = {}
        self._timers: list[tuple[float, Callable[[], None]]] = []

    # -- for subclasses ---------------------------------------------------------------------

    def react(self) -> bool:
        """Let the supervisor make one step, if it can; whether it did."""
        raise NotImplementedError

    def is_up(self, life: Life) -> None:
        """A child is up."""

    def has_ended(self, life: Life) -> None:
        """A child has ended."""
        self.lives.remove(life)
        if life.recipe.name is not None:
            del self.holders[life.recipe.name]

    def spawn(self, recipe: Recipe) -> Life:
        """A new process, which has not made its first step."""
        self._spawned += 1
        life = Life(self, recipe, self._spawned)
        self.lives.append(life)
        if recipe.name is not None:
            self.holders[recipe.name] = life
        return life

    def later(self, seconds: float, what: Callable[[], None]) -> None:
        """Set a timer."""
        self._timers.append((self.now + seconds, what))
        self._timers.sort(key=lambda timer: timer[0])

    def befall(self, tag: str, end: str) -> None:
        """A message, a stranger's signal or a kill for the incarnation that began last."""
        life = self.latest.get(tag)
        if life is None:
            return
        if end == "kill":
            life.kill()
        elif end.startswith("signal "):
            life.signal(end.removeprefix("signal "), from_parent=False)
        else:
            life.message(end)

    # -- for lives --------------------------------------------------------------------------

    def born(self, life: Life) -> tuple[str, Plan]:
        """The name of an incarnation whose ``init`` begins, and what that is to do."""
        tag = life.recipe.tag
        self.latest[tag] = life
        self._births[tag] = self._births.get(tag, 0) + 1
        self._names[life.number] = name = f"{tag}.{self._births[tag]}"
        plans = self.plans.get(tag)
        return name, plans.pop(0) if plans else Plan()

    def say(self, text: str) -> None:
        """Write a line."""
        self.log.append((self.now, text))

    @property
    def seen(self) -> list[Line]:
        """The log, when everything that was started has made its first step."""
        return [(at, self.named(text)) for at, text in self.log]

    def named(self, text: str) -> str:
        """A text with the names of incarnations, when everything has made its first step."""
        return with_names(text, self._names)

    # -- time -------------------------------------------------------------------------------

    def settle(self, seen: Sequence[Line]) -> None:
        """Let everything happen that can happen now; ``seen`` says who of several is first."""
        while True:
            ready = [life for life in self.lives if life.ready]
            first = self._seen_next(ready, seen)
            if first is not None:
                first.step()
            elif not self.react():
                if not ready:
                    return
                ready[0].step()

    def _seen_next(self, ready: list[Life], seen: Sequence[Line]) -> Life | None:
        at = len(self.log)
        if at >= len(seen) or seen[at][0] != self.now:
            return None
        tag = seen[at][1].partition(".")[0]
        return next((life for life in ready if life.recipe.tag == tag), None)

    def advance(self, seconds: float, seen: Sequence[Line]) -> None:
        """Let time pass."""
        end = self.now + seconds
        while (at := min(self._deadlines(), default=end)) < end:
            self._arrive(at, seen)
        self._arrive(end, seen)

    def _arrive(self, at: float, seen: Sequence[Line]) -> None:
        self.now = at
        while self._timers and self._timers[0][0] <= at:
            self._timers.pop(0)[1]()
        self.settle(seen)

    def _deadlines(self) -> list[float]:
        lives = [at for life in self.lives for at in (life.wakes_at, life.overdue_at)]
        return [at for at in (*lives, *(at for at, _ in self._timers)) if at is not None]
