"""The body of a task: what it runs, what that returned, and who asked for it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final, TypeVar

from runtime.current import current_process
from runtime.exits import NORMAL, ExitReason
from runtime.life_scope import LifeScope
from runtime.pid import Pid
from runtime.process import Process
from runtime.spawning import (
    MAX_ANCESTORS,
    FunctionBody,
    check_arguments,
    check_async_function,
    function_name,
)

T = TypeVar("T")

NOTHING: Final = object()


class TaskBody(FunctionBody):
    """The body of a task: keeps what the function returned, and who asked for it.

    Also what its process tells of its end, which it hands on.
    """

    __slots__ = ("callers", "ended", "value")

    only_end = True

    def __init__(
        self,
        call: Callable[[], Awaitable[object]],
        callers: tuple[Pid, ...],
        ended: Callable[[ExitReason], None],
    ) -> None:
        self._call = call
        self.callers = callers
        self.value: object = NOTHING
        self.ended = ended

    def wake(self, reason: ExitReason) -> None:
        """Its process has ended."""
        self.ended(reason)

    async def live(self, process: Process) -> ExitReason:
        """Run the function where exit signals can cancel it."""
        with LifeScope(process) as life:
            life.open()
            process.mark_started()
            self.value = await self._run(self._call)
        return NORMAL


def callers_of(process: Process | None) -> tuple[Pid, ...]:
    """A process and the callers of it."""
    if process is None:
        return ()
    above = process.body.callers if isinstance(process.body, TaskBody) else ()
    return (process.pid, *above)[:MAX_ANCESTORS]


def callers() -> tuple[Pid, ...]:
    """Who asked for the task this code runs in, then who asked for that one's.

    Empty in what is no task. OTP: ``$callers``; the supervisors above are the ``ancestors`` of
    ``process_info``.
    """
    process = current_process()
    body = None if process is None else process.body
    return body.callers if isinstance(body, TaskBody) else ()


def task_call(
    fn: Callable[..., Awaitable[T]], args: tuple[object, ...], kwargs: dict[str, object]
) -> Callable[[], Awaitable[T]]:
    """A function and its arguments, both checked. Nobody gives a task a ``task_status``."""
    check_async_function("fn", fn)
    check_arguments(function_name(fn), fn, args, kwargs, task_status=False)
    return partial(fn, *args, **kwargs)
