"""Counting the calls that a task makes at once."""

from __future__ import annotations

import gc
import weakref

import trio
from trio.lowlevel import Task, current_task

from runtime.turn import Turn


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


async def test_a_turn_has_64_calls_and_the_task_then_yields() -> None:
    turn, task = Turn(Clock()), current_task()
    assert [turn.goes_on(task) for _ in range(64)] == [True] * 64
    assert turn.goes_on(task) is False
    assert [turn.goes_on(task) for _ in range(64)] == [True] * 64, "it says so once a turn"
    assert turn.goes_on(task) is False


async def test_a_turn_has_a_millisecond_and_at_least_one_call() -> None:
    clock = Clock()
    turn, task = Turn(clock), current_task()
    assert turn.goes_on(task)
    clock.now += 0.0009
    assert turn.goes_on(task)
    clock.now += 0.0002
    assert not turn.goes_on(task)
    clock.now += 10
    assert turn.goes_on(task)


async def test_who_has_yielded_begins_a_new_turn() -> None:
    clock = Clock()
    turn, task = Turn(clock), current_task()
    for _ in range(3):
        assert [turn.goes_on(task) for _ in range(64)] == [True] * 64
        clock.now += 1
        await trio.lowlevel.checkpoint()


async def test_each_task_has_its_own_turn() -> None:
    turn, mine = Turn(Clock()), current_task()
    others: list[bool] = []

    async def other() -> None:
        others.extend(turn.goes_on(current_task()) for _ in range(64))

    for _ in range(63):
        turn.goes_on(mine)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(other)
    assert others == [True] * 64
    assert [turn.goes_on(mine) for _ in range(64)] == [True] * 64


async def test_without_trios_count_of_switches_a_turn_is_only_shorter() -> None:
    class Nameless:
        """A task whose private names have changed."""

    nameless: Task = Nameless()  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
    turn = Turn(Clock())
    assert [turn.goes_on(nameless) for _ in range(64)] == [True] * 64
    assert not turn.goes_on(nameless)
    assert turn.goes_on(nameless)


async def test_it_holds_no_task() -> None:
    turn, held = Turn(Clock()), []

    async def caller() -> None:
        turn.goes_on(current_task())
        held.append(weakref.ref(current_task()))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(caller)
    await trio.lowlevel.checkpoint()
    gc.collect()
    assert held[0]() is None
