"""What the tests of dynamic supervisors share: starting one, asking it, ending its children."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from runtime import ChildSpec, ExitReason, GenServer, Pid, Ref, handles, kill, self_, start
from supervisors import DynamicSupervisor, DynamicSupervisorRef
from tests.supervisors.tree_parts import End, Ping, Worker, begin_after, settle


async def start_dynamic(**options: Any) -> DynamicSupervisorRef:
    """A dynamic supervisor in the node's root."""
    return DynamicSupervisorRef(await start(DynamicSupervisor.child_spec(**options)))


def temporary(log: list[str], tag: str, **how: Any) -> ChildSpec:
    """The spec of a ``Worker`` that is never restarted."""
    return Worker.child_spec(log, tag, **how).replace(id=tag, restart="temporary")


def slow(log: list[str], tag: str, seconds: float, **how: Any) -> ChildSpec:
    """A ``Worker`` whose ``init`` takes its time."""
    return Worker.child_spec(log, tag, begin=begin_after(seconds), **how).replace(id=tag)


def telling_its_pid(told: list[Pid], then: Callable[[], Any] | None = None) -> Callable[[], Any]:
    """An ``init`` that says which process it runs in, and goes on with ``then``."""

    def begin() -> Any:
        told.append(self_())
        return None if then is None else then()

    return begin


async def counts(supervisor: DynamicSupervisorRef) -> tuple[int, int, int, int]:
    """Specs, active, supervisors, workers."""
    counted = await supervisor.count_children()
    return counted.specs, counted.active, counted.supervisors, counted.workers


async def rows(supervisor: DynamicSupervisorRef) -> list[tuple[object, str]]:
    """The children, id and status, in start order."""
    return [(one.id, one.status) for one in reversed(await supervisor.which_children())]


async def pids(supervisor: DynamicSupervisorRef) -> list[Pid]:
    """The pids of the children that have one, in start order."""
    found = [one.pid for one in reversed(await supervisor.which_children())]
    return [pid for pid in found if pid is not None]


async def the_pid(supervisor: DynamicSupervisorRef) -> Pid:
    """The pid of the only child."""
    (pid,) = await pids(supervisor)
    return pid


async def kill_and_see(target: Pid | Ref) -> None:
    """Kill a process and see what follows, as far as no clock is involved."""
    kill(target)
    await settle()


async def ended(ref: Ref, reason: ExitReason) -> None:
    """Let a ``Worker`` end with this reason and see what follows."""
    ref.cast(End(reason))
    await settle()


class Tagged(GenServer):
    """Replies to ``Ping`` with all the arguments it was started with."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        self.arguments = (args, kwargs)

    @handles(Ping)
    def ping(self, request: Ping) -> str:
        args, kwargs = self.arguments
        return " ".join([*map(str, args), *(f"{key}={value}" for key, value in kwargs.items())])
