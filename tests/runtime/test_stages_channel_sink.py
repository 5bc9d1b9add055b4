"""Events that go into a Trio channel: back-pressure, and the ends of both sides."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import trio

from runtime import (
    CallExit,
    Crashed,
    Ignored,
    Node,
    Normal,
    Ref,
    Shutdown,
    exit,
    get_state,
    is_alive,
    kill,
    named,
    start,
)
from runtime.stages import ChannelSink, from_iterable, set_demand, subscribe
from tests.conftest import Recorder
from tests.runtime.flowing import Crash, Finish, Push, settle, start_count, start_noting
from tests.supervisors.tree_parts import kids, start_supervisor
from tests.support import end_of


async def sink_into(channel: Any, **how: Any) -> Ref:
    """A sink in the node's root."""
    return await start(ChannelSink.child_spec(channel, **how))


def taken(channel: trio.MemoryReceiveChannel[Any]) -> list[Any]:
    """What can be received without waiting."""
    got: list[Any] = []
    while True:
        try:
            got.append(channel.receive_nowait())
        except (trio.WouldBlock, trio.EndOfChannel):
            return got


async def test_a_reader_gets_every_event_and_then_the_end(node: Node) -> None:
    send, channel = trio.open_memory_channel[int](2)
    source = await start(from_iterable(range(7), demand="accumulate"))
    sink = await sink_into(send, to=source, max_demand=3)
    await set_demand(source, "forward")
    assert [event async for event in channel] == list(range(7))
    await settle()
    assert not is_alive(sink)


async def test_a_slow_reader_slows_the_producer_down(node: Node) -> None:
    """What is under way, and what the channel holds: no more is ever made ahead of the reader."""
    producer = await start_count([])
    send, channel = trio.open_memory_channel[int](2)
    await sink_into(send, to=producer, max_demand=4, min_demand=2)
    ahead: list[int] = []
    for used in range(20):
        await settle()
        ahead.append((await get_state(producer))["next"] - used)
        assert channel.receive_nowait() == used
    assert max(ahead) == 2 + 4


@pytest.mark.parametrize("reason", [Normal(), Shutdown(), "broken"])
async def test_the_end_of_the_producer_is_the_end_of_the_channel(
    node: Node, events: Recorder, reason: object
) -> None:
    """Clean or not, all that was sent is there before it; who must know why asks for the reason."""
    producer = await start_noting([])
    send, channel = trio.open_memory_channel[int](9)
    sink = await sink_into(send, to=producer)
    await settle()
    await producer.call(Push([1, 2]))
    await producer.call(Finish(reason))
    assert [event async for event in channel] == [1, 2]
    await settle()
    assert end_of(events, sink.pid) == reason


async def test_a_crash_of_the_producer_too(node: Node, events: Recorder) -> None:
    producer = await start_noting([])
    send, channel = trio.open_memory_channel[int](9)
    sink = await sink_into(send, to=producer)
    error = ValueError("no")
    await settle()
    await producer.call(Push([1]))
    with pytest.raises(CallExit):
        await producer.call(Crash(error))
    assert [event async for event in channel] == [1]
    await settle()
    assert end_of(events, sink.pid) == Crashed(error)


@pytest.mark.parametrize("busy", [True, False], ids=["sending", "idle"])
@pytest.mark.parametrize("end", [kill, lambda target: exit(target, Shutdown())])
async def test_the_channel_is_closed_whatever_ends_the_sink(
    node: Node, end: Callable[[Ref], object], busy: bool
) -> None:
    producer = await start_noting([])
    send, channel = trio.open_memory_channel[int](0)
    sink = await sink_into(send, to=producer)
    if busy:
        await producer.call(Push([1]))
    await settle()
    end(sink)
    await settle()
    assert not is_alive(sink)
    with pytest.raises(trio.EndOfChannel):
        channel.receive_nowait()


