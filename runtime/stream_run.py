"""One run of a stream: how its items become tasks, and their ends results.

The choice: the consumer's own task pulls the items, starts the tasks and hands out the results, one
step at a time, while it waits in ``async for``. So nothing is taken from the source before the
consumer has asked and a slot is free, the source runs as the consumer's own code, there is no
helper that could be left behind, and leaving the block is all the cleaning up there is. The cost:
while the consumer is busy no new item is started, and while it waits for an item no result is
handed out. The latter is mended for Trio channels alone, whose wait may be cut short.

One step is the first of these that applies: hand out a result that is due; pull an item if a slot
is free; wait for the end of one task, which frees its slot. OTP's streams take the same steps, so
what is pulled and when is the same.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import AsyncIterable, Awaitable, Callable, Iterable
from functools import partial
from typing import Generic, TypeAlias, TypeVar

import trio
from trio.lowlevel import Abort, current_task, enable_ki_protection

from runtime._trio import sleep, wake
from runtime.current import current_process, current_table
from runtime.cycles import break_cycle
from runtime.deadlines import Deadline
from runtime.errors import TaskTimeout
from runtime.exits import ExitReason
from runtime.pid import Pid
from runtime.process import Process
from runtime.spawning import function_name
from runtime.stops import stop_processes
from runtime.stream_options import StreamOptions
from runtime.stream_source import Source
from runtime.task import Task, peek, process_of
from runtime.task_body import callers_of
from runtime.task_outcomes import Exited, Ok, Outcome, TimedOut

I = TypeVar("I")  # noqa: E741
R = TypeVar("R")

_LEFT = "the block of this stream has been left"

StartTask: TypeAlias = Callable[[Task[object]], Awaitable[object] | None]
"""Gives a task its process, in the node's root or, which is waited for, under a task supervisor."""


class _Slot(Generic[I, R]):
    """One item on its way."""

    __slots__ = ("due", "item", "outcome", "over", "result", "timed_out")

    def __init__(self, item: I) -> None:
        self.item = item
        self.due = math.inf
        self.timed_out = False
        self.over = False  # ended, or given up
        self.outcome: Outcome[R] | None = None
        self.result: Ok[R] | Exited[I] | None = None


