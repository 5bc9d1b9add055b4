"""The private names of Trio that are used, and what happens without them."""

from __future__ import annotations

import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import ExitStack

import pytest
import trio
import trio.testing
from trio.lowlevel import Abort, Task, current_task, wait_task_rescheduled
from trio.testing import wait_all_tasks_blocked

from runtime import _trio


async def in_child(fn: Callable[[Task], Awaitable[None]]) -> None:
    """Run ``fn`` with its task in a nursery that must not break."""

    async def child() -> None:
        await fn(current_task())

    async with trio.open_nursery() as nursery:
        nursery.start_soon(child)


async def test_trio_still_has_the_private_names() -> None:
    """A release of Trio that changes one of these must be looked at."""
    task = current_task()
    async with trio.open_nursery() as nursery:
        assert task._cancel_status is not None
        assert task._cancel_status.effectively_cancelled is False
        assert isinstance(task._schedule_points, int)
        assert callable(task._activate_cancel_status)
        assert isinstance(task._child_nurseries, list)
        assert nursery._closed is False
        assert nursery._cancel_status is not None
    scope = trio.CancelScope()
    assert (scope._has_been_entered, scope._cancel_status) == (False, None)
    with scope:
        assert type(scope._cancel_status) is trio._core._run.CancelStatus
        assert scope._cancel_status is task._cancel_status
    assert callable(trio._core._run._r.seed)
    assert isinstance(trio._core._run.SystemClock, type)
    assert isinstance(trio._core._traps.WaitTaskRescheduled, type)


def test_a_turn_is_measured_by_what_trios_clock_reads_or_by_the_clock_it_has() -> None:
    hand = trio.testing.MockClock()
    assert _trio.stopwatch(hand) == hand.current_time
    own = trio._core._run.SystemClock()
    assert _trio.stopwatch(own) is time.perf_counter


async def test_a_fingerprint_differs_once_a_scope_or_nursery_was_opened() -> None:
    async def check(task: Task) -> None:
        before = _trio.scope_fingerprint(task)
        with trio.CancelScope():
            assert _trio.scope_fingerprint(task) != before
            await trio.lowlevel.checkpoint()
        assert _trio.scope_fingerprint(task) == before
        async with trio.open_nursery():
            assert _trio.scope_fingerprint(task) != before
        assert _trio.scope_fingerprint(task) == before

    await in_child(check)


async def test_a_task_in_order_has_no_leaked_scopes() -> None:
    async def check(task: Task) -> None:
        assert not _trio.has_leaked_scopes(task)
        with trio.CancelScope():
            await trio.lowlevel.checkpoint()
        async with trio.open_nursery():
            pass
        assert not _trio.has_leaked_scopes(task)

    await in_child(check)


@pytest.mark.parametrize("cancelled", [False, True])
async def test_a_left_open_scope_is_seen_and_closed(cancelled: bool) -> None:
    async def check(task: Task) -> None:
        scope = trio.CancelScope()
        scope.__enter__()
        if cancelled:
            scope.cancel()
        assert _trio.has_leaked_scopes(task)
        await _trio.close_leaked_scopes(task)
        assert not _trio.has_leaked_scopes(task)
        await trio.sleep(1)  # the scope is cancelled, and no longer around us

    await in_child(check)


async def test_a_left_open_nursery_is_seen_its_tasks_are_ended_and_it_is_closed() -> None:
    ended: list[str] = []

    async def slow_to_end() -> None:
        try:
            await trio.sleep_forever()
        finally:
            with trio.CancelScope(shield=True):
                await trio.sleep(3)
            ended.append("child")

    async def check(task: Task) -> None:
        manager = trio.open_nursery()
        nursery = await manager.__aenter__()
        nursery.start_soon(slow_to_end)
        await trio.sleep(1)
        assert _trio.has_leaked_scopes(task)
        await _trio.close_leaked_scopes(task)
        assert ended == ["child"]
        assert not _trio.has_leaked_scopes(task)
        assert task.child_nurseries == []
        with pytest.raises(RuntimeError, match="Nursery is closed"):
            nursery.start_soon(trio.sleep, 1)

    await in_child(check)


