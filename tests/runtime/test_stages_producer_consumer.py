"""Stages in the middle: GS-39 to GS-48."""

from __future__ import annotations

from typing import Any

import pytest
import trio

from runtime import Node, Stop, exit, is_alive, kill, self_, wait_exit
from runtime.current import find_process
from runtime.exits import KILLED
from runtime.stages import (
    BroadcastDispatcher,
    ProducerConsumer,
    Subscription,
    buffered_count,
    get_demand,
    queue_info,
    set_demand,
    subscribe,
)
from runtime.stages.subscription import Events
from tests.runtime.staging import (
    KINDS,
    AsyncMiddle,
    AsyncSink,
    Do,
    Log,
    Middle,
    Sink,
    Source,
    chunks,
    demands,
    emitted,
    ends,
    joined,
    settled,
)
from tests.support import end_of

MIDDLES: list[Any] = [Middle, AsyncMiddle]


@pytest.mark.parametrize("kinds", KINDS)
@pytest.mark.parametrize("first", ["up", "down"])
async def test_a_doubler(node: Node, kinds: Any, first: str) -> None:
    """GS-39, GS-47: in which order they subscribe is all the same."""
    producer, middle, consumer = kinds
    logs: list[Log] = [[], [], []]
    p = await producer.start(logs[0], 8)
    b = await middle.start(logs[1], lambda event: [event, event])
    c = await consumer.start(logs[2])
    if first == "down":
        await joined(c, b, max_demand=4, min_demand=2)
    await joined(b, p, max_demand=6, min_demand=4)
    if first == "up":
        assert chunks(logs[1]) == [], "GS-40: nobody wants any"
        assert demands(logs[0]) == [6]
        assert await buffered_count(b) == 0
        await joined(c, b, max_demand=4, min_demand=2)
    assert chunks(logs[1]) == [[0, 1], [2, 3], [4, 5], [6, 7]]
    assert [event for chunk in chunks(logs[2]) for event in chunk] == [
        number for number in range(8) for _ in range(2)
    ]
    assert demands(logs[0]) == [6, 2, 2, 2, 2]


@pytest.mark.parametrize("kind", MIDDLES)
async def test_it_handles_what_is_wanted_and_holds_the_rest(node: Node, kind: Any) -> None:
    """GS-41."""
    up: Log = []
    log: Log = []
    down: Log = []
    p, b = await Source.start(up), await kind.start(log)
    await joined(b, p, max_demand=4, min_demand=0)
    for number in range(4):
        await emitted(p, number)
    subscription = await joined(await Sink.start(down), b, mode="manual")
    assert chunks(log) == []
    for count in (2, 1):
        subscription.ask(count)
        await settled()
    assert chunks(log) == chunks(down) == [[0], [1], [2]]
    assert demands(up) == [4]
    subscription.ask(1)
    await settled()
    assert demands(up) == [4, 4]


@pytest.mark.parametrize("kind", MIDDLES)
async def test_a_filter_goes_on(node: Node, kind: Any) -> None:
    """GS-42."""
    log: Log = []
    down: Log = []
    p, b = await Source.start(None, 10), await kind.start(log, lambda _: [])
    await joined(await Sink.start(down), b, max_demand=2)
    await joined(b, p, max_demand=4, min_demand=2)
    assert chunks(log) == [[0, 1], [2, 3], [4, 5], [6, 7], [8, 9]]
    assert chunks(down) == []


@pytest.mark.parametrize("kind", MIDDLES)
async def test_what_is_too_much_is_buffered(node: Node, kind: Any) -> None:
    """GS-43, GS-44."""
    log: Log = []
    down: Log = []
    p, b = await Source.start(None, 2), await kind.start(log, lambda event: [event] * 5)
    await joined(b, p, max_demand=2, min_demand=1)
    subscription = await joined(await Sink.start(down), b, mode="manual")
    for _ in range(2):
        subscription.ask(3)
        await settled()
    assert chunks(log) == [[0], [1]]
    assert chunks(down) == [[0, 0, 0], [0, 0, 1]]
    assert await buffered_count(b) == 4


