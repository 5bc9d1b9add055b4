"""What the tests of supervision trees are built from: a worker that writes down its life."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable, Iterable
from typing import Any

import trio
from trio.testing import wait_all_tasks_blocked

from runtime import (
    Call,
    Cast,
    ChildSpec,
    Crashed,
    ExitReason,
    GenServer,
    Killed,
    Normal,
    Pid,
    Ref,
    Shutdown,
    Stop,
    handles,
    kill,
    ref,
    start,
    trap_exits,
)
from supervisors import ChildSource, Supervisor, SupervisorRef

settle = wait_all_tasks_blocked
"""Let everything happen that can happen without the clock moving."""


class End(Cast):
    """The worker stops itself with this reason."""

    reason: Any


class Fail(Cast):
    """The worker raises this."""

    error: BaseException


class Ping(Call[str]):
    """The worker replies with its tag."""


class Worker(GenServer):
    """Logs ``init TAG`` and ``terminate TAG REASON``, as the worker of the OTP traces does.

    ``begin`` is what ``init`` does and returns; ``nap`` seconds pass in ``terminate``, which then
    raises ``last``, if given.
    """

    def __init__(
        self,
        log: list[str],
        tag: str,
        *,
        trap: bool = False,
        begin: Callable[[], Any] | None = None,
        nap: float = 0.0,
        last: BaseException | None = None,
    ) -> None:
        self.log = log
        self.tag = tag
        self.trap = trap
        self.begin = begin
        self.nap = nap
        self.last = last

    async def init(self) -> Any:
        self.log.append(f"init {self.tag}")
        if self.trap:
            trap_exits()
        result = None if self.begin is None else self.begin()
        return await result if isinstance(result, Awaitable) else result

    @handles(Ping)
    def ping(self, request: Ping) -> str:
        return self.tag

    @handles(End)
    def end(self, message: End) -> Stop:
        return Stop(message.reason)

    @handles(Fail)
    def fail(self, message: Fail) -> None:
        raise message.error

    async def terminate(self, reason: ExitReason) -> None:
        self.log.append(f"terminate {self.tag} {say(reason)}")
        if self.nap:
            await trio.sleep(self.nap)
            self.log.append(f"rested {self.tag}")
        if self.last is not None:
            raise self.last


def say(reason: ExitReason) -> str:
    """A reason as the OTP traces write it."""
    match reason:
        case Normal():
            return "normal"
        case Killed():
            return "killed"
        case Shutdown(detail=None):
            return "shutdown"
        case Shutdown():
            return f"{{shutdown,{reason.detail}}}"
        case Crashed():
            return f"error({type(reason.exception).__name__}:{reason.exception})"
        case _:
            return str(reason)


def worker(log: list[str], tag: str, **how: Any) -> ChildSpec:
    """The spec of a ``Worker`` whose id is its tag."""
    return Worker.child_spec(log, tag, **how).replace(id=tag)


def workers(log: list[str], tags: str) -> list[ChildSpec]:
    """One permanent worker for each letter."""
    return [worker(log, tag) for tag in tags]


async def start_supervisor(children: Iterable[ChildSource], **options: Any) -> SupervisorRef:
    """A supervisor in the node's root."""
    return SupervisorRef(await start(Supervisor.child_spec(children, **options)))


async def pid_of(supervisor: SupervisorRef, child_id: Hashable) -> Pid:
    """The pid of a child that is up."""
    (pid,) = [one.pid for one in await supervisor.which_children() if one.id == child_id]
    assert pid is not None, f"{child_id!r} is not up"
    return pid


async def child(supervisor: SupervisorRef, child_id: Hashable) -> Ref:
    """A handle of this incarnation of a child."""
    return ref(await pid_of(supervisor, child_id))


async def crash(supervisor: SupervisorRef, child_id: Hashable) -> None:
    """Let a worker end with the reason ``boom`` and see what follows."""
    await end(supervisor, child_id, "boom")


async def end(supervisor: SupervisorRef, child_id: Hashable, reason: ExitReason) -> None:
    """Let a worker stop itself and see what follows, as far as no clock is involved."""
    (await child(supervisor, child_id)).cast(End(reason))
    await settle()


async def kill_child(supervisor: SupervisorRef, child_id: Hashable) -> None:
    """Kill a child and see what follows."""
    kill(await pid_of(supervisor, child_id))
    await settle()


async def kids(supervisor: SupervisorRef) -> str:
    """The children and whether they are up, newest first, as the OTP traces write it."""
    return " ".join(
        f"{one.id}={'undefined' if one.pid is None else 'up'}"
        for one in await supervisor.which_children()
    )


async def counts(supervisor: SupervisorRef) -> tuple[int, int, int, int]:
    """Specs, active, supervisors, workers."""
    counted = await supervisor.count_children()
    return counted.specs, counted.active, counted.supervisors, counted.workers


def drain(log: list[str]) -> list[str]:
    """What was logged since the last look."""
    lines = list(log)
    log.clear()
    return lines


def begin_after(seconds: float) -> Callable[[], Awaitable[None]]:
    """An ``init`` that takes its time."""

    async def begin() -> None:
        await trio.sleep(seconds)

    return begin


class Flaky:
    """An ``init`` that succeeds, then fails ``failures`` times, then succeeds again."""

    def __init__(self, failures: int, error: Exception | None = None) -> None:
        self.attempts = 0
        self.failures = failures
        self.error = error or RuntimeError("no luck")

    def __call__(self) -> None:
        self.attempts += 1
        if 1 < self.attempts <= 1 + self.failures:
            raise self.error
