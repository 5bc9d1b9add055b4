"""The handle of a task supervisor: starting tasks and streams of tasks under it."""

from __future__ import annotations

import math
from collections.abc import AsyncIterable, Awaitable, Callable, Iterable
from functools import partial
from typing import ParamSpec, TypeVar, Unpack, overload

from runtime import ChildSpec, Pid, Ref, ShutdownBudget, Stream, Task
from runtime.child_spec import check_shutdown, task_spec
from runtime.current import current_process, require_process
from runtime.process import Process
from runtime.spawning import DEFAULT_SHUTDOWN
from runtime.stream_options import StreamKeywords, StreamOptions, stream_options
from runtime.task_body import task_call
from supervisors.children_ref import ChildrenRef
from supervisors.dynamic_supervisor_ref import spec_maker
from supervisors.requests import StartTask

P = ParamSpec("P")
T = TypeVar("T")
I = TypeVar("I")  # noqa: E741
R = TypeVar("R")


class TaskSupervisorRef(ChildrenRef):
    """A handle of a task supervisor: ``TaskSupervisorRef("tasks")``.

    ``shutdown`` is the budget of the tasks started through this handle, when they are told to end:
    seconds, ``math.inf`` or ``"brutal_kill"``. Starting raises ``MaxChildren`` at the limit and
    ``CallExit`` if the supervisor is not there.
    """

    __slots__ = ("_shutdown",)

    def __init__(
        self, target: str | Pid | Ref, *, shutdown: ShutdownBudget = DEFAULT_SHUTDOWN
    ) -> None:
        super().__init__(target)
        check_shutdown("shutdown", shutdown)
        self._shutdown: ShutdownBudget = shutdown

    async def start(
        self, fn: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> Task[T]:
        """Start a task linked to the calling process. OTP: ``Task.Supervisor.async``.

        A crash of the task ends the caller too, unless that traps exits, and the other way round.
        Only in a process. Cancelling starts nothing.
        """
        owner = require_process("TaskSupervisorRef.start, unlike start_nolink,")
        task = Task(task_call(fn, args, kwargs), owner)
        await self._start_task(task, self._spec(fn), owner)
        return task

    async def start_nolink(
        self, fn: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> Task[T]:
        """Start a task linked to nobody, from any task. OTP: ``Task.Supervisor.async_nolink``.

        The process that started it, if it is one, gets a ``TaskDone`` or a ``Down`` unless it asks
        first. Cancelling starts nothing.
        """
        task = Task(task_call(fn, args, kwargs), current_process())
        await self._start_task(task, self._spec(fn), None)
        return task

    @overload
    async def start_child(self, child: ChildSpec) -> Ref: ...
    @overload
    async def start_child(
        self, child: Callable[P, Awaitable[object]], *args: P.args, **kwargs: P.kwargs
    ) -> Ref: ...

    async def start_child(
        self, child: ChildSpec | Callable[..., Awaitable[object]], *args: object, **kwargs: object
    ) -> Ref:
        """Start a task that nobody waits for. OTP: ``Task.Supervisor.start_child``.

        A function is never restarted; for another restart type give a spec:
        ``Task.child_spec(fn, 1).replace(restart="transient")``.
        """
        if not isinstance(child, ChildSpec):
            child, args, kwargs = self._child(child, args, kwargs), (), {}
        return await self._start_child(spec_maker(child, args, kwargs))

    def _child(
        self,
        fn: Callable[..., Awaitable[object]],
        args: tuple[object, ...],
        kwargs: dict[str, object],
    ) -> ChildSpec:
        return Task.child_spec(fn, *args, **kwargs).replace(shutdown=self._shutdown)

    def async_stream(
        self,
        items: Iterable[I] | AsyncIterable[I],
        fn: Callable[[I], Awaitable[R]],
        **options: Unpack[StreamKeywords],
    ) -> Stream[I, R]:
        """``runtime.async_stream`` with its tasks under this supervisor.

        A ``max_children`` below ``max_concurrency`` raises ``MaxChildren`` in the consumer.
        """
        return self._stream(items, fn, stream_options(linked=True, given=options))

    def async_stream_nolink(
        self,
        items: Iterable[I] | AsyncIterable[I],
        fn: Callable[[I], Awaitable[R]],
        **options: Unpack[StreamKeywords],
    ) -> Stream[I, R]:
        """``async_stream`` whose tasks never end the consumer; works in any task of the node."""
        return self._stream(items, fn, stream_options(linked=False, given=options))

    def _stream(
        self,
        items: Iterable[I] | AsyncIterable[I],
        fn: Callable[[I], Awaitable[R]],
        options: StreamOptions,
    ) -> Stream[I, R]:
        start = partial(self._start_task, spec=self._spec(fn), link_to=None)
        return Stream(items, fn, start, options)

    async def children(self) -> list[Pid]:
        """The pids of the tasks that run. OTP: ``Task.Supervisor.children``."""
        return [child.pid for child in await self.which_children() if child.pid is not None]

    async def _start_task(
        self, task: Task[object], spec: ChildSpec, link_to: Process | None
    ) -> None:
        await self.call(StartTask(task, spec, link_to), timeout=math.inf)

    def _spec(self, fn: Callable[..., Awaitable[object]]) -> ChildSpec:
        """What the supervisor keeps of a task; it is never started again, so without arguments."""
        return task_spec(fn, self._shutdown)