class OtherTask:
    """A task of a Trio without the private names: the public ones are all there is."""

    def __init__(self, nurseries: list[trio.Nursery]) -> None:
        self.child_nurseries = nurseries
        self.parent_nursery: trio.Nursery | None = None


async def test_without_the_private_names_the_public_ones_serve() -> None:
    bare = OtherTask([])
    assert _trio.scope_fingerprint(bare) == 0  # type: ignore[arg-type]
    assert not _trio.has_leaked_scopes(bare)  # type: ignore[arg-type]
    await _trio.close_leaked_scopes(bare)  # type: ignore[arg-type]
    async with trio.open_nursery() as nursery:
        holder = OtherTask([nursery])
        assert _trio.scope_fingerprint(holder) == 1  # type: ignore[arg-type]
        assert _trio.has_leaked_scopes(holder)  # type: ignore[arg-type]
        await _trio.close_leaked_scopes(holder)  # type: ignore[arg-type]


async def test_the_order_of_tasks_follows_from_the_seed() -> None:
    async def order(seed: str) -> list[int]:
        _trio.seed_schedule(seed)
        seen: list[int] = []

        async def note(number: int) -> None:
            for _ in range(8):
                await trio.lowlevel.checkpoint()
                seen.append(number)

        async with trio.open_nursery() as nursery:
            for number in range(3):
                nursery.start_soon(note, number)
        return seen

    assert await order("a") == await order("a")
    assert len({tuple(await order(str(seed))) for seed in range(20)}) > 1


