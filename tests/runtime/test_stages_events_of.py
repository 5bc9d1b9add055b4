"""Events read as an async iterator: GS-98 to GS-100, and how the block begins and ends."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import trio

from runtime import (
    CallExit,
    Crashed,
    EventsInExcess,
    Killed,
    Node,
    NoProcess,
    Normal,
    ProcessCrashed,
    Ref,
    Shutdown,
    get_state,
    is_alive,
    kill,
    processes,
    ref,
    start,
)
from runtime.current import current_process
from runtime.stages import (
    BadSubscription,
    BroadcastDispatcher,
    ProducerConsumer,
    ProducerExit,
    Subscription,
    events_of,
    from_iterable,
    get_demand,
)
from tests.conftest import Recorder
from tests.runtime.flowing import (
    Careless,
    Crash,
    Finish,
    Push,
    settle,
    start_count,
    start_noting,
)
from tests.runtime.streaming import take
from tests.support import in_process, reason_of


async def finite(*items: int) -> Ref:
    """A source that begins when it is read."""
    return await start(from_iterable(items, demand="accumulate"))


async def read(*producers: Any, **options: Any) -> list[Any]:
    """All events."""
    async with events_of(*producers, **options) as events:
        return [event async for event in events]


async def test_five_events_of_an_endless_producer_which_lives_on(node: Node) -> None:
    """GS-98."""
    log: list[str] = []
    producer = await start_count(log)
    async with events_of(producer, max_demand=4, min_demand=2) as events:
        assert await take(5, events) == [0, 1, 2, 3, 4]
    await settle()
    assert log == [
        "P handle_demand 4",
        "P handle_demand 2",
        "P handle_demand 2",
        "P handle_cancel cancel normal",
    ]
    assert is_alive(producer)


async def test_a_transient_reader_ends_with_a_finite_producer(node: Node) -> None:
    """GS-99."""
    assert await read(await finite(1, 2, 3)) == [1, 2, 3]
    assert await read(await finite()) == []


async def test_a_permanent_reader_is_told_of_any_end(node: Node) -> None:
    """GS-99: as an error it can catch; here it leaves the process."""
    producer = await finite(1, 2, 3)
    got: list[Any] = []

    async def reading() -> None:
        async with events_of(producer, cancel="permanent") as events:
            async for event in events:
                got.append(event)  # noqa: PERF401  to see what came before the error

    reason = await reason_of(reading)
    assert isinstance(reason, Crashed)
    error = reason.exception
    assert isinstance(error, ProducerExit)
    assert (error.reason, error.producer) == (Normal(), producer.pid)
    assert got == [1, 2, 3]


@pytest.mark.parametrize("reason", [Normal(), Shutdown(), Shutdown("x")])
async def test_a_clean_end_is_none_of_a_transient_readers_business(
    node: Node, reason: object
) -> None:
    producer = await start_noting([])
    async with events_of(producer) as events:
        await settle()
        await producer.call(Push([1]))
        await producer.call(Finish(reason))
        assert await take(2, events) == [1]


async def test_a_crash_is_raised_behind_the_events_before_it(node: Node) -> None:
    producer = await start_noting([])
    error = ValueError("no")
    async with events_of(producer) as events:
        await settle()
        await producer.call(Push([1, 2]))
        with pytest.raises(CallExit):
            await producer.call(Crash(error))
        assert await anext(events) == 1
        assert await anext(events) == 2
        with pytest.raises(ProducerExit, match="Noting> gives no more events") as caught:
            await anext(events)
        assert caught.value.reason == Crashed(error)
        assert caught.value.__cause__ is error
        assert await take(1, events) == []


async def test_a_temporary_reader_is_told_of_nothing(node: Node) -> None:
    producer = await start_noting([])
    async with events_of(producer, cancel="temporary") as events:
        await settle()
        await producer.call(Push([1, 2]))
        kill(producer)
        assert await take(3, events) == [1, 2]
    assert await read("nobody", cancel="temporary") == []


@pytest.mark.parametrize("cancel", ["transient", "permanent"])
async def test_nobody_there_is_told(node: Node, cancel: Any) -> None:
    """GS-83."""
    with pytest.raises(ProducerExit, match="a producer gives no more events") as caught:
        await read("nobody", cancel=cancel)
    assert (caught.value.producer, caught.value.reason) == (None, NoProcess())
    gone = await start_count([])
    await gone.stop()
    with pytest.raises(ProducerExit) as caught:
        await read(gone, cancel=cancel)
    assert (caught.value.producer, caught.value.reason) == (gone.pid, NoProcess())


async def test_one_of_several_is_enough_to_end_a_permanent_reader(node: Node) -> None:
    other = await start_count([])
    async with events_of(await finite(), other, cancel="permanent", max_demand=1) as events:
        with pytest.raises(ProducerExit):
            await take(9, events)
        assert await take(1, events) == []


async def test_several_producers_end_with_the_last_of_them(node: Node) -> None:
    """GS-100."""
    producers = [await finite(1, 2), await finite(3), await finite()]
    late = await start_noting([])
    async with events_of(*producers, late) as events:
        assert sorted(await take(3, events)) == [1, 2, 3]
        with trio.move_on_after(5) as scope:
            await anext(events)
        assert scope.cancelled_caught
        await late.call(Push([4]))
        await late.stop()
        assert await take(2, events) == [4]


async def test_no_more_than_max_demand_is_ahead_of_the_reader(node: Node) -> None:
    producer = await start_count([])
    ahead: list[int] = []

    async def made() -> int:
        return int((await get_state(producer))["next"])

    async with events_of(producer, max_demand=10, min_demand=4) as events:
        await settle()
        assert await made() == 10
        for used in range(1, 50):
            await anext(events)
            await settle()
            ahead.append(await made() - used)
    assert max(ahead) == 9
    assert min(ahead) == 0


async def test_one_by_one_the_next_is_made_when_the_reader_wants_it(node: Node) -> None:
    """GS-09."""
    log: list[str] = []
    producer = await start_count(log)
    async with events_of(producer, max_demand=1) as events:
        for number in range(3):
            assert await anext(events) == number
            await settle()
            assert log == ["P handle_demand 1"] * (number + 1)


async def test_a_producer_that_accumulates_is_told_to_begin_once_all_are_subscribed(
    node: Node,
) -> None:
    log: list[str] = []
    producer = await start_count(log, 3, demand="accumulate")
    async with events_of(producer) as events:
        assert await take(3, events) == [0, 1, 2]
    assert await get_demand(producer) == "forward"


async def test_a_stage_in_the_middle_is_read_like_any_other(node: Node) -> None:
    producer = await start_count([])

    class Double(ProducerConsumer[int, int]):
        def init(self) -> None:
            self.subscribe(producer)

        def handle_events(self, events: list[int], subscription: Subscription) -> list[int]:
            return [event * 2 for event in events]

    async with events_of(await Double.start()) as events:
        assert await take(3, events) == [0, 2, 4]


async def test_two_readers_of_one_process_are_two_consumers(node: Node) -> None:
    producer = await start_noting([], dispatcher=BroadcastDispatcher)
    async with events_of(producer) as first, events_of(producer) as second:
        await settle()
        await producer.call(Push([1, 2]))
        assert await take(2, first) == [1, 2]
        assert await take(2, second) == [1, 2]


async def test_a_selector_is_given_to_the_producer(node: Node) -> None:
    producer = await start_count([], 9, demand="accumulate", dispatcher=BroadcastDispatcher)
    async with events_of(producer, selector=lambda event: event % 2 == 0) as events:
        assert await take(5, events) == [0, 2, 4, 6, 8]


async def test_a_subscription_that_is_refused_is_told(node: Node) -> None:
    producer = await start_count([])
    with pytest.raises(ProducerExit) as caught:
        await read(producer, partition=1)
    assert isinstance(caught.value.__cause__, BadSubscription)
    assert is_alive(producer)


async def test_events_nobody_asked_for_are_read_and_told(node: Node, events: Recorder) -> None:
    """GS-18."""
    producer = await start_noting([], dispatcher=Careless)
    async with events_of(producer, max_demand=2) as some:
        await settle()
        await producer.call(Push([1, 2, 3]))
        assert await take(3, some) == [1, 2, 3]
    assert [one.count for one in events.of(EventsInExcess)] == [1]


async def test_it_works_in_a_process_and_in_a_plain_task(node: Node) -> None:
    async def reading() -> list[Any]:
        return await read(await finite(1, 2))

    assert await in_process(reading) == [1, 2]
    assert await reading() == [1, 2]


async def test_leaving_the_block_leaves_nothing_behind(node: Node, events: Recorder) -> None:
    log: list[str] = []
    producer = await start_count(log)
    async with events_of(producer, max_demand=3, min_demand=0) as some:
        await anext(some)
        assert len(processes()) == 2
    assert processes() == [producer.pid]
    await settle()
    assert log == ["P handle_demand 3", "P handle_cancel cancel normal"]
    assert events.of(ProcessCrashed) == []


async def test_an_error_in_the_block_leaves_it_as_itself(node: Node) -> None:
    producer = await start_count([])
    with pytest.raises(KeyError, match="mine"):
        async with events_of(producer) as events:
            async for _ in events:
                raise KeyError("mine")
    assert processes() == [producer.pid]


async def test_a_block_that_is_not_read_asks_once(node: Node) -> None:
    log: list[str] = []
    producer = await start_count(log)
    async with events_of(producer, max_demand=4):
        await trio.sleep(5)
    await settle()
    assert log == ["P handle_demand 4", "P handle_cancel cancel normal"]


async def test_a_block_is_entered_again_but_not_twice_at_once(node: Node) -> None:
    producer = await start_count([])
    block = events_of(producer, max_demand=1)
    async with block as events:
        assert await anext(events) == 0
        with pytest.raises(RuntimeError, match="the events are in use"):
            await block.__aenter__()
    async with block as events:
        assert await anext(events) == 1


async def test_one_task_takes_a_step_and_none_after_the_block(node: Node) -> None:
    producer = await start_noting([])
    outcomes: list[Any] = []

    async def step(events: AsyncIterator[Any]) -> None:
        try:
            outcomes.append(await anext(events))
        except (trio.BusyResourceError, trio.ClosedResourceError) as exc:
            outcomes.append(type(exc))

    async with trio.open_nursery() as nursery:
        async with events_of(producer) as events:
            nursery.start_soon(step, events)
            await settle()
            with pytest.raises(trio.BusyResourceError):
                await anext(events)
        await settle()
    assert outcomes == [trio.ClosedResourceError]
    with pytest.raises(trio.ClosedResourceError, match="has been left"):
        await anext(events)


async def test_a_reader_hears_when_its_own_consumer_has_been_ended(node: Node) -> None:
    producer = await start_count([])
    async with events_of(producer, max_demand=1) as events:
        assert await anext(events) == 0
        (consumer,) = set(processes()) - {producer.pid}
        kill(ref(consumer))
        with pytest.raises(ProducerExit) as caught:
            await take(2, events)
        assert (caught.value.producer, caught.value.reason) == (None, Killed())
        assert await take(1, events) == []
    assert processes() == [producer.pid]


async def test_a_process_that_leaves_blocks_holds_nothing_of_them(node: Node) -> None:
    producer = await start_count([])

    async def reading() -> int:
        for _ in range(3):
            async with events_of(producer) as events:
                await anext(events)
        process = current_process()
        assert process is not None
        return len(process.claims or ())

    assert await in_process(reading) == 0


async def test_a_process_that_does_not_leave_the_block_takes_it_along(
    node: Node, events: Recorder
) -> None:
    producer = await start_count([])
    kept: list[Any] = []

    async def careless() -> None:
        block = events_of(producer)
        kept.append(block)
        await block.__aenter__()

    await in_process(careless)
    await settle()
    assert processes() == [producer.pid]
    assert events.of(ProcessCrashed) == []


def test_what_cannot_be_is_refused_at_once() -> None:
    with pytest.raises(TypeError, match="producers: got none, allowed are names, pids and Refs"):
        events_of()
    with pytest.raises(BadSubscription, match="max_demand: got 0"):
        events_of("p", max_demand=0)
    wrong: Any = "always"
    with pytest.raises(BadSubscription, match="cancel: got 'always'"):
        events_of("p", cancel=wrong)
    wrong = 7
    with pytest.raises(TypeError, match="producers: got 7, allowed are a name, a Pid and a Ref"):
        events_of(wrong)
