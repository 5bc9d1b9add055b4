"""The real side of the machines of supervisors: workers that follow their plan, and a log.

A line of the log says when, which incarnation of a child (``b.2`` is the second ``init`` of ``b``)
and what. Reasons and errors are told as texts, with incarnations in place of pids: as marks first,
since a process that is told of need not have made its first step, and so have no name yet.
"""

from __future__ import annotations

import re
from typing import Any

import trio

from runtime import (
    BudgetExceeded,
    CallExit,
    Cast,
    ChildEnded,
    ChildSpec,
    ChildStartFailed,
    Crashed,
    Event,
    ExitReason,
    GenServer,
    Ignore,
    Killed,
    NoProcess,
    Normal,
    Pid,
    ProcessEnded,
    Ref,
    Shutdown,
    StartError,
    StartFailed,
    Stop,
    handles,
    self_,
    trap_exits,
)
from supervisors import (
    ChildCounts,
    ChildError,
    ChildInfo,
    ChildRunning,
    FailedToStartChild,
    GaveUp,
)
from tests.models.supervisor_life import Line, Plan, Recipe, mark, with_names

REASONS: dict[str, ExitReason] = {
    "normal": Normal(),
    "shutdown": Shutdown(),
    "shutdown done": Shutdown("done"),
    "boom": "boom",
}
"""What a process can be told to end with."""


class End(Cast):
    """The worker ends with this reason; with none it raises."""

    reason: Any


class Worker(GenServer):
    """Does what its plan and its recipe say, without a coroutine if it takes no time."""

    def __init__(self, stage: Stage, recipe: Recipe) -> None:
        self.stage = stage
        self.recipe = recipe

    def init(self) -> Any:
        plan = self.stage.begins(self.recipe.tag)
        if self.recipe.trap:
            trap_exits()
        return self._outcome_later(plan) if plan.delay else self._outcome(plan)

    async def _outcome_later(self, plan: Plan) -> Any:
        await trio.sleep(plan.delay)
        return self._outcome(plan)

    def _outcome(self, plan: Plan) -> Any:
        match plan.outcome:
            case "up":
                return None
            case "raise":
                raise RuntimeError("no luck")
            case "stop":
                return Stop("no use")
            case "ignore":
                return Ignore()

    @handles(End)
    def end(self, message: End) -> Stop:
        if message.reason is None:
            raise RuntimeError("oops")
        return Stop(message.reason)

    def terminate(self, reason: ExitReason) -> Any:
        self.stage.say(f"{self.stage.names[self_()]} terminate {self.stage.reason(reason)}")
        return self._nap() if self.recipe.nap else None

    async def _nap(self) -> None:
        await trio.sleep(self.recipe.nap)


class Stage:
    """What the workers of one supervisor share, and what is seen of it."""

    def __init__(self) -> None:
        self.log: list[Line] = []
        self.names: dict[Pid, str] = {}
        self.pids: dict[str, Pid] = {}
        self.latest: dict[str, Pid] = {}
        self.plans: dict[str, list[Plan]] = {}
        self._births: dict[str, int] = {}
        self._names_by_number: dict[int, str] = {}

    def spec(self, recipe: Recipe) -> ChildSpec:
        """The real child of a recipe."""
        return Worker.child_spec(self, recipe).replace(
            id=recipe.tag,
            restart=recipe.restart,
            significant=recipe.significant,
            type=recipe.kind,
            shutdown=recipe.shutdown,
            name=recipe.name,
        )

    def begins(self, tag: str) -> Plan:
        """An ``init`` begins, and is to do this."""
        self._births[tag] = self._births.get(tag, 0) + 1
        self.latest[tag] = self_()
        self.names[self_()] = name = f"{tag}.{self._births[tag]}"
        self._names_by_number[self_().number] = name
        self.pids[name] = self_()
        self.say(f"{name} init")
        plans = self.plans.get(tag)
        return plans.pop(0) if plans else Plan()

    def say(self, text: str) -> None:
        """Write a line."""
        self.log.append((trio.current_time(), text))

    @property
    def seen(self) -> list[Line]:
        """The log, when everything that was started has made its first step."""
        return [(at, self.named(text)) for at, text in self.log]

    def named(self, text: str) -> str:
        """A text with the names of incarnations, when everything has made its first step."""
        return with_names(text, self._names_by_number)

    def told(self, event: Event) -> None:
        """What the node tells goes into the log."""
        match event:
            case ProcessEnded(pid, "sup", reason):
                self.say(f"sup ended {self.reason(reason)}")
            case ProcessEnded(pid, _, reason) if pid in self.names:
                self.say(f"{self.names[pid]} ended {self.reason(reason)}")
            case BudgetExceeded(pid) if pid in self.names:
                self.say(f"{self.names[pid]} overdue")
            case ChildStartFailed(_, child_id, reason):
                self.say(f"sup: {child_id} failed {self.reason(reason)}")
            case ChildEnded():
                self._reported(event)
            case _:
                pass

    def _reported(self, event: ChildEnded) -> None:
        (action,) = re.findall("^(restart|give up|shut down|leave)", event.action)
        if action in ("restart", "give up"):
            action = f"{action} {event.restarts} of {event.max_restarts}"
        self.say(f"sup: {event.child_id} {self.reason(event.reason)}, {action}")

    # -- as texts ---------------------------------------------------------------------------

    def reason(self, reason: ExitReason) -> str:
        """An exit reason."""
        match reason:
            case Normal():
                return "normal"
            case Killed():
                return "killed"
            case NoProcess():
                return "noproc"
            case Shutdown(None):
                return "shutdown"
            case Shutdown(GaveUp(history, exception)):
                tags = re.findall(r"child '(\w+)'", "\n".join(history))
                by = "-" if exception is None else self.reason(exception)
                return f"shutdown gave up {' '.join(tags)} by {by}"
            case Shutdown(FailedToStartChild(child_id, inner)):
                return f"shutdown failed {child_id} {self.reason(inner)}"
            case Shutdown(detail):
                return f"shutdown {detail}"
            case Crashed(exception):
                return self.reason(exception)
            case StartError() | ChildError():
                return self.error(reason)
            case BaseException():
                return f"crash {reason}"
            case _:
                return str(reason)

    def error(self, error: Exception) -> str:
        """What a request raised."""
        parts: list[object] = [type(error).__name__]
        match error:
            case CallExit() | StartFailed():
                parts.append(self.reason(error.reason))
            case ChildError(child_id=Pid() as child):
                parts.append(mark(child.number))
            case ChildRunning():
                parts += [error.child_id, mark(error.pid.number)]
            case ChildError():
                parts.append(error.child_id)
            case _ if isinstance(pid := getattr(error, "pid", None), Pid):
                parts.append(mark(pid.number))
            case _:
                pass
        return " ".join(map(str, parts))

    def answer(self, value: object) -> str:
        """What a request came to."""
        match value:
            case None:
                return "ok"
            case str():
                return value
            case Exception():
                return self.named(self.error(value))
            case Ref():
                return f"ok {self.names[value.pid]}"
            case ChildCounts(specs, active, supervisors, workers):
                return f"{specs} {active} {supervisors} {workers}"
            case list():
                return ", ".join(map(self._row, value))
            case _:
                raise TypeError(f"an answer of no known kind: {value!r}")

    def _row(self, info: ChildInfo) -> str:
        pid = "-" if info.pid is None else self.named(mark(info.pid.number))
        return f"{info.id}={pid} {info.status} {info.type}"