def test_without_the_private_name_the_order_stays_random(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(trio._core._run, "_r")
    _trio.seed_schedule("a")


class Nameless:
    """A task whose private names have changed."""

    def __init__(self, task: Task) -> None:
        self.child_nurseries = task.child_nurseries


def nameless(task: Task) -> Task:
    other: Task = Nameless(task)  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
    return other


@pytest.mark.parametrize("seen_as", [lambda task: task, nameless], ids=["names", "no names"])
async def test_a_task_is_cancelled_as_soon_as_its_scope_is(seen_as: Callable[[Task], Task]) -> None:
    task = seen_as(current_task())
    assert not _trio.is_cancelled(task)
    assert _trio.live_scope(task) is not None
    with trio.CancelScope() as scope:
        scope.cancel()
        assert _trio.is_cancelled(task)
        assert _trio.live_scope(task) is None
        with trio.CancelScope(shield=True):  # noqa: ASYNC100  what is tested
            assert not _trio.is_cancelled(task)
        await trio.lowlevel.checkpoint()
    assert not _trio.is_cancelled(task)


async def test_so_are_nurseries_and_their_tasks_are_cancelled() -> None:
    ended: list[str] = []

    async def child() -> None:
        try:
            await trio.sleep_forever()
        finally:
            ended.append("child")

    task = current_task()
    async with trio.open_nursery() as own:
        home = _trio.live_scope(task)
        left_open = await trio.open_nursery().__aenter__()
        left_open.start_soon(child)
        await trio.testing.wait_all_tasks_blocked()
        assert _trio.return_to_scope(task, home)
        assert task.child_nurseries[-1] is own
        await trio.testing.wait_all_tasks_blocked()
        assert ended == ["child"]
        with pytest.raises(RuntimeError, match="Nursery is closed"):
            left_open.start_soon(child)
        own.start_soon(trio.sleep, 1)


async def test_scopes_left_open_are_taken_off_a_task_that_goes_on() -> None:
    task = current_task()
    home = _trio.live_scope(task)
    assert not _trio.return_to_scope(task, home)
    for _ in range(2):
        trio.CancelScope().__enter__()
    last = trio.CancelScope()
    last.__enter__()
    last.cancel()
    assert _trio.live_scope(task) is None
    assert _trio.return_to_scope(task, home)
    assert _trio.live_scope(task) is home
    await trio.lowlevel.checkpoint()
    with trio.move_on_after(1) as scope:
        await trio.sleep_forever()
    assert scope.cancelled_caught, "its own scopes work as before"


async def test_without_the_names_they_stay() -> None:
    task = nameless(current_task())
    assert not _trio.return_to_scope(task, _trio.live_scope(task))


@pytest.mark.parametrize("depth", [0, 1, 3])
async def test_a_scope_put_round_a_task_later_is_as_if_it_had_been_entered_first(
    depth: int,
) -> None:
    task = current_task()
    home = _trio.surroundings(task)
    late: list[trio.CancelScope] = []
    with ExitStack() as stack:
        stack.push(lambda *ended: late[0].__exit__(*ended))
        for _ in range(depth):
            stack.enter_context(trio.CancelScope())
        late.append(_trio.surround(task, home))
        assert not _trio.is_cancelled(task)
        with pytest.raises(RuntimeError, match="single 'with' block"):
            late[0].__enter__()
        late[0].cancel()
        assert _trio.is_cancelled(task)
        await trio.sleep_forever()
    assert late[0].cancelled_caught
    assert _trio.surroundings(task) is home
    await trio.lowlevel.checkpoint()


async def test_without_the_names_there_are_no_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _trio.surroundings(current_task()) is not None
    monkeypatch.setattr(_trio, "_CAN_SURROUND", False)
    assert _trio.surroundings(current_task()) is None


async def test_schedule_points_tell_whether_a_task_has_let_others_run() -> None:
    task = current_task()
    before = _trio.schedule_points(task)
    assert before is not None
    assert _trio.schedule_points(task) == before
    await trio.lowlevel.checkpoint()
    assert _trio.schedule_points(task) != before
    assert _trio.schedule_points(nameless(task)) is None


async def test_trios_own_loop_is_the_last_frame_of_trio_outside_of_a_task() -> None:
    frame = sys._getframe()
    assert not _trio.is_loop(frame)
    outside = []
    while frame.f_back is not None:
        frame = frame.f_back
        if _trio.is_loop(frame):
            outside.append(frame)
    assert len(outside) == 1


def test_a_function_of_that_name_is_no_loop() -> None:
    def unrolled_run() -> bool:
        return _trio.is_loop(sys._getframe())

    assert unrolled_run() is False


@pytest.mark.parametrize("wait", [_trio.sleep, wait_task_rescheduled], ids=["names", "no names"])
async def test_a_task_that_sleeps_is_woken_again_and_again(
    wait: Callable[[_trio.AbortFn], Awaitable[object]],
) -> None:
    asleep: list[Task] = []
    woken: list[object] = []

    async def sleeper() -> None:
        for _ in range(3):
            asleep.append(current_task())
            woken.append(await wait(lambda _: Abort.FAILED))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(sleeper)
        for _ in range(3):
            await wait_all_tasks_blocked()
            _trio.wake(asleep.pop())
    assert woken == [None, None, None]


async def test_a_sleep_is_cancelled_as_its_abort_function_says() -> None:
    answers = [Abort.FAILED, Abort.SUCCEEDED]
    task = current_task()

    def abort(_raise_cancel: object) -> Abort:
        answer = answers.pop(0)
        if answer is Abort.FAILED:
            _trio.wake(task)
        return answer

    with trio.CancelScope() as scope:
        scope.cancel()
        assert await _trio.sleep(abort) is None
        await _trio.sleep(abort)
    assert scope.cancelled_caught
    assert answers == []


async def test_a_wake_without_room_on_the_stack_leaves_a_task_asleep_that_can_be_woken() -> None:
    woken = 0

    async def sleeper() -> None:
        nonlocal woken
        while True:
            await _trio.sleep(lambda _: Abort.SUCCEEDED)
            woken += 1

    def wake_at(depth: int) -> None:
        if depth:
            wake_at(depth - 1)
        else:
            _trio.wake(task)

    outcomes: list[bool] = []
    async with trio.open_nursery() as nursery:
        nursery.start_soon(sleeper)
        await wait_all_tasks_blocked()
        (task,) = nursery.child_tasks
        for depth in (*range(sys.getrecursionlimit() - 200, sys.getrecursionlimit()), 0):
            before = woken
            try:
                wake_at(depth)
            except RecursionError:
                outcomes.append(False)
            else:
                outcomes.append(True)
            await wait_all_tasks_blocked()
            assert woken - before == outcomes[-1]
        nursery.cancel_scope.cancel()
    assert {*outcomes[:-1]} == {True, False}
    assert outcomes[-1]
