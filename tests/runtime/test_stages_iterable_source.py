"""Producers of plain iterables: what they take, when they end, what a failure is."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from itertools import count
from typing import Any

import pytest

from runtime import ChildSpec, Crashed, Node, Normal, Ref, is_alive, start
from runtime.stages import (
    BroadcastDispatcher,
    DemandDispatcher,
    from_iterable,
    set_demand,
    subscribe,
)
from tests.conftest import Recorder
from tests.runtime.flowing import settle, start_sink
from tests.support import end_of


class Told:
    """An endless iterable that writes down what it gives."""

    def __init__(self) -> None:
        self.taken: list[int] = []

    def __iter__(self) -> Iterator[int]:
        for number in count():
            self.taken.append(number)
            yield number


async def read_all(spec: ChildSpec, log: list[str], **options: Any) -> tuple[Ref, Ref]:
    """Start a source and a consumer of it, and see what follows."""
    source, sink = await start(spec), await start_sink(log)
    await subscribe(sink, source, **options)
    await settle()
    return source, sink


async def test_a_finite_source_ends_when_its_last_event_has_gone_and_a_permanent_consumer_with_it(
    node: Node,
) -> None:
    """GS-96."""
    log: list[str] = []
    source, sink = await read_all(from_iterable(range(1, 8)), log, max_demand=4, min_demand=2)
    assert log == [
        "C handle_events [1, 2]",
        "C handle_events [3, 4]",
        "C handle_events [5, 6]",
        "C handle_events [7]",
        "C handle_cancel down normal",
        "C terminate normal",
    ]
    assert not is_alive(source)
    assert not is_alive(sink)


async def test_a_transient_consumer_stays(node: Node) -> None:
    """GS-96."""
    log: list[str] = []
    source, sink = await read_all(from_iterable([1, 2, 3]), log, cancel="transient")
    assert log == ["C handle_events [1, 2, 3]", "C handle_cancel down normal"]
    assert not is_alive(source)
    assert is_alive(sink)


async def test_the_end_waits_for_events_that_nobody_wants_any_more(node: Node) -> None:
    """GS-96: a consumer has gone without what it had asked for, and the next one gets it."""
    log: list[str] = []
    source, first = (
        await start(from_iterable([1, 2, 3], demand="accumulate")),
        await start_sink(log),
    )
    await subscribe(first, source, cancel="temporary", max_demand=5)
    await first.stop()
    await settle()
    await set_demand(source, "forward")
    await settle()
    assert is_alive(source)
    second = await start_sink(log, "D")
    await subscribe(second, source, max_demand=2, min_demand=0)
    await settle()
    assert log == [
        "C terminate normal",
        "D handle_events [1, 2]",
        "D handle_events [3]",
        "D handle_cancel down normal",
        "D terminate normal",
    ]


async def test_on_cancel_stop_ends_a_source_with_its_last_consumer(
    node: Node, events: Recorder
) -> None:
    """GS-97."""
    log: list[str] = []
    source, first = await read_all(from_iterable(count(), on_cancel="stop"), log, mode="manual")
    second = await start_sink(log, "D")
    await subscribe(second, source, mode="manual")
    await first.stop()
    await settle()
    assert is_alive(source)
    await second.stop()
    await settle()
    assert end_of(events, source.pid) == Normal()


async def test_without_it_the_source_stays(node: Node) -> None:
    """GS-97."""
    source, sink = await read_all(from_iterable(count()), [], mode="manual")
    await sink.stop()
    await settle()
    assert is_alive(source)


async def test_no_more_is_taken_than_was_asked_for(node: Node) -> None:
    items = Told()
    source = await start(from_iterable(items))
    await settle()
    assert items.taken == []
    sink = await start_sink([])
    subscription = await subscribe(sink, source, mode="manual")
    await settle()
    assert items.taken == []
    subscription.ask(3)
    await settle()
    assert items.taken == [0, 1, 2]
    subscription.ask(2)
    await settle()
    assert items.taken == [0, 1, 2, 3, 4]


async def test_demand_is_held_until_it_is_forwarded(node: Node) -> None:
    items = Told()
    source = await start(from_iterable(items, demand="accumulate"))
    sink = await start_sink([])
    subscription = await subscribe(sink, source, mode="manual")
    subscription.ask(2)
    await settle()
    assert items.taken == []
    await set_demand(source, "forward")
    await settle()
    assert items.taken == [0, 1]


async def test_a_source_has_the_dispatcher_that_was_wanted(node: Node) -> None:
    log: list[str] = []
    spec = from_iterable([1, 2], demand="accumulate", dispatcher=BroadcastDispatcher)
    source = await start(spec)
    for name in "AB":
        await subscribe(await start_sink(log, name), source, cancel="temporary")
    await set_demand(source, "forward")
    await settle()
    assert sorted(log) == [
        "A handle_cancel down normal",
        "A handle_events [1, 2]",
        "B handle_cancel down normal",
        "B handle_events [1, 2]",
    ]


async def test_what_came_before_a_failure_is_delivered_and_then_the_source_ends_with_it(
    node: Node, events: Recorder
) -> None:
    def broken() -> Iterator[int]:
        yield 1
        yield 2
        raise ValueError("three")

    log: list[str] = []
    source, _ = await read_all(from_iterable(broken()), log)
    reason = end_of(events, source.pid)
    assert isinstance(reason, Crashed)
    assert repr(reason.exception) == "ValueError('three')"
    assert log == [
        "C handle_events [1, 2]",
        "C handle_cancel down error(ValueError:three)",
        "C terminate error(ValueError:three)",
    ]


async def test_what_cannot_even_begin_ends_the_source(node: Node, events: Recorder) -> None:
    class Broken:
        def __iter__(self) -> Iterator[int]:
            raise ValueError("no")

    source, _ = await read_all(from_iterable(Broken()), [])
    reason = end_of(events, source.pid)
    assert isinstance(reason, Crashed)
    assert repr(reason.exception) == "ValueError('no')"


async def test_a_generator_is_closed_at_the_end_and_nothing_else_is(node: Node) -> None:
    log: list[str] = []

    def told() -> Generator[int]:
        try:
            yield from count()
        finally:
            log.append("closed")

    generator, iterator = told(), iter([1, 2, 3])
    for items in (generator, iterator):
        source, sink = await read_all(from_iterable(items), [], mode="manual")
        subscription = await subscribe(sink, source, mode="manual", cancel="temporary")
        subscription.ask(1)
        await settle()
        await source.stop()
    assert log == ["closed"]
    assert list(generator) == []
    assert list(iterator) == [2, 3]


async def test_nothing_is_asked_of_a_source_that_is_over(node: Node) -> None:
    """Events that wait for a consumer keep it alive, and demand meanwhile is nothing to it."""
    asked: list[int] = []

    class Ending:
        def __iter__(self) -> Ending:
            return self

        def __next__(self) -> int:
            asked.append(len(asked))
            if len(asked) in (1, 2):
                return asked[-1]
            raise StopIteration

    source = await start(from_iterable(Ending(), demand="accumulate"))
    gone = await start_sink([])
    await subscribe(gone, source, cancel="temporary", max_demand=5)
    await gone.stop()
    await settle()
    await set_demand(source, "forward")
    await settle()
    log: list[str] = []
    sink = await start_sink(log)
    subscription = await subscribe(sink, source, mode="manual")
    subscription.ask(1)
    await settle()
    assert is_alive(source)
    subscription.ask(9)
    await settle()
    assert not is_alive(source)
    assert log[:2] == ["C handle_events [0]", "C handle_events [1]"]
    assert asked == [0, 1, 2]


async def test_a_source_that_is_begun_again_asks_for_an_iterator_again(node: Node) -> None:
    spec = from_iterable([1, 2])
    assert spec.restart == "temporary"
    for _ in range(2):
        log: list[str] = []
        await read_all(spec, log, cancel="temporary")
        assert log == ["C handle_events [1, 2]", "C handle_cancel down normal"]


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"on_cancel": "end"}, ValueError, "on_cancel: got 'end', allowed are 'continue', 'stop'"),
        (
            {"demand": "hold"},
            ValueError,
            "demand: got 'hold', allowed are 'forward', 'accumulate'",
        ),
        (
            {"dispatcher": DemandDispatcher()},
            TypeError,
            "dispatcher: got <.*>, allowed is what makes one, such as BroadcastDispatcher",
        ),
    ],
)
def test_wrong_options_are_refused_when_the_spec_is_made(
    options: dict[str, Any], error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        from_iterable([1], **options)


def test_what_is_no_iterable_is_refused() -> None:
    items: Any = 7
    with pytest.raises(TypeError, match="items: got 7, allowed is an iterable or an async"):
        from_iterable(items)
