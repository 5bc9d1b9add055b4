"""Task: one function run as a process, and a handle on how it ends. OTP: ``Task``.

The handle keeps the outcome, so it can be asked for by anybody in the node, again and again, and a
late one has nowhere to go wrong. The *owner*, the process that started the task, is also told by
one message, as an Elixir GenServer would be, unless it asks first: ``TaskDone`` for a value,
``Down`` for any other end. Asking takes an unread message back out of the mailbox.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Generic, ParamSpec, TypeVar, cast

import trio

from runtime.child_spec import ChildSpec, ShutdownBudget, check_shutdown, child_spec
from runtime.current import current_process, current_table, require_process
from runtime.errors import TaskExit, TaskTimeout
from runtime.exits import KILLED, NO_PROCESS, SHUTDOWN, Crashed, ExitReason, Normal
from runtime.messages import Down, MonitorRef, SystemInfo
from runtime.outcomes import check_seconds
from runtime.pid import Pid
from runtime.process import Process
from runtime.spawning import (
    DEFAULT_SHUTDOWN,
    function_name,
    spawn_process,
)
from runtime.stops import stop_process
from runtime.task_body import NOTHING, TaskBody, callers_of, task_call
from runtime.task_outcomes import Exited, Ok, Outcome
from runtime.waiting import wait_ended

P = ParamSpec("P")
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

DEFAULT_TIMEOUT = 5.0


class Task(Generic[T_co]):
    """A function that runs as a process of its own, and how it ended.

    ``pid`` is its process, ``None`` for ``completed``; ``ref`` is the ``ref`` of the ``Down`` that
    its owner gets if it fails.
    """

    __slots__ = (
        "__weakref__",
        "_asked",
        "_body",
        "_label",
        "_mailed",
        "_muted",
        "_on_end",
        "_outcome",
        "_owner",
        "_process",
        "_shut_down",
        "pid",
        "ref",
    )

    def __init__(
        self,
        call: Callable[[], Awaitable[T_co]],
        owner: Process | None,
        *,
        callers: tuple[Pid, ...] | None = None,
        on_end: Callable[[Task[T_co]], None] | None = None,
        label: str | None = None,
    ) -> None:
        self.pid: Pid | None = None
        self.ref = MonitorRef()
        self._label = function_name(call) if label is None else label
        self._body: TaskBody | None = TaskBody(
            call, callers_of(owner) if callers is None else callers, self._ended
        )
        self._owner = owner
        self._on_end = on_end
        self._process: Process | None = None
        self._outcome: Outcome[T_co] | None = None
        self._asked = 0  # how many of the owner's tasks wait for it
        self._mailed = False  # its owner has a message about it that nobody has taken
        self._muted = False  # the owner does not want one
        self._shut_down = False  # on request: there is no outcome to tell

    def __repr__(self) -> str:
        if self.pid is None:
            return "<Task completed>"
        return f"<Task {self.pid.number} {self._label}>"

    # -- starting ---------------------------------------------------------------------------

    @staticmethod
    async def start(fn: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> Task[T]:
        """Run ``fn`` as a process linked to the calling one. OTP: ``Task.async``.

        A crash of the task ends the caller too, unless that traps exits, and the other way round.
        Only in a process. Without a supervisor it lives in the node's root; with one use
        ``TaskSupervisorRef.start``.
        """
        owner = require_process("Task.start, unlike start_nolink,")
        task = Task(task_call(fn, args, kwargs), owner)
        await trio.lowlevel.checkpoint()
        spawn_task(task, link_to=owner)
        return task

    @staticmethod
    async def start_nolink(
        fn: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> Task[T]:
        """Run ``fn`` as a process linked to nobody, from any task of the node.

        It ends with the node at the latest.
        """
        task = Task(task_call(fn, args, kwargs), current_process())
        await trio.lowlevel.checkpoint()
        spawn_task(task)
        return task

    @staticmethod
    def child_spec(
        fn: Callable[P, Awaitable[object]], *args: P.args, **kwargs: P.kwargs
    ) -> ChildSpec:
        """A spec of ``fn`` as a task in a list of children: ``temporary``, so never restarted."""
        return child_spec(fn, *args, **kwargs).replace(restart="temporary")

    @staticmethod
    def completed(value: T) -> Task[T]:
        """A task that has its value already and never ran. OTP: ``Task.completed``."""
        task: Task[T] = Task(cast("Callable[[], Awaitable[T]]", _no_call), None)
        task._body = None
        task._outcome = Ok(value)
        return task

    # -- its end ----------------------------------------------------------------------------

    def _ended(self, reason: ExitReason) -> None:
        """Its process has ended."""
        assert self._body is not None
        if isinstance(reason, Normal) and self._body.value is not NOTHING:
            self._outcome = Ok(cast("T_co", self._body.value))
        else:
            self._outcome = Exited(reason)
        self._process = self._body = None
        if self._asked == 0:
            self._mail()
        if self._on_end is not None:
            self._on_end(self)
            self._on_end = None

    def _mail(self) -> None:
        """Tell the owner, once."""
        owner, outcome = self._owner, self._outcome
        if owner is None or self._muted or self._mailed or outcome is None:
            return
        self._mailed = True
        if isinstance(outcome, Ok):
            owner.post_system(TaskDone(self, outcome.value))
        else:
            owner.post_system(Down(self.ref, self.pid, outcome.reason))

    def _take(self) -> Outcome[T_co] | None:
        """The outcome, if it has one; it counts as told if the owner asks."""
        if self._outcome is not None and self._is_owner():
            self._muted = True
            if self._mailed and self._owner is not None:
                self._mailed = False
                _take_out(self._owner, self)
        return self._outcome

    def _is_owner(self) -> bool:
        return self._owner is not None and current_process() is self._owner

    # -- asking -----------------------------------------------------------------------------

    async def result(self, *, timeout: float = DEFAULT_TIMEOUT) -> T_co:
        """Wait for the value and return it. OTP: ``Task.await``.

        ``TaskExit`` if the task ended without one; a linked caller that does not trap exits has
        ended with the task by then. ``TaskTimeout`` after ``timeout`` seconds: the task goes on,
        and its owner hears nothing of it any more. Cancelling gives up the wait.
        """
        outcome = await self.wait(timeout=timeout)
        match outcome:
            case None:
                mute(self)
                raise TaskTimeout(self, timeout)
            case Ok():
                return outcome.value
            case _:
                raise task_failure(self, outcome)

    async def wait(self, *, timeout: float = DEFAULT_TIMEOUT) -> Outcome[T_co] | None:
        """Wait until it has ended: ``Ok(value)``, ``Exited(reason)``, or ``None`` for not yet.

        ``None`` after ``timeout`` seconds; ask again as you like. OTP: ``Task.yield``. Cancelling
        gives up the wait.
        """
        check_seconds("timeout", timeout)
        await trio.lowlevel.checkpoint_if_cancelled()
        if self._process is None or timeout == 0:
            await trio.lowlevel.cancel_shielded_checkpoint()
            return self._take()
        with Attention(self):
            await wait_ended(self._process, timeout=timeout)
            return self._take()

    async def shutdown(self, timeout: ShutdownBudget = DEFAULT_SHUTDOWN) -> Outcome[T_co] | None:
        """End it within ``timeout`` seconds, or at once with ``"brutal_kill"``, and wait for that.

        OTP: ``Task.shutdown``. ``None`` says it ran and was ended; a task that had ended before, or
        by itself meanwhile, gives its ``Ok`` or ``Exited``; one that took longer than ``timeout``,
        ``Exited(Killed())``; ended by an earlier ``shutdown``, ``Exited(NoProcess())``. Its owner
        does not feel it through the link if that is who calls, and gets no message about it.
        Cancelling gives up the wait; the task has its signal.
        """
        check_shutdown("timeout", timeout)
        await trio.lowlevel.checkpoint_if_cancelled()
        process = self._process
        if process is None:
            await trio.lowlevel.cancel_shielded_checkpoint()
            outcome = self._take()
            return Exited(NO_PROCESS) if self._shut_down else outcome
        with Attention(self):
            self._let_go()
            sender = current_process()
            await stop_process(
                process, process.table.owner if sender is None else sender.pid, timeout
            )
            return self._after_shutdown(KILLED if timeout == "brutal_kill" else SHUTDOWN)

    def _after_shutdown(self, asked: ExitReason) -> Outcome[T_co] | None:
        outcome = self._take()
        if isinstance(outcome, Exited) and outcome.reason is asked:
            self._shut_down = True
            return None
        return outcome

    def ignore(self) -> Outcome[T_co] | None:
        """Let it go on without its owner, which calls this: unlinked, and no message at its end.

        Returns the outcome if it has one already, else ``None``; that is all it does for anybody
        else. OTP: ``Task.ignore``.
        """
        if self._owner is not None:
            self._owner.check_thread()
        self._let_go()
        return self._take()

    def _let_go(self) -> None:
        owner, process = self._owner, self._process
        if owner is None or process is None or not self._is_owner():
            return
        self._muted = True
        owner.links.unlink(process)
        process.links.unlink(owner)


class TaskDone(SystemInfo, Generic[T_co], frozen=True):
    """A task has returned ``value``, as its owner finds it in its mailbox. OTP: ``{ref, value}``.

    For a GenServer that started the task and goes on: ``@handles(TaskDone)``. No ``Down`` follows;
    a task that ends without a value sends a ``Down`` instead, with the ``task.ref``.
    """

    task: Task[T_co]
    value: T_co


# -- for streams, groups and task supervisors ---------------------------------------------------


def spawn_task(
    task: Task[object],
    *,
    link_to: Process | None = None,
    nursery: trio.Nursery | None = None,
    parent: Pid | None = None,
    budget: ShutdownBudget = DEFAULT_SHUTDOWN,
) -> Process:
    """Give a new task its process; the first step has not run when this returns."""
    body = task._body
    assert body is not None
    if parent is None and link_to is not None:
        parent = link_to.pid
    process = spawn_process(
        current_table(), body, label=task._label, budget=budget, nursery=nursery, parent=parent,
        link_to=link_to,
    )  # fmt: skip
    process.watches[body] = None
    task._process, task.pid = process, process.pid
    return process


def process_of(task: Task[object]) -> Process | None:
    """Its process, until that has ended."""
    return task._process


class Attention:
    """While their owner waits for tasks it gets no message; if it gives up, one may be due."""

    __slots__ = ("_mine",)

    def __init__(self, *tasks: Task[object]) -> None:
        self._mine = [task for task in tasks if task._is_owner()]

    def __enter__(self) -> None:
        for task in self._mine:
            task._asked += 1

    def __exit__(self, *_ended: object) -> None:
        for task in self._mine:
            task._asked -= 1
            if task._asked == 0:
                task._mail()


def outcome_of(task: Task[T]) -> Outcome[T] | None:
    """How it ended, if it has; its owner counts as told."""
    return task._take()


def peek(task: Task[T]) -> Outcome[T] | None:
    """How it ended, if it has, without telling anybody."""
    return task._outcome


def mute(task: Task[object]) -> None:
    """Its owner, if that is who asks for it, wants no message about it."""
    if task._is_owner():
        task._muted = True


def task_failure(task: Task[object], outcome: Exited[None]) -> TaskExit:
    """The error that stands for an end without a value."""
    error, reason = TaskExit(task, outcome.reason), outcome.reason
    error.__cause__ = reason.exception if isinstance(reason, Crashed) else None
    return error


async def _no_call() -> None:
    """Stands for the function of a task that never ran."""


def _take_out(owner: Process, task: Task[object]) -> None:
    """Take the message about ``task`` back out of its owner's mailbox, if it is still there."""
    for index, item in enumerate(owner.mailbox.items):
        if isinstance(item, TaskDone):
            ours = cast("TaskDone[object]", item).task is task
        else:
            ours = isinstance(item, Down) and item.ref is task.ref
        if ours:
            owner.mailbox.remove(index)
            return