@pytest.mark.parametrize("kind", MIDDLES)
async def test_an_end_never_overtakes_events(node: Node, kind: Any) -> None:
    """GS-45: they are handled in one chunk, as nobody can be asked any more."""
    log: Log = []
    down: Log = []
    p, b = await Source.start(None, 4), await kind.start(log)
    subscription = await joined(b, p, max_demand=4, min_demand=2, cancel="temporary")
    subscription.cancel("done")
    await settled()
    assert ends(log) == []
    await joined(await Sink.start(down), b, max_demand=10)
    assert log[1:] == [
        ("subscribed", "consumer"), [0, 1, 2, 3], ("over", "cancel", "done", "producer"),
    ]  # fmt: skip
    assert chunks(down) == [[0, 1, 2, 3]]


@pytest.mark.parametrize("kind", MIDDLES)
async def test_a_permanent_one_hands_on_what_it_has_before_it_ends(
    node: Node, events: list[Any], kind: Any
) -> None:
    down: Log = []
    p, b = await Source.start(None, 4), await kind.start()
    await joined(b, p, max_demand=4, min_demand=2)
    kill(p)
    await settled()
    assert is_alive(b)
    await joined(await Sink.start(down), b, max_demand=10)
    assert end_of(events, b.pid) == KILLED
    assert chunks(down) == [[0, 1, 2, 3]]


async def test_an_end_with_nothing_before_it_is_told_at_once(node: Node) -> None:
    log: Log = []
    p, b = await Source.start(), await Middle.start(log)
    (await joined(b, p, cancel="temporary")).cancel("x")
    await settled()
    assert ends(log) == [("over", "cancel", "x", "producer")]


async def test_no_events_are_no_call_though_nobody_can_be_asked(node: Node) -> None:
    """A message whose events a selector has all rejected, of a subscription that has ended."""
    log: Log = []
    p, b = await Source.start(make=BroadcastDispatcher), await Middle.start(log)
    subscription = await joined(
        b, p, max_demand=4, cancel="temporary", selector=lambda event: event > 1
    )
    await emitted(p, 0, 1)
    await emitted(p, 2)
    subscription.cancel()
    await settled()
    await joined(await Sink.start(), b)
    assert chunks(log) == [[2]]


@pytest.mark.parametrize("kind", MIDDLES)
async def test_an_info_waits_behind_events_that_are_held(node: Node, kind: Any) -> None:
    """GS-46."""
    log: Log = []
    p, b = await Source.start(None, 2), await kind.start(log)
    await queue_info(b, "now")
    await settled()
    assert log == [("info", "now")]
    await joined(b, p, max_demand=2, min_demand=0)
    await queue_info(b, "behind")
    await settled()
    assert log[2:] == []
    await joined(await Sink.start(), b)
    assert log[2:] == [("subscribed", "consumer"), [0, 1], ("info", "behind")]


@pytest.mark.parametrize("kind", MIDDLES)
async def test_it_cannot_hold_demand(node: Node, kind: Any) -> None:
    """GS-48."""
    b = await kind.start()
    assert await get_demand(b) == "forward"
    await set_demand(b, "forward")
    text = (
        rf"^mode: got 'accumulate', allowed for the ProducerConsumer {kind.__name__} is 'forward'"
    )
    with pytest.raises(ValueError, match=text):
        await set_demand(b, "accumulate")
    assert is_alive(b)


async def test_one_without_a_handler_crashes_when_it_is_wanted(
    node: Node, events: list[Any]
) -> None:
    class Empty(ProducerConsumer[int, int]):
        """Says nothing."""

    p, b = await Source.start(None, 1), await Empty.start()
    await joined(b, p)
    assert is_alive(b)
    await joined(await Sink.start(), b)
    assert not is_alive(b)


@pytest.mark.parametrize("kind", MIDDLES)
async def test_stop_in_the_middle(node: Node, events: list[Any], kind: Any) -> None:
    class Last(kind):  # type: ignore[misc]
        def handle_events(self, events: list[Any], subscription: Subscription) -> Any:
            self.log.append(events)
            self.emit(["last"])
            return Stop("dry")

    log: Log = []
    down: Log = []
    up: Log = []
    p, b, c = await Source.start(up, 9), await Last.start(log), await Sink.start(down)
    await joined(c, b)
    await joined(b, p, max_demand=4, min_demand=2)
    assert (chunks(log), chunks(down), demands(up)) == ([[0, 1]], [["last"]], [4])
    assert end_of(events, b.pid) == end_of(events, c.pid) == "dry"


