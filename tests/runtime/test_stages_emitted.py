"""What a callback may return as events, and what is refused."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import msgspec
import pytest

from runtime import BadResult, Continue, Crashed, Idle, Node, NoReply, Reply, Stop
from runtime.stages import Emitted, ProducerConsumer, Subscription
from runtime.stages.emitted import iterated
from tests.runtime.staging import AsyncSource, Do, Middle, Sink, Source, chunks, joined
from tests.support import end_of


class Point(msgspec.Struct):
    """One event, not several."""

    x: int = 0


def counted() -> Iterator[int]:
    yield from (1, 2)


def breaks_off() -> Iterator[int]:
    yield 1
    raise OSError("disk")


async def counted_later() -> AsyncIterator[int]:
    yield 1


class Answering(Source):
    """Answers its first demand with what it is given."""

    answer: Any = None

    def next(self, demand: int) -> Any:
        answer, self.answer = self.answer, None
        return answer


class AsyncAnswering(AsyncSource, Answering):
    """The same with ``async def``."""


ANSWERING: list[Any] = [Answering, AsyncAnswering]


@pytest.mark.parametrize("kind", ANSWERING)
@pytest.mark.parametrize(
    "answer",
    [lambda: [1, 2], lambda: (1, 2), lambda: range(1, 3), counted, lambda: {1: 0, 2: 0}.keys(),
     lambda: deque([1, 2]), lambda: iter([1, 2])],
)  # fmt: skip
async def test_events_are_any_iterable(node: Node, kind: Any, answer: Callable[[], Any]) -> None:
    log: list[Any] = []
    await joined(await Sink.start(log), await kind.start(answer=answer()), max_demand=10)
    assert chunks(log) == [[1, 2]]


@pytest.mark.parametrize("kind", ANSWERING)
@pytest.mark.parametrize("answer", [None, [], (), iter(())])
async def test_there_may_be_none(node: Node, kind: Any, answer: Any) -> None:
    log: list[Any] = []
    source = await kind.start(answer=answer)
    await joined(await Sink.start(log), source)
    assert await source.call(Do(lambda stage: stage.log)) == [("subscribed", "consumer"), 1000]
    assert chunks(log) == []


@pytest.mark.parametrize("kind", ANSWERING)
@pytest.mark.parametrize(
    "answer",
    ["abc", b"abc", bytearray(b"abc"), {"a": 1}, 5, Point(), object(), counted_later(), Reply(1),
     NoReply(), Idle(1), Continue(1), Stop("x", reply=1)],
    ids=lambda answer: type(answer).__name__,
)  # fmt: skip
async def test_what_is_surely_a_slip_is_a_bad_result(
    node: Node, events: list[Any], kind: Any, answer: Any
) -> None:
    source = await kind.start(answer=answer)
    await joined(await Sink.start(), source)
    reason = end_of(events, source.pid)
    assert isinstance(reason, Crashed)
    assert isinstance(reason.exception, BadResult)
    text = f"handle_demand of {kind.__name__} returned .*, allowed are .*None and Stop"
    assert re.match(text, str(reason.exception))
    assert reason.exception.value is answer


@pytest.mark.parametrize("kind", ANSWERING)
async def test_an_iterator_that_raises_gives_nothing(
    node: Node, events: list[Any], kind: Any
) -> None:
    log: list[Any] = []
    source = await kind.start(answer=breaks_off())
    await joined(await Sink.start(log), source, cancel="temporary")
    reason = end_of(events, source.pid)
    assert isinstance(reason, Crashed)
    assert isinstance(reason.exception, OSError)
    assert chunks(log) == []


@pytest.mark.parametrize("kind", ANSWERING)
async def test_a_list_that_is_returned_stays_the_users(node: Node, kind: Any) -> None:
    mine, log = [1, 2], list[Any]()
    sink = await Sink.start(log, lambda events: events.clear())
    await joined(sink, await kind.start(answer=mine))
    assert (mine, log[1:]) == ([1, 2], [[]])


async def test_stop_ends_the_stage(node: Node, events: list[Any]) -> None:
    source = await Answering.start(answer=Stop("done"))
    sink = await Sink.start()
    await joined(sink, source)
    assert (end_of(events, source.pid), end_of(events, sink.pid)) == ("done", "done")


class Turned(Middle, ProducerConsumer[Any, Any]):
    """Returns what it is given."""

    def handle_events(self, events: list[Any], subscription: Subscription) -> Emitted[Any]:
        answer: Emitted[Any] = self.fn(events)
        return answer


async def test_a_stage_in_the_middle_is_held_to_the_same(node: Node, events: list[Any]) -> None:
    source, middle = await Source.start(None, 2), await Turned.start(None, lambda _: "ab")
    await joined(middle, source)
    await joined(await Sink.start(), middle)
    reason = end_of(events, middle.pid)
    assert isinstance(reason, Crashed)
    assert str(reason.exception).startswith("handle_events of Turned returned 'ab', allowed are an")


@pytest.mark.parametrize("events", ["abc", b"abc", 5, None, {"a": 1}, Point(), Stop()])
def test_what_is_emitted_is_an_iterable_too(events: Any) -> None:
    allowed = "allowed is an iterable of events: [event] for one"
    with pytest.raises(TypeError, match=rf"^events: got .*, {re.escape(allowed)}$"):
        iterated(events)


def test_what_is_emitted_is_copied() -> None:
    mine = [1, 2]
    assert iterated(mine) == mine
    assert iterated(mine) is not mine
    assert iterated(counted()) == [1, 2]


async def test_a_slip_in_emit_is_raised_where_it_is(node: Node) -> None:
    log: list[Any] = []
    source = await Source.start()
    await joined(await Sink.start(log), source)

    def slip(stage: Source) -> None:
        with pytest.raises(TypeError, match=r"^events: got 'ab'"):
            stage.emit("ab")
        with pytest.raises(OSError, match=r"^disk$"):
            stage.emit(breaks_off())
        stage.emit([3])

    await source.call(Do(slip))
    await joined(await Sink.start(), source)
    assert chunks(log) == [[3]]


@pytest.mark.parametrize(
    ("sink", "text"),
    [
        (
            {"then": lambda events: events},
            "handle_events of Sink returned [0], allowed are None and Stop(reason)",
        ),
        (
            {"mode": "auto"},
            "handle_subscribe of Sink returned 'auto', allowed are 'automatic', 'manual', None and",
        ),
    ],
)
async def test_bad_results_of_the_other_callbacks_are_told(
    node: Node, events: list[Any], sink: dict[str, Any], text: str
) -> None:
    """GS-21 among them, which differs."""
    source, consumer = await Source.start(None, 1), await Sink.start(**sink)
    await joined(consumer, source)
    reason = end_of(events, consumer.pid)
    assert isinstance(reason, Crashed)
    assert isinstance(reason.exception, BadResult)
    assert str(reason.exception).startswith(text)
