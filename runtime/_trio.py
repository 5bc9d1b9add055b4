"""The only place that touches Trio's private names, each use with a public fallback.

What is used and why: a task's cancel status tells whether a context manager that a process entered
opened a scope of its own (then it must be closed without a shield around it), and a nursery that
user code opened by hand and never closed has to be unhooked from the finished task, or Trio would
turn a clean end into an error in the supervisor's nursery and cancel every sibling.
Trio runs tasks that are ready at once in random order, and a test that failed must be repeated in
the same one, so the kit seeds that.
A call that runs at once must ask in a fraction of a microsecond whether its task is cancelled,
whether the handler has left a scope open in it, and whether it has yielded since the last call.
The length of its turn is measured by what Trio's own clock reads, which costs less than asking it.
Whoever asks from another thread what the loop does must see in a stack where that begins.
A cancel scope costs more than a task, so one is put round what a task does when there is a need.
And a task that sleeps is woken with nothing, twice for every call, so it hands Trio its trap by
itself and takes one and the same outcome each time; Trio's own function makes a new one, and a
coroutine round it, at a quarter of what a switch of tasks costs.
``tests/runtime/test__trio.py`` fails when a Trio release changes one of these names.
"""

from __future__ import annotations

import math
import time
from collections.abc import Awaitable, Callable, Generator
from types import FrameType, coroutine
from typing import Any, Final, NoReturn, TypeAlias, cast

import trio
from trio.abc import Clock
from trio.lowlevel import Abort, Task, reschedule, wait_task_rescheduled

_POLL: Final = 0.01
_LOOP: Final = "trio._core._run"
_CAN_SURROUND: Final = hasattr(trio._core._run, "CancelStatus") and all(
    hasattr(Task, name) for name in ("_cancel_status", "_activate_cancel_status")
)
_TRAP: Final[Any] = getattr(getattr(trio._core, "_traps", None), "WaitTaskRescheduled", None)

AbortFn: TypeAlias = Callable[[Callable[[], NoReturn]], Abort]


class _Woken:
    """The outcome of a sleep, which is nothing; unlike an ``outcome.Value`` it serves again."""

    __slots__ = ()

    def unwrap(self) -> None:
        """Nothing."""


_WOKEN: Final[Any] = _Woken()


def _third() -> None:
    """As deep as Trio goes to reschedule a task."""


def _second() -> None:
    _third()


def _first() -> None:
    _second()


def wake(task: Task) -> None:
    """Let a task go on that waits for ``sleep``, or raise and leave it asleep.

    At the end of the stack Trio would raise after it had begun, and never run the task again. It
    makes an ``outcome.Value`` first, which needs as much room; who brings the outcome must ask.
    """
    _first()
    reschedule(task, _WOKEN)


@coroutine
def _sleep(abort: AbortFn) -> Generator[Any, Any, None]:
    (yield _TRAP(abort)).unwrap()


sleep: Final[Callable[[AbortFn], Awaitable[object]]] = (
    wait_task_rescheduled if _TRAP is None else _sleep
)
"""Sleep until ``wake``, as ``trio.lowlevel.wait_task_rescheduled`` does."""


def scope_fingerprint(task: Task) -> object:
    """A value that differs before and after a cancel scope or nursery was opened in ``task``."""
    status: object = getattr(task, "_cancel_status", None)
    return len(task.child_nurseries) if status is None else id(status)


def is_cancelled(task: Task) -> bool:
    """Whether the running task would be cancelled at its next checkpoint."""
    status = getattr(task, "_cancel_status", None)
    return live_scope(task) is None if status is None else status.effectively_cancelled


def is_cancelled_from_outside() -> bool:
    """Whether what is around the running task is cancelled; asked when it has left its scopes."""
    return trio.current_effective_deadline() == -math.inf


def live_scope(task: Task) -> object:
    """The fingerprint of the running task, ``None`` if its next checkpoint would be cancelled."""
    try:  # which costs nothing here, and ``getattr`` a twentieth of a call that runs at once
        status: Any = task._cancel_status
    except AttributeError:
        is_live = trio.current_effective_deadline() != -math.inf
        return len(task.child_nurseries) if is_live else None
    return None if status.effectively_cancelled else status


