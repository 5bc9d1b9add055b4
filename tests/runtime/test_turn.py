"""Counting the calls that a task makes at once."""

from __future__ import annotations

import gc
import sys
import threading
import time
import weakref

import pytest
import trio
from trio.lowlevel import Task, current_task

from runtime.turn import BREATH, BREATH_EVERY, MESSAGES, SECONDS, Breath, Turn


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def turn_of(clock: Clock) -> Turn:
    return Turn(clock, Breath(clock))


async def test_a_turn_has_so_many_calls_and_the_task_then_yields() -> None:
    turn, task = turn_of(Clock()), current_task()
    a_turn = [*[False] * (MESSAGES - 1), True]
    assert [turn.is_over(task) for _ in range(MESSAGES)] == a_turn
    assert [turn.is_over(task) for _ in range(MESSAGES)] == a_turn, "it says so once a turn"


async def test_a_turn_has_a_millisecond_from_its_first_call_on() -> None:
    clock = Clock()
    turn, task = turn_of(clock), current_task()
    assert not turn.is_over(task)
    clock.now += SECONDS * 0.9
    assert not turn.is_over(task)
    clock.now += SECONDS * 0.2
    assert turn.is_over(task)
    clock.now += 10
    assert not turn.is_over(task)


async def test_who_has_yielded_begins_a_new_turn() -> None:
    clock = Clock()
    turn, task = turn_of(clock), current_task()
    for _ in range(3):
        assert not any(turn.is_over(task) for _ in range(MESSAGES - 1))
        clock.now += 1
        await trio.lowlevel.checkpoint()


async def test_each_task_has_its_own_turn() -> None:
    turn, mine = turn_of(Clock()), current_task()
    others: list[bool] = []

    async def other() -> None:
        others.extend(turn.is_over(current_task()) for _ in range(MESSAGES - 1))

    for _ in range(MESSAGES - 1):
        turn.is_over(mine)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(other)
    assert not any(others)
    assert not any(turn.is_over(mine) for _ in range(MESSAGES - 1))


async def test_without_trios_count_of_switches_a_turn_is_only_shorter() -> None:
    class Nameless:
        """A task whose private names have changed."""

    nameless: Task = Nameless()  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
    turn = turn_of(Clock())
    assert [turn.is_over(nameless) for _ in range(MESSAGES)][-2:] == [False, True]
    assert not turn.is_over(nameless)


async def test_it_holds_no_task() -> None:
    turn, held = turn_of(Clock()), []

    async def caller() -> None:
        turn.is_over(current_task())
        held.append(weakref.ref(current_task()))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(caller)
    await trio.lowlevel.checkpoint()
    gc.collect()
    assert held[0]() is None


@pytest.fixture
def breaths(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long the loop let others have the interpreter, each time, with one other thread."""
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    monkeypatch.setattr(threading, "active_count", lambda: 2)
    monkeypatch.setattr(sys, "getswitchinterval", lambda: 0.005)
    return slept


def test_threads_have_a_moment_now_and_then(breaths: list[float]) -> None:
    clock = Clock()
    breath = Breath(clock)
    for seen in (0, 0, 1, 1, 2):
        breath.draw()
        assert breaths == [BREATH] * seen
        clock.now += BREATH_EVERY * 0.6


def test_nobody_waits_where_there_are_no_threads(
    breaths: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threading, "active_count", lambda: 1)
    draw_late()
    assert breaths == []


def test_nor_where_threads_are_due_by_force(
    breaths: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "getswitchinterval", lambda: 0.0001)
    draw_late()
    assert breaths == []


def draw_late() -> None:
    clock = Clock()
    breath = Breath(clock)
    clock.now += BREATH_EVERY
    breath.draw()


async def test_the_end_of_a_turn_is_the_time_for_it(breaths: list[float]) -> None:
    clock = Clock()
    turn, task = turn_of(clock), current_task()
    turn.is_over(task)
    clock.now += BREATH_EVERY
    assert turn.is_over(task)
    assert breaths == [BREATH]