async def test_a_reader_that_has_left_ends_the_sink_cleanly(node: Node, events: Recorder) -> None:
    log: list[str] = []
    producer = await start_noting(log)
    send, channel = trio.open_memory_channel[int](1)
    sink = await sink_into(send, to=producer, max_demand=5)
    channel.close()
    await settle()
    assert is_alive(sink)
    await producer.call(Push([1, 2]))
    await settle()
    assert end_of(events, sink.pid) == Normal()
    assert log == ["P handle_demand 5", "P handle_cancel down normal"]


async def test_a_reader_that_leaves_while_the_sink_waits_for_it(
    node: Node, events: Recorder
) -> None:
    producer = await start_noting([])
    send, channel = trio.open_memory_channel[int](0)
    sink = await sink_into(send, to=producer)
    await settle()
    await producer.call(Push([1]))
    await settle()
    channel.close()
    await settle()
    assert end_of(events, sink.pid) == Normal()


async def test_a_channel_that_is_closed_under_it_ends_the_sink(
    node: Node, events: Recorder
) -> None:
    producer = await start_noting([])
    send, _channel = trio.open_memory_channel[int](1)
    sink = await sink_into(send, to=producer)
    send.close()
    await producer.call(Push([1]))
    await settle()
    assert end_of(events, sink.pid) == Normal()


async def test_a_sink_that_is_started_again_finds_its_channel_closed(node: Node) -> None:
    send, _channel = trio.open_memory_channel[int](1)
    spec = ChannelSink.child_spec(send).replace(name="sink")
    top = await start_supervisor([spec], max_restarts=1)
    kill(named("sink"))
    await settle()
    assert await kids(top) == "sink=undefined"
    with pytest.raises(Ignored):
        await start(spec)


async def test_several_producers_and_more_of_them_later(node: Node) -> None:
    send, channel = trio.open_memory_channel[int](9)
    producers = [await start_noting([]) for _ in range(3)]
    sink = await sink_into(send, to=producers[:2], cancel="temporary")
    await subscribe(sink, producers[2], cancel="temporary")
    await settle()
    for number, producer in enumerate(producers):
        await producer.call(Push([number]))
        await settle()
        await producer.stop()
    assert taken(channel) == [0, 1, 2]
    assert is_alive(sink)


class Slow(trio.abc.SendChannel[int]):
    """A channel of the user's own: each event takes a second, and three are enough."""

    def __init__(self) -> None:
        self.sent: list[int | str] = []

    async def send(self, value: int) -> None:
        await trio.sleep(1)
        if len(self.sent) == 3:
            raise trio.BrokenResourceError
        self.sent.append(value)

    async def aclose(self) -> None:
        self.sent.append("closed")


async def test_a_channel_of_the_users_own(node: Node, events: Recorder) -> None:
    channel = Slow()
    sink = await sink_into(channel, to=await start_count([]), max_demand=2)
    await trio.sleep(2.5)
    assert channel.sent == [0, 1]
    await trio.sleep(2)
    assert channel.sent == [0, 1, 2, "closed"]
    assert end_of(events, sink.pid) == Normal()


@pytest.mark.parametrize("steps", range(14))
async def test_stopped_at_any_step_what_the_reader_has_is_without_gaps(
    node: Node, steps: int
) -> None:
    producer = await start_count([])
    send, channel = trio.open_memory_channel[int](1)
    sink = await sink_into(send, to=producer, max_demand=3)
    got: list[int] = []

    async def read() -> None:
        async for event in channel:
            got.append(event)  # noqa: PERF401  one by one, to see how far it has come

    async with trio.open_nursery() as nursery:
        nursery.start_soon(read)
        for _ in range(steps):
            await trio.lowlevel.checkpoint()
        if steps % 2:
            kill(sink)
        else:
            await sink.stop(Shutdown())
    assert got == list(range(len(got)))
    assert is_alive(producer)


def test_what_is_no_channel_is_refused() -> None:
    channel: Any = []
    with pytest.raises(TypeError, match=r"channel: got \[\], allowed is a Trio send channel"):
        ChannelSink(channel)


def test_options_are_checked_when_it_is_made() -> None:
    send, _ = trio.open_memory_channel[int](0)
    with pytest.raises(ValueError, match="max_demand: got 0"):
        ChannelSink(send, to="p", max_demand=0)