class StreamRun(Generic[I, R]):
    """One run of a stream: the iterator of its results."""

    def __init__(
        self,
        items: Iterable[I] | AsyncIterable[I],
        fn: Callable[[I], Awaitable[R]],
        start: StartTask,
        options: StreamOptions,
        owner: Process | None,
    ) -> None:
        self._source = Source(items)
        self._fn = fn
        self._label = function_name(fn)
        self._start = start
        self._options = options
        self._callers = callers_of(owner)
        self._table = current_table()
        self._free = options.max_concurrency
        self._held: list[_Slot[I, R]] = []  # pulled, but its start was cancelled
        self._running: dict[_Slot[I, R], Task[R]] = {}  # until the consumer has seen the end
        self._ends: deque[_Slot[I, R]] = deque()  # ended, and the consumer has not seen it
        self._queue: deque[_Slot[I, R]] = deque()  # to be handed out: in order of start, or of end
        self.task: trio.lowlevel.Task | None = None  # the consumer, while it waits for an end
        self.leads_to: Process | None = None  # what the next result needs then; see ``cycles``
        self._wait_for_item: trio.CancelScope | None = None  # that an end may cut short
        self._timer: Deadline | None = None
        self._busy = False
        self._finished = False
        self._closed = False
        self._home = current_task()
        self._guest = trio.CancelScope()  # a step in another task
        self._guest_left: trio.Event | None = None
        self._linked_to = owner if options.linked else None
        if self._linked_to is not None:
            self._linked_to.claim(self)

    def __aiter__(self) -> StreamRun[I, R]:
        return self

    async def __anext__(self) -> Ok[R] | Exited[I]:
        """The next result. Cancelling loses no item and no result: the next call goes on."""
        if self._closed:
            raise trio.ClosedResourceError(_LEFT)
        if self._busy:
            raise trio.BusyResourceError("another task is waiting for a result of this stream")
        self._busy = True
        try:
            await trio.lowlevel.checkpoint_if_cancelled()
            return await (self._step() if current_task() is self._home else self._step_of_guest())
        finally:
            self._busy = False

    async def _step_of_guest(self) -> Ok[R] | Exited[I]:
        """One in another task than the one that leaves the block, and cuts it short by that."""
        self._guest_left = trio.Event()
        try:
            with trio.CancelScope() as self._guest:
                return await self._step()
        finally:
            self._guest_left.set()
        raise trio.ClosedResourceError(_LEFT)

    async def _step(self) -> Ok[R] | Exited[I]:
        slept = False
        while True:
            result = self._queue[0].result if self._queue else None
            if result is not None:
                if slept or self._goes_on():  # what has woken the consumer may be its own end
                    await trio.lowlevel.checkpoint_if_cancelled()
                else:
                    await trio.lowlevel.checkpoint()
                self._queue.popleft()
                return result
            more = bool(self._held) or not self._source.exhausted
            if self._finished or not (more or self._running):
                await trio.lowlevel.checkpoint()
                raise StopAsyncIteration
            if self._free and more and not (self._ends and self._source.may_interrupt):
                await self._pull()
            elif self._ends:
                self._one_end()
            else:
                await self._sleep()
                slept = True

    def _goes_on(self) -> bool:
        """Whether a result that is there may be taken without letting others run; see ``Turn``."""
        turn = self._table.turn
        return turn is not None and not turn.is_over(current_task())

    async def _pull(self) -> None:
        """Take one item and start its task; an item whose start is cancelled is kept."""
        if not self._held:
            found = self._source.pull_at_once()
            if found is None:
                found = await self._next_item()
            self._held = [_Slot(item) for item in found]
        for slot in self._held:
            end = partial(self._ended, slot)
            task = Task(
                partial(self._fn, slot.item), None, callers=self._callers, on_end=end,
                label=self._label,
            )  # fmt: skip
            starting = self._start(task)
            if starting is not None:
                await starting
            self._free -= 1
            self._running[slot] = task
            if self._options.ordered:
                self._queue.append(slot)
            if self._options.timeout != math.inf:
                slot.due = trio.current_time() + self._options.timeout
                if self._timer is None:
                    self._timer = self._table.deadlines.schedule(slot.due, self._check_time)
        self._held = []

    async def _next_item(self) -> list[I]:
        if not self._source.may_interrupt:
            return await self._source.pull()
        with trio.CancelScope() as self._wait_for_item:
            return await self._source.pull()
        return []  # a task has ended meanwhile, which comes first

    def _check_time(self) -> None:
        """The one timer of the run: tasks that started first are due first."""
        self._timer, now = None, trio.current_time()
        for slot, task in self._running.items():
            if slot.outcome is None and not slot.timed_out:
                if slot.due > now:
                    self._timer = self._table.deadlines.schedule(slot.due, self._check_time)
                    return
                self._time_out(slot, task)

    def _time_out(self, slot: _Slot[I, R], task: Task[R]) -> None:
        """A task has taken too long."""
        slot.timed_out = True
        if self._options.on_timeout == "exit":
            self._tell(slot)
        else:
            _kill(task)

    def _ended(self, slot: _Slot[I, R], task: Task[R]) -> None:
        """A task has ended; called from its last step."""
        slot.outcome = peek(task)
        if self._closed:
            return
        if not slot.timed_out and isinstance(slot.outcome, Exited):
            self._feel(task, slot.outcome.reason)  # first, so that no result hides it
        self._tell(slot)

    def _feel(self, task: Task[R], reason: ExitReason) -> None:
        """The crash of a linked task ends the consumer; one that traps exits gets the result."""
        if self._linked_to is not None and self._linked_to.trap == "no":
            self._linked_to.signal(task.pid, reason)

    def _tell(self, slot: _Slot[I, R]) -> None:
        slot.over = True
        self._ends.append(slot)
        if self.task is not None:
            consumer, self.task = self.task, None
            wake(consumer)
        elif self._wait_for_item is not None:
            self._wait_for_item.cancel()

    @enable_ki_protection
    def _one_end(self) -> None:
        """Take note of the end of one task, which frees its slot."""
        slot = self._first_end()
        if slot.timed_out and self._options.on_timeout == "exit":
            self._finished = True
            raise TaskTimeout(self._running[slot], self._options.timeout)
        self._free += 1
        del self._running[slot]
        slot.result = self._result(slot)
        if not self._options.ordered:
            self._queue.append(slot)

    @enable_ki_protection
    async def _sleep(self) -> None:
        """Wait for the end of one task."""
        self.task, me = current_task(), current_process()
        if me is None or me.task is not self.task:
            await sleep(self._abort)
            return
        self.leads_to, me.waiting_for = self._awaited(), self
        break_cycle(me)
        try:
            await sleep(self._abort)
        finally:
            me.waiting_for = None

    def _awaited(self) -> Process | None:
        """The one process that must end before there is a result, if it is just one."""
        if self._queue:
            return process_of(self._running[self._queue[0]])
        return process_of(*self._running.values()) if len(self._running) == 1 else None

    def refuse_cycle(self, cycle: tuple[Pid, ...]) -> bool:
        """A wait for an end cannot be refused; a call on the way round can."""
        return False

    def _first_end(self) -> _Slot[I, R]:
        """What the next result waits for, if that has ended; else what has ended first."""
        if self._queue and self._queue[0].over:
            self._ends.remove(self._queue[0])
            return self._queue[0]
        return self._ends.popleft()

    def _abort(self, _raise_cancel: object) -> Abort:
        self.task = None
        return Abort.SUCCEEDED

    def _result(self, slot: _Slot[I, R]) -> Ok[R] | Exited[I]:
        item = slot.item if self._options.zip_input_on_exit else None
        if slot.timed_out:
            return Exited(TimedOut(self._options.timeout), item)
        if isinstance(slot.outcome, Ok):
            return slot.outcome
        assert slot.outcome is not None
        return Exited(slot.outcome.reason, item)

    def owner_ended(self, process: Process) -> None:
        """The process that the tasks are linked to has ended without leaving the block."""
        for task in self._running.values():
            _kill(task)

    async def close(self) -> None:
        """Kill the tasks that still run and wait for them, whatever is cancelled."""
        self._closed = True
        if self._timer is not None:
            self._table.deadlines.cancel(self._timer)
        if self._linked_to is not None:
            self._linked_to.drop_claim(self)
        with trio.CancelScope(shield=True):
            if self._guest_left is not None:
                self._guest.cancel()
                await self._guest_left.wait()
            running = map(process_of, self._running.values())
            await stop_processes(
                [(process, "brutal_kill") for process in running if process is not None],
                self._table.owner,
            )
        for kept in (self._held, self._running, self._ends, self._queue):
            kept.clear()
        await self._source.close()


def _kill(task: Task[object]) -> None:
    process = process_of(task)
    if process is not None:
        process.given_up = True  # that is what the stream was told to do, and no news
        process.kill()