def return_to_scope(task: Task, home: object) -> bool:
    """Take scopes opened since ``live_scope`` gave ``home`` off ``task``; whether there were any.

    Nurseries too; their tasks are cancelled, and nobody waits for them. Without Trio's private
    names there is nothing that could be done, and the answer is no.
    """
    status: Any = getattr(task, "_cancel_status", None)
    activate = getattr(task, "_activate_cancel_status", None)
    if activate is None or status is None or status is home:
        return False
    activate(home)
    leaked: list[object] = []
    while status is not None and status is not home:
        leaked.append(status)
        status, leaked_status = status.parent, status
        leaked_status.parent = None  # or whoever is around us would keep it for its life
    for nursery in task.child_nurseries:
        if getattr(nursery, "_cancel_status", None) in leaked:
            nursery.cancel_scope.cancel()
            _take_off(task, nursery)
    return True


def _take_off(task: Task, nursery: trio.Nursery) -> None:
    """``task`` does not have this nursery any more, which takes no more tasks."""
    nurseries: list[trio.Nursery] = getattr(task, "_child_nurseries", [])
    if nursery in nurseries:
        nurseries.remove(nursery)
        nursery._closed = True


def stopwatch(clock: Clock) -> Callable[[], float]:
    """What tells time as ``clock`` does, from any zero: for Trio's own clock, what that reads."""
    run = getattr(trio._core, "_run", None)
    if type(clock) is getattr(run, "SystemClock", None):
        return time.perf_counter
    return clock.current_time


def surroundings(task: Task) -> object:
    """What ``task`` is in now, for ``surround``; ``None`` if that cannot be used."""
    return task._cancel_status if _CAN_SURROUND else None


def surround(task: Task, home: object) -> trio.CancelScope:
    """A cancel scope as if ``task`` had entered it at the time ``surroundings`` gave ``home``.

    The task leaves it by the scope's ``__exit__``.
    """
    private: Any = task
    scope: Any = trio.CancelScope()
    status: Any = trio._core._run.CancelStatus(scope=scope, parent=cast("Any", home))
    scope._has_been_entered, scope._cancel_status = True, status
    outermost = private._cancel_status
    if outermost is home:
        private._activate_cancel_status(status)
    else:
        while outermost.parent is not None and outermost.parent is not home:
            outermost = outermost.parent
        outermost.parent = status
    surrounding: trio.CancelScope = scope
    return surrounding


def within(home: object, scope: trio.CancelScope | None) -> object:
    """``home``, or ``scope``'s place in it if ``surround`` has put that there meanwhile."""
    status: Any = getattr(scope, "_cancel_status", None)
    return home if status is None or status.parent is not home else status


def schedule_points(task: Task) -> object:
    """A value that differs before and after ``task`` has let others run, if that can be known."""
    try:
        return task._schedule_points
    except AttributeError:
        return None


def has_leaked_scopes(task: Task) -> bool:
    """Whether user code left a nursery, or a cancel scope, open in a task that is about to end."""
    if task.child_nurseries:
        return True
    status = getattr(task, "_cancel_status", None)
    nursery = task.parent_nursery
    home = getattr(nursery, "_cancel_status", None)
    return status is not None and home is not None and status is not home


async def close_leaked_scopes(task: Task) -> None:
    """Cancel left-open nurseries, wait for their tasks, and take them and scopes off ``task``."""
    for nursery in task.child_nurseries:
        nursery.cancel_scope.cancel()
    with trio.CancelScope(shield=True):
        while any(nursery.child_tasks for nursery in task.child_nurseries):  # noqa: ASYNC110
            await trio.sleep(_POLL)  # Trio has no way to wait for another nursery's tasks
    for nursery in task.child_nurseries:
        _take_off(task, nursery)
    home = getattr(task.parent_nursery, "_cancel_status", None)
    if home is not None:
        return_to_scope(task, home)


def is_loop(frame: FrameType) -> bool:
    """Whether this frame is Trio's own loop, which takes one step of one task after the other."""
    return frame.f_code.co_name == "unrolled_run" and frame.f_globals.get("__name__") == _LOOP


def seed_schedule(seed: str) -> None:
    """Let the order in which Trio runs tasks that are ready at once follow from ``seed``."""
    chance = getattr(trio._core._run, "_r", None)
    if chance is not None:
        chance.seed(seed)
