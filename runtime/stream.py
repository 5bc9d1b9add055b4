"""Streams: a function over many items, so many at a time, as an iterator. OTP: ``async_stream``."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import TYPE_CHECKING, Generic, NoReturn, TypeVar, Unpack

from runtime.containment import short_repr
from runtime.current import current_process, require_process
from runtime.stream_options import StreamKeywords, StreamOptions, stream_options
from runtime.stream_run import StartTask, StreamRun
from runtime.task import Task, spawn_task
from runtime.task_body import task_call
from runtime.task_outcomes import Exited, Ok

I = TypeVar("I")  # noqa: E741
R = TypeVar("R")
I_co = TypeVar("I_co", covariant=True)
R_co = TypeVar("R_co", covariant=True)

_USE = "async with stream as results: async for result in results: ..."


class Stream(
    AbstractAsyncContextManager["AsyncIterator[Ok[R_co] | Exited[I_co]]"], Generic[I_co, R_co]
):
    """A stream that has not begun: ``async with stream as results: async for result in results``.

    Nothing is pulled or started before the first ``async for`` step. Entering it anew runs it anew.
    """

    def __init__(
        self,
        items: Iterable[I_co] | AsyncIterable[I_co],
        fn: Callable[[I_co], Awaitable[R_co]],
        start: StartTask,
        options: StreamOptions,
    ) -> None:
        if not isinstance(items, Iterable | AsyncIterable):
            raise TypeError(
                f"items: got {short_repr(items)}, allowed is an iterable or an async iterable"
            )
        if isinstance(items, Stream):
            raise TypeError(f"items: got a stream, allowed are its results: {_USE}")
        task_call(fn, (items,), {})  # only to check that it takes one item
        self._items = items
        self._fn = fn
        self._start = start
        self._options = options
        self._run: StreamRun[I_co, R_co] | None = None

    async def __aenter__(self) -> AsyncIterator[Ok[R_co] | Exited[I_co]]:
        """Begin. Linked to the process it is in, unless it is a nolink stream."""
        if self._run is not None:
            raise RuntimeError("the stream is in use: make another one, or leave its block first")
        owner = current_process()
        if self._options.linked:
            owner = require_process("a linked stream")
        self._run = StreamRun(self._items, self._fn, self._start, self._options, owner)
        return self._run

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        _exc: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        """Kill the tasks that still run, wait until they are gone, and close the source."""
        run, self._run = self._run, None
        assert run is not None
        await run.close()

    if TYPE_CHECKING:
        ...
    else:

        def __aiter__(self) -> NoReturn:
            raise TypeError(f"a stream is used with a block that cleans up after it: {_USE}")


def _start_in_root(task: Task[object]) -> None:
    spawn_task(task)


def async_stream(
    items: Iterable[I] | AsyncIterable[I],
    fn: Callable[[I], Awaitable[R]],
    **options: Unpack[StreamKeywords],
) -> Stream[I, R]:
    """Run ``fn`` on every item, so many at a time, each as a task. OTP: ``Task.async_stream``.

    Used as ``async with async_stream(...) as results: async for result in results``. A result is
    ``Ok(value)`` or ``Exited(reason)``.

    - ``max_concurrency``: how many tasks at once; by default the number of cores. An item is pulled
      only when the consumer has asked and a slot is free.
    - ``ordered=True``: results in the order of the items, those that wait for a slow one before
      them kept without bound; ``False``: as they come.
    - ``timeout=5.0``: seconds for each task, from its start; ``math.inf`` for no limit.
    - ``on_timeout``: ``"exit"`` raises ``TaskTimeout`` and ends the stream; ``"kill_task"`` kills
      the task, whose result is ``Exited(TimedOut(seconds))``.
    - ``zip_input_on_exit=False``: whether an ``Exited`` has its item as ``input``.

    ``items`` is any iterable, or an async one. While the consumer waits for an item of an async
    one no result is handed out, but for a Trio channel: with that, whatever comes first. A step
    that is cancelled, by ``move_on_after`` for example, loses no item and no result, and the next
    one goes on; but an async generator ends when it is cancelled, so that the next step raises
    ``RuntimeError``. ``trio.as_safe_channel`` makes a channel of one. A source that raises is over:
    the error is raised in the consumer, and who goes on all the same gets what is on its way.

    The tasks are linked to the process that enters the block: a crash of one ends it, unless it
    traps exits. Leaving the block, by whatever way, kills the tasks that still run, waits until
    they are gone, and closes the source if that is a generator. One task at a time takes a step
    (``trio.BusyResourceError``), and none after the block (``trio.ClosedResourceError``). A plain
    function is wrapped: ``to_thread(fn)``, ``to_process(fn)``; a killed one in a thread is waited
    for.
    """
    return Stream(items, fn, _start_in_root, stream_options(linked=True, given=options))


def async_stream_nolink(
    items: Iterable[I] | AsyncIterable[I],
    fn: Callable[[I], Awaitable[R]],
    **options: Unpack[StreamKeywords],
) -> Stream[I, R]:
    """``async_stream`` whose tasks never end the consumer; works in any task of the node."""
    return Stream(items, fn, _start_in_root, stream_options(linked=False, given=options))
