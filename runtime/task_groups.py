"""Waiting for several tasks: all, some, or the first that succeeds. OTP: ``Task.await_many`` ..."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Literal, TypeAlias, TypeVar, cast, get_args

import trio
from trio.lowlevel import Abort, current_task, enable_ki_protection

from runtime._trio import sleep, wake
from runtime.child_spec import ShutdownBudget, check_shutdown
from runtime.current import current_process
from runtime.cycles import break_cycle
from runtime.errors import TaskTimeout
from runtime.exits import SHUTDOWN, ExitReason
from runtime.outcomes import check_seconds
from runtime.pid import Pid
from runtime.process import Process
from runtime.spawning import DEFAULT_SHUTDOWN
from runtime.stops import stop_processes
from runtime.task import (
    DEFAULT_TIMEOUT,
    Attention,
    Task,
    mute,
    outcome_of,
    peek,
    process_of,
    task_failure,
)
from runtime.task_outcomes import Exited, Ok, Outcome

T = TypeVar("T")

AfterTimeout: TypeAlias = Literal["nothing", "ignore", "kill_task"]
"""What ``wait_many`` does about tasks that still run: leave them be, let go of them, end them."""


async def wait_many(
    tasks: Iterable[Task[T]],
    *,
    timeout: float = DEFAULT_TIMEOUT,
    limit: int | None = None,
    on_timeout: AfterTimeout = "nothing",
) -> list[Outcome[T] | None]:
    """Wait until all have ended, at most ``timeout`` seconds in all. OTP: ``Task.yield_many``.

    The outcomes in the order of the tasks, ``None`` for one that still runs. With ``limit`` it
    returns as soon as so many have ended. ``on_timeout`` says what becomes of the others when the
    time is over: ``"nothing"``, ``"ignore"`` as ``Task.ignore``, ``"kill_task"`` as
    ``Task.shutdown("brutal_kill")``. Cancelling gives up the wait.
    """
    members = _check_tasks(tasks)
    needed = _check_limit(limit, len(members))
    check_seconds("timeout", timeout)
    if on_timeout not in get_args(AfterTimeout):
        allowed = ", ".join(map(repr, get_args(AfterTimeout)))
        raise ValueError(f"on_timeout: got {on_timeout!r}, allowed are {allowed}")
    with Attention(*members):
        in_time = (await _wait_for(members, needed, _never, timeout)).done
        outcomes = [peek(task) for task in members]
        late = [task for task, end in zip(members, outcomes, strict=True) if end is None]
        if not in_time and on_timeout == "ignore":
            _let_go(late)
        elif not in_time and on_timeout == "kill_task":
            await _shut_down(late, "brutal_kill")
        for task in members:  # last: who is cancelled before has not been told
            outcome_of(task)
    return outcomes


async def result_many(tasks: Iterable[Task[T]], *, timeout: float = DEFAULT_TIMEOUT) -> list[T]:
    """The values of all, in the order of the tasks. OTP: ``Task.await_many``.

    A task that ends without a value raises its ``TaskExit`` at once, of several that have the first
    in the list, and ``TaskTimeout`` comes after ``timeout`` seconds in all. The other tasks go on,
    and their owner, if that is who asks, hears nothing of them any more. Cancelling gives up the
    wait.
    """
    members = _check_tasks(tasks)
    check_seconds("timeout", timeout)
    with Attention(*members):
        in_time = (await _wait_for(members, len(members), _is_failure, timeout)).done
        outcomes = [(task, outcome_of(task)) for task in members]
        failed = next(((task, end) for task, end in outcomes if isinstance(end, Exited)), None)
        if failed is not None or not in_time:
            for task in members:
                mute(task)
    if failed is not None:
        raise task_failure(*failed)
    if not in_time:
        raise TaskTimeout(next(task for task, end in outcomes if end is None), timeout)
    return [end.value for _, end in outcomes if isinstance(end, Ok)]


async def race(
    tasks: Iterable[Task[T]],
    *,
    timeout: float = DEFAULT_TIMEOUT,
    shutdown: ShutdownBudget = DEFAULT_SHUTDOWN,
) -> T:
    """The value of the first task that succeeds; the others are then shut down.

    A failure only means that the others go on, so the tasks should not be linked to the caller:
    ``start_nolink``. When none succeeds, an ``ExceptionGroup`` of all their ``TaskExit`` is raised;
    after ``timeout`` seconds ``TaskTimeout``. It returns when all have ended, the losers each
    within ``shutdown`` seconds. Cancelling gives up the wait; the tasks are told to end. Whatever
    comes of it, their owner, if that is who calls, gets no message about them.
    """
    members = list(dict.fromkeys(_check_tasks(tasks)))
    if not members:
        raise ValueError("tasks: got none, a race needs one at least")
    check_seconds("timeout", timeout)
    check_shutdown("shutdown", shutdown)
    with Attention(*members):
        try:
            group = await _wait_for(members, len(members), _is_success, timeout)
        except trio.Cancelled:
            _let_go(members)
            for process in _running(members):
                process.signal(_me(process), SHUTDOWN)
            raise
        ends = [(task, peek(task)) for task in members]
        await _shut_down(members, shutdown)
    if isinstance(group.telling, Ok):
        return cast("Ok[T]", group.telling).value
    if not group.done:
        raise TaskTimeout(members[0], timeout)
    failures = [task_failure(task, end) for task, end in ends if isinstance(end, Exited)]
    raise ExceptionGroup(f"none of {len(members)} tasks succeeded", failures)


def _never(_outcome: Outcome[object]) -> bool:
    return False


def _is_failure(outcome: Outcome[object]) -> bool:
    return isinstance(outcome, Exited)


def _is_success(outcome: Outcome[object]) -> bool:
    return isinstance(outcome, Ok)


class _Group:
    """Wakes its waiter when enough tasks have ended, or one of them in a telling way.

    Also an edge of call cycles, while all that run must end: it leads to the first of them, then to
    the next. So a call back to the waiter is refused when those before its task have ended.
    """

    def __init__(self, needed: int, tells: Callable[[Outcome[object]], bool]) -> None:
        self._needed = needed
        self._tells = tells
        self._me: Process | None = None  # whose own task waits, for all of them
        self._order: Iterator[Process] = iter(())
        self.watched: dict[Process, _Member] = {}
        self.task: trio.lowlevel.Task | None = None
        self.leads_to: Process | None = None
        self.telling: Outcome[object] | None = None

    @property
    def done(self) -> bool:
        """Whether there is nothing to wait for any more."""
        return self._needed <= 0 or self.telling is not None

    def refuse_cycle(self, cycle: tuple[Pid, ...]) -> bool:
        """A wait for an end cannot be refused; a call on the way round can."""
        return False

    def ended(self, outcome: Outcome[object], process: Process | None = None) -> None:
        """A task has ended."""
        self._needed -= 1
        if self.telling is None and self._tells(outcome):
            self.telling = outcome
        if process is not None:
            del self.watched[process]
        if self.task is None:
            return
        if self.done:
            waiter, self.task = self.task, None
            wake(waiter)
        elif self._me is not None and self.leads_to is process:
            self._lead_on(self._me)

    async def wait(self) -> None:
        """Until it is done."""
        self.task = current_task()
        me, all_needed = current_process(), self._needed >= len(self.watched)
        if me is not None and me.task is self.task and all_needed:
            self._me, me.waiting_for = me, self
            self._order = iter(tuple(self.watched))
            self._lead_on(me)
        try:
            await sleep(self._abort)
        finally:
            if self._me is not None:
                self._me.waiting_for = None

    def _lead_on(self, me: Process) -> None:
        while self.leads_to not in self.watched:
            self.leads_to = next(self._order)
        break_cycle(me)

    def _abort(self, _raise_cancel: object) -> Abort:
        self.task = None
        return Abort.SUCCEEDED


class _Member:
    """Tells a group of the end of one task, after the task itself has heard of it."""

    only_end = True

    def __init__(self, group: _Group, task: Task[object], process: Process) -> None:
        self._group = group
        self._task = task
        self._process = process

    def wake(self, reason: ExitReason) -> None:
        """Its process has ended."""
        outcome = peek(self._task)
        assert outcome is not None
        self._group.ended(outcome, self._process)


@enable_ki_protection
async def _wait_for(
    tasks: list[Task[T]],
    needed: int,
    tells: Callable[[Outcome[object]], bool],
    timeout: float,
) -> _Group:
    """Wait until ``needed`` have ended, or one in a way that ``tells``, or the time is over."""
    if timeout == 0:  # others run before the ends are counted, not after
        await trio.lowlevel.checkpoint()
    else:
        await trio.lowlevel.checkpoint_if_cancelled()
    distinct = dict.fromkeys(tasks)
    group = _Group(min(needed, len(distinct)), tells)
    for task in distinct:
        outcome, process = peek(task), process_of(task)
        if process is not None:
            group.watched[process] = _Member(group, task, process)
        else:
            assert outcome is not None
            group.ended(outcome)
    try:
        if group.done:
            await trio.lowlevel.cancel_shielded_checkpoint()
        elif timeout > 0:
            for process, member in group.watched.items():
                process.check_thread()
                process.watches[member] = None
            with trio.move_on_after(timeout):
                await group.wait()
    finally:  # also of those that were never watched: each leads back to the group
        while group.watched:
            process, member = group.watched.popitem()
            process.watches.pop(member, None)
    return group


def _running(tasks: list[Task[T]]) -> list[Process]:
    """The processes of those that have not ended."""
    processes = (process_of(task) for task in dict.fromkeys(tasks))
    return [process for process in processes if process is not None]


async def _shut_down(tasks: list[Task[T]], budget: ShutdownBudget) -> None:
    """End those that still run, all at once, and let go of them."""
    running = _running(tasks)
    _let_go(tasks)
    if running:
        await stop_processes([(process, budget) for process in running], _me(running[0]))


def _let_go(tasks: list[Task[T]]) -> None:
    """Their owner, if that is who asks, does not feel their end and gets no message."""
    for task in tasks:
        task.ignore()


def _me(process: Process) -> Pid:
    """Who ends a task: the caller, or the node for a plain Trio task."""
    me = current_process()
    return process.table.owner if me is None else me.pid


def _check_tasks(tasks: Iterable[Task[T]]) -> list[Task[T]]:
    if not isinstance(tasks, Iterable):
        raise TypeError(f"tasks: got {tasks!r}, allowed is a list of tasks")
    members = list(tasks)
    for task in members:
        if not isinstance(task, Task):
            raise TypeError(f"tasks: got {task!r}, allowed are tasks")
    return members


def _check_limit(limit: int | None, count: int) -> int:
    if limit is None:
        return count
    if isinstance(limit, bool) or not isinstance(limit, int):
        raise TypeError(f"limit: got {limit!r}, allowed are an int of 1 or more and None")
    if limit < 1:
        raise ValueError(f"limit: got {limit}, allowed are an int of 1 or more and None")
    return limit
