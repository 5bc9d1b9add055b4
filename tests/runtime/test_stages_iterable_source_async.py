"""Producers of async iterables and of Trio channels: asked by a task, one item at a time."""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

import pytest
import trio

from runtime import Crashed, Killed, Node, Ref, Shutdown, exit, is_alive, kill, start
from runtime.stages import buffered_count, from_channel, from_iterable, set_demand, subscribe
from tests.conftest import Recorder
from tests.runtime.flowing import settle, start_sink
from tests.support import end_of


class Ticking:
    """An async iterator that takes a second for each number, and says what it was asked."""

    def __init__(self, last: float = math.inf) -> None:
        self.asked = self.given = 0
        self.last = last

    def __aiter__(self) -> AsyncIterator[int]:
        return self

    async def __anext__(self) -> int:
        self.asked += 1
        await trio.sleep(1)
        if self.given == self.last:
            raise StopAsyncIteration
        self.given += 1
        return self.given


class Ticket:
    """An async iterable that is not its own iterator."""

    def __aiter__(self) -> AsyncIterator[int]:
        return Ticking(2)


async def ticking(last: int, log: list[str]) -> AsyncGenerator[int]:
    """As an async generator, which tells when it is closed."""
    try:
        for number in range(1, last + 1):
            await trio.sleep(1)
            yield number
    finally:
        log.append("closed")


async def feed(log: list[str], items: Any, **options: Any) -> tuple[Ref, Ref]:
    """Start a source and a consumer of it."""
    source, sink = await start(from_iterable(items)), await start_sink(log)
    await subscribe(sink, source, **options)
    return source, sink


@pytest.mark.parametrize("kind", ["iterator", "iterable", "generator", "channel"])
async def test_every_item_is_delivered_and_then_the_source_ends(node: Node, kind: str) -> None:
    """GS-96."""
    send, channel = trio.open_memory_channel[int](2)
    for number in (1, 2):
        send.send_nowait(number)
    send.close()
    items: Any = {
        "iterator": Ticking(2),
        "iterable": Ticket(),
        "generator": ticking(2, []),
        "channel": channel,
    }[kind]
    log: list[str] = []
    source, sink = await feed(log, items)
    await trio.sleep(5)
    chunks = (
        ["C handle_events [1, 2]"]
        if kind == "channel"
        else ["C handle_events [1]", "C handle_events [2]"]
    )
    assert log == [*chunks, "C handle_cancel down normal", "C terminate normal"]
    assert not is_alive(source)
    assert not is_alive(sink)


async def test_one_item_is_asked_of_the_source_and_only_when_there_is_demand(node: Node) -> None:
    items = Ticking()
    source = await start(from_iterable(items))
    sink = await start_sink([])
    subscription = await subscribe(sink, source, mode="manual")
    await trio.sleep(5.5)
    assert items.asked == 0
    subscription.ask(2)
    await settle()
    assert items.asked == 1
    await trio.sleep(1.5)
    assert (items.asked, items.given) == (2, 1)
    await trio.sleep(5)
    assert (items.asked, items.given) == (2, 2)
    subscription.ask(1)
    await settle()
    assert items.asked == 3


async def test_it_answers_calls_while_it_waits_for_an_item(node: Node) -> None:
    source, _ = await feed([], Ticking())
    await settle()
    with trio.fail_after(0.5):
        assert await buffered_count(source) == 0


async def test_what_is_in_a_channel_is_taken_as_far_as_it_is_wanted(node: Node) -> None:
    log: list[str] = []
    send, channel = trio.open_memory_channel[int](10)
    for number in range(10):
        send.send_nowait(number)
    source = await start(from_channel(channel))
    sink = await start_sink(log)
    await settle()
    assert channel.statistics().current_buffer_used == 10
    subscription = await subscribe(sink, source, mode="manual")
    subscription.ask(4)
    await settle()
    assert log == ["C handle_events [0, 1, 2, 3]"]
    assert channel.statistics().current_buffer_used == 6
    send.close()
    subscription.ask(9)
    await settle()
    assert log[1:] == [
        "C handle_events [4, 5, 6, 7, 8, 9]",
        "C handle_cancel down normal",
        "C terminate normal",
    ]
    assert not is_alive(source)


