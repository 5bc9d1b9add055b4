"""What the rows of DYN share: the reason in a ``Down``, and children that start only once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import trio

from runtime import Down, ExitReason, Normal, Pid, Ref, Shutdown, StartFailed, monitor, receive
from supervisors import Backoff, DynamicSupervisorRef, GaveUp
from tests.supervisors.dynamic_parts import rows, the_pid
from tests.supervisors.tree_parts import worker
from tests.support import in_process

CLEAN: list[ExitReason] = [Normal(), Shutdown(), Shutdown("x")]
"""The reasons after which a transient child is done."""

EACH_SECOND = Backoff(initial=1.0, factor=1.0, jitter=0.0)
"""What is restarted waits for a second before each attempt, so that it can be looked at."""


async def down_reason(target: Pid | Ref, act: Callable[[], Awaitable[object]]) -> ExitReason:
    """The reason a monitor is told when ``act`` has made ``target`` end."""

    async def watch() -> ExitReason:
        watched = monitor(target)
        await act()
        down = await receive(Down)
        assert down.ref == watched
        return down.reason

    return await in_process(watch)


def once(then: object) -> Callable[[], object]:
    """An ``init`` that succeeds the first time and returns, or raises, ``then`` each time after."""
    begun: list[object] = []

    def begin() -> object:
        begun.append(None)
        if len(begun) == 1:
            return None
        if isinstance(then, BaseException):
            raise then
        return then

    return begin


async def with_info(*, task_status: trio.TaskStatus[str]) -> None:
    """A start that says more than that it is up."""
    task_status.started("info")
    await trio.sleep_forever()


async def failed_start(supervisor: DynamicSupervisorRef, begin: Callable[[], object]) -> ExitReason:
    """The reason a start is refused with because of what ``init`` did; nothing is stored."""
    try:
        await supervisor.start_child(worker([], "a", begin=begin))
    except StartFailed as exc:
        assert await supervisor.which_children() == []
        return exc.reason
    raise AssertionError("the child has started")


async def replaced(supervisor: DynamicSupervisorRef, first: Ref) -> None:
    """Its only child runs, and is another process than ``first`` was."""
    assert await rows(supervisor) == [("a", "running")]
    assert await the_pid(supervisor) is not first.pid


def lines_of_giving_up(reason: ExitReason) -> int:
    """How many restarts were asked for until the supervisor ended with ``Shutdown``."""
    assert isinstance(reason, Shutdown)
    assert isinstance(reason.detail, GaveUp)
    return len(reason.detail.history)