@pytest.mark.parametrize("kind", MIDDLES)
async def test_an_exit_of_its_own_is_heard_before_the_next_message(node: Node, kind: Any) -> None:
    class Exiting(kind):  # type: ignore[misc]
        def handle_events(self, events: list[Any], subscription: Subscription) -> list[Any]:
            self.log.append(events)
            exit(self_(), "mine")
            return events

    log: Log = []
    p, b = await Source.start(), await Exiting.start(log)
    await joined(b, p, max_demand=9)
    for number in range(3):
        await emitted(p, number)
    await subscribe(await Sink.start(), b)
    await wait_exit(b)
    assert chunks(log) == [[0]]


async def test_it_emits_from_elsewhere_too(node: Node) -> None:
    down: Log = []
    p, b = await Source.start(), await Middle.start()
    await joined(await Sink.start(down), b, max_demand=4)
    await joined(b, p)
    await emitted(b, "mine")
    await emitted(p, "theirs")
    assert chunks(down) == [["mine"], ["theirs"]]


async def test_more_events_come_while_it_handles_some(node: Node) -> None:
    """They wait in its mailbox; order is kept."""
    log: Log = []

    class Slow(Middle):
        async def handle_events(self, events: list[Any], subscription: Subscription) -> list[Any]:
            self.log.append(events)
            await trio.sleep(1)
            return events

    down: Log = []
    p, b = await Source.start(), await Slow.start(log)
    await joined(await Sink.start(down), b)
    await joined(b, p)
    for number in range(5):
        await emitted(p, number)
    await trio.sleep(10)
    assert chunks(log) == chunks(down) == [[0], [1], [2], [3], [4]]


@pytest.mark.parametrize("kinds", KINDS)
async def test_a_cycle_of_two_neither_locks_nor_runs_dry(node: Node, kinds: Any) -> None:
    """A gives to B and B to A: what is let in goes round, until one of them keeps it."""
    _, middle, _ = kinds
    logs: list[Log] = [[], []]
    a = await middle.start(logs[0], lambda event: [event + 1] if event < 20 else [])
    b = await middle.start(logs[1])
    await joined(a, b, max_demand=2)
    await joined(b, a, max_demand=2)
    await emitted(a, 0)
    assert chunks(logs[0]) == [[number] for number in range(21)]
    kill(a)
    await wait_exit(b)


@pytest.mark.parametrize("kinds", KINDS)
async def test_a_chain_of_two_hundred(node: Node, kinds: Any) -> None:
    producer, middle, consumer = kinds
    log: Log = []
    last = await producer.start(None, 50)
    chain = [last]
    for _ in range(200):
        b = await middle.start(None, lambda event: [event])
        await subscribe(b, last, max_demand=4)
        chain.append(b)
        last = b
    c = await consumer.start(log)
    await joined(c, last, max_demand=4)
    assert [event for chunk in chunks(log) for event in chunk] == list(range(50))
    kill(chain[0])
    for one in (*chain, c):
        await wait_exit(one)
    assert ends(log)[0][2] == KILLED


async def test_the_calls_of_a_chain_reach_deep(node: Node) -> None:
    """A stage may call another one in a handler; the stack is not used up."""
    log: Log = []
    b = await Middle.start()

    class Calling(Sink):
        async def handle_events(self, events: list[Any], subscription: Subscription) -> None:
            log.append(await b.call(Do(lambda stage: type(stage).__name__)))

    p = await Source.start(None, 3)
    await joined(await Calling.start(), p, max_demand=1)
    assert log == ["Middle"] * 3


async def test_what_nobody_subscribed_to_does_not_wait(node: Node) -> None:
    """GS-89 in the middle: strange events are not held."""
    log: Log = []
    p, b, c = await Source.start(), await Middle.start(log), await AsyncSink.start()
    subscription = await joined(c, p)
    process = find_process(b)
    assert process is not None
    process.post_system(Events(subscription, [1]))
    await joined(await Sink.start(), b)
    assert chunks(log) == []