async def test_a_source_does_not_close_the_channel_it_was_given(node: Node) -> None:
    send, channel = trio.open_memory_channel[int](math.inf)
    first = await start(from_channel(channel))
    await first.stop()
    send.send_nowait(1)
    log: list[str] = []
    await feed(log, channel)
    await settle()
    assert log == ["C handle_events [1]"]


async def test_demand_that_is_held_is_no_demand(node: Node) -> None:
    items = Ticking()
    source = await start(from_iterable(items, demand="accumulate"))
    sink = await start_sink([])
    await subscribe(sink, source)
    await trio.sleep(3)
    assert items.asked == 0
    await set_demand(source, "forward")
    await settle()
    assert items.asked == 1


async def test_what_nobody_wants_any_more_is_kept_for_the_next_consumer(node: Node) -> None:
    log: list[str] = []
    source, first = await feed(log, Ticking(3), max_demand=3, cancel="temporary")
    await trio.sleep(1.5)
    await first.stop()
    await trio.sleep(10)
    assert is_alive(source)
    assert await buffered_count(source) == 2
    second = await start_sink(log, "D")
    await subscribe(second, source, max_demand=1, min_demand=0, cancel="temporary")
    await trio.sleep(2)
    assert log == [
        "C handle_events [1]",
        "C terminate normal",
        "D handle_events [2]",
        "D handle_events [3]",
        "D handle_cancel down normal",
    ]


async def test_a_failure_comes_behind_the_events_before_it_and_is_its_own_reason(
    node: Node, events: Recorder
) -> None:
    async def broken() -> AsyncGenerator[int]:
        yield 1
        await trio.sleep(1)
        raise ValueError("two")

    log: list[str] = []
    source, _ = await feed(log, broken())
    await trio.sleep(2)
    reason = end_of(events, source.pid)
    assert isinstance(reason, Crashed)
    assert repr(reason.exception) == "ValueError('two')"
    assert log == [
        "C handle_events [1]",
        "C handle_cancel down error(ValueError:two)",
        "C terminate error(ValueError:two)",
    ]


async def test_a_channel_that_is_closed_under_it_is_a_failure(node: Node, events: Recorder) -> None:
    _send, channel = trio.open_memory_channel[int](0)
    source, _ = await feed([], channel)
    await settle()
    channel.close()
    await settle()
    reason = end_of(events, source.pid)
    assert isinstance(reason, Crashed)
    assert isinstance(reason.exception, trio.ClosedResourceError)


@pytest.mark.parametrize("wanted", [True, False], ids=["in an item", "between two"])
@pytest.mark.parametrize("end", ["stop", "exit", "kill"])
async def test_an_async_generator_is_closed_when_the_source_ends(
    node: Node, events: Recorder, end: str, wanted: bool
) -> None:
    log: list[str] = []
    source = await start(from_iterable(ticking(9, log)))
    sink = await start_sink([])
    subscription = await subscribe(sink, source, mode="manual", cancel="temporary")
    subscription.ask(2 if wanted else 1)
    await trio.sleep(1.5)
    assert log == []
    if end == "stop":
        await source.stop(Shutdown())
    elif end == "exit":
        exit(source, Shutdown())
    else:
        kill(source)
    await settle()
    assert log == ["closed"]
    assert end_of(events, source.pid) == (Killed() if end == "kill" else Shutdown())


@pytest.mark.parametrize("steps", range(12))
@pytest.mark.parametrize("kind", ["channel", "generator"])
async def test_killed_at_any_step_it_leaves_nothing_and_repeats_nothing(
    node: Node, kind: str, steps: int
) -> None:
    async def counting() -> AsyncGenerator[int]:
        for number in range(8):
            await trio.lowlevel.checkpoint()
            yield number

    send, channel = trio.open_memory_channel[int](math.inf)
    for number in range(8):
        send.send_nowait(number)
    items: Any = channel if kind == "channel" else counting()
    log: list[str] = []
    source, sink = await feed(log, items, max_demand=2, cancel="temporary")
    for _ in range(steps):
        await trio.lowlevel.checkpoint()
    kill(source)
    await settle()
    handled = [int(n) for line in log if "events" in line for n in line[17:-1].split(", ")]
    assert handled == list(range(len(handled)))
    assert log[-1] in ("C handle_cancel down killed", "C handle_cancel down normal")
    assert is_alive(sink)


def test_what_is_no_channel_is_refused() -> None:
    channel: Any = [1]
    with pytest.raises(TypeError, match=r"channel: got \[1\], allowed is a Trio receive channel"):
        from_channel(channel)
