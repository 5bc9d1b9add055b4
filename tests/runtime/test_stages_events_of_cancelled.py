"""A reader that is cancelled or killed at any step: no event is lost, and nothing is left."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import trio

from runtime import Node, kill, processes, spawn, wait_exit
from runtime.stages import Producer, events_of
from tests.runtime.flowing import Push, settle, start_count, start_noting


async def steps_later(steps: int) -> None:
    for _ in range(steps):
        await trio.lowlevel.checkpoint()


async def cut_after(steps: int, events: AsyncIterator[Any]) -> list[Any]:
    """One step, cancelled after so many ticks: what it got all the same."""
    got: list[Any] = []
    async with trio.open_nursery() as nursery:
        scope = trio.CancelScope()

        async def cut() -> None:
            await steps_later(steps)
            scope.cancel()

        nursery.start_soon(cut)
        with scope:
            got.append(await anext(events))
    return got


@pytest.mark.parametrize("max_demand", [1, 3])
@pytest.mark.parametrize("steps", range(8))
async def test_steps_cancelled_at_every_tick_lose_no_event(
    node: Node, steps: int, max_demand: int
) -> None:
    producer = await start_count([])
    got: list[Any] = []
    async with events_of(producer, max_demand=max_demand) as events:
        for _ in range(40):
            got += await cut_after(steps, events)
        got.append(await anext(events))
    assert got == list(range(len(got)))


async def test_a_step_that_takes_too_long_is_taken_again(node: Node) -> None:
    producer = await start_noting([])
    async with events_of(producer) as events:
        for number in range(3):
            with trio.move_on_after(1) as scope:
                await anext(events)
            assert scope.cancelled_caught
            await producer.call(Push([number]))
            assert await anext(events) == number


async def test_a_step_in_a_cancelled_scope_takes_nothing(node: Node) -> None:
    producer = await start_count([])
    async with events_of(producer) as events:
        assert await anext(events) == 0
        with trio.CancelScope() as scope:
            scope.cancel()
            await anext(events)
        assert await anext(events) == 1


@pytest.mark.parametrize("steps", range(12))
async def test_a_cancelled_reader_leaves_nothing_and_the_producer_hears(
    node: Node, steps: int
) -> None:
    log: list[str] = []
    producer = await start_count(log)

    async def read() -> None:
        async with events_of(producer, max_demand=2) as events:
            async for _ in events:
                pass

    async with trio.open_nursery() as nursery:
        nursery.start_soon(read)
        await steps_later(steps)
        nursery.cancel_scope.cancel()
    assert processes() == [producer.pid]
    await settle()
    asked = [line for line in log if "demand" in line]
    assert log in ([], [*asked, "P handle_cancel cancel normal"])


@pytest.mark.parametrize("steps", range(12))
async def test_a_process_killed_while_it_reads_leaves_nothing(node: Node, steps: int) -> None:
    log: list[str] = []
    producer = await start_count(log)

    async def read() -> None:
        async with events_of(producer, max_demand=2) as events:
            async for _ in events:
                pass

    reader = spawn(read)
    await steps_later(steps)
    kill(reader)
    await wait_exit(reader)
    await settle()
    assert processes() == [producer.pid]
    assert log == [] or log[-1].startswith("P handle_cancel ")


@pytest.mark.parametrize("steps", range(12))
async def test_a_producer_killed_at_any_step_is_read_up_to_there(node: Node, steps: int) -> None:
    producer = await start_count([])
    got: list[Any] = []

    async def read() -> None:
        async with events_of(producer, max_demand=2, cancel="temporary") as events:
            async for event in events:
                got.append(event)  # noqa: PERF401  one by one, to see how far it has come

    async with trio.open_nursery() as nursery:
        nursery.start_soon(read)
        await steps_later(steps)
        kill(producer)
    assert got == list(range(len(got)))
    assert processes() == []


async def test_leaving_does_not_wait_for_a_producer_that_is_busy(node: Node) -> None:
    class Slow(Producer[int]):
        async def handle_demand(self, demand: int) -> list[int]:
            await trio.sleep(60)
            return [1]

    producer = await Slow.start()
    with trio.fail_after(1):
        async with events_of(producer):
            await settle()
    assert processes() == [producer.pid]


async def test_many_readers_of_one_producer_share_its_events(node: Node) -> None:
    producer = await start_count([])
    got: list[int] = []

    async def read() -> None:
        async with events_of(producer, max_demand=1) as events:
            for _ in range(10):
                got.append(await anext(events))
                await trio.sleep(1)

    async with trio.open_nursery() as nursery:
        for _ in range(10):
            nursery.start_soon(read)
    assert sorted(got) == list(range(100))
    assert processes() == [producer.pid]


async def test_a_reader_of_what_is_there_lets_others_run(node: Node) -> None:
    producer = await start_count([])
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            await trio.lowlevel.checkpoint()
            turns += 1

    async with trio.open_nursery() as nursery:
        nursery.start_soon(others)
        async with events_of(producer, max_demand=10_000) as events:
            await anext(events)
            before = turns
            for _ in range(2000):
                await anext(events)
            assert turns - before >= 5
        nursery.cancel_scope.cancel()
