"""The half with producers: subscribing, asking, and the ends of subscriptions."""

from __future__ import annotations

from typing import Any

import pytest
import trio

from runtime import (
    Crashed,
    EventsInExcess,
    Node,
    NoNode,
    NoProcess,
    OutsideProcess,
    Ref,
    Registry,
    Stop,
    is_alive,
    kill,
    named,
    resume,
    snapshot,
    start,
    suspend,
    via,
    wait_exit,
)
from runtime.current import find_process
from runtime.stages import (
    BadSubscription,
    Subscription,
    SubscriptionOptions,
    subscribe,
)
from runtime.stages.consuming import Consuming
from runtime.stages.subscription import Events
from tests.runtime.staging import (
    KINDS,
    AsyncSink,
    Begin,
    Do,
    Log,
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


class AtStart(Sink):
    """Subscribes in ``init``."""

    def __init__(self, log: Log, to: Any, options: dict[str, Any]) -> None:
        super().__init__(log)
        self.to, self.options = to, options

    def init(self) -> None:
        self.mine = self.subscribe(self.to, **self.options)


async def test_to_subscribe_in_init_is_a_request(node: Node) -> None:
    """Nothing is awaited, and it works whether the producer is up or comes to be."""
    log: Log = []
    up: Log = []
    p = await Source.start(up, 3)
    await suspend(p)
    for to in (p, p.pid):
        await AtStart.start(log, to, {"max_demand": 2})
    await settled()
    assert up == [], "the starts have not waited for that"
    await resume(p)
    await settled()
    assert demands(up)[0] == 2
    assert log[0] == ("subscribed", "producer")
    assert sorted(event for chunk in chunks(log) for event in chunk) == [0, 1, 2]


async def test_by_name_and_by_way_of_a_registry(node: Node) -> None:
    await start(Registry.child_spec().replace(name="names"))
    await start(Source.child_spec(None, 1).replace(name="numbers"))
    await start(Source.child_spec(None, 1).replace(name=via("names", 7)))
    for to in ("numbers", via("names", 7)):
        log: Log = []
        await AtStart.start(log, to, {})
        await settled()
        assert chunks(log) == [[0]]


@pytest.mark.parametrize("to", ["nobody", named("nobody"), via("nowhere", 1)])
@pytest.mark.parametrize("cancel", ["permanent", "transient", "temporary"])
async def test_nobody_is_there(node: Node, to: Any, cancel: Any) -> None:
    """GS-83, GS-84."""
    log: Log = []
    c = await Sink.start(log)
    subscription = await joined(c, to, cancel=cancel)
    assert subscription.producer is None
    over = [("over", "down", NoProcess(), "producer")]
    assert log == (over if cancel == "temporary" else [*over, ("end", NoProcess())])
    assert is_alive(c) == (cancel == "temporary")


async def test_a_dead_pid_is_nobody_too(node: Node) -> None:
    log: Log = []
    p = await Source.start()
    kill(p)
    await wait_exit(p)
    c = await Sink.start(log)
    subscription = await joined(c, p, cancel="temporary")
    assert subscription.producer is p.pid
    assert log == [("over", "down", NoProcess(), "producer")]


@pytest.mark.parametrize("kinds", KINDS)
async def test_to_itself_is_refused_and_nobody_is_harmed(node: Node, kinds: Any) -> None:
    _, middle, _ = kinds
    b = await middle.start()
    text = r"^to: got ref\(<Pid .*>\), which is this stage itself$"
    with pytest.raises(BadSubscription, match=text):
        await subscribe(b, b)

    def by_itself(stage: Any) -> None:
        with pytest.raises(BadSubscription, match=text):
            stage.subscribe(b)

    await b.call(Do(by_itself))
    assert is_alive(b)


async def test_wrong_options_are_refused_before_anything_is_sent(node: Node) -> None:
    """GS-15."""
    up: Log = []
    p, c = await Source.start(up), await Sink.start()
    with pytest.raises(BadSubscription, match=r"^max_demand: got 0"):
        await subscribe(c, p, max_demand=0)

    def by_itself(stage: Any) -> None:
        with pytest.raises(BadSubscription, match=r"^min_demand: got 5"):
            stage.subscribe(p, max_demand=5, min_demand=5)
        with pytest.raises(TypeError, match=r"^to: got 5, allowed are a name, a Pid and a Ref"):
            stage.subscribe(5)

    await c.call(Do(by_itself))
    await settled()
    assert (up, is_alive(c)) == ([], True)


class Odd(Ref):
    """A handle of a user's that raises when it is looked up."""

    __slots__ = ()

    @property
    def incarnation(self) -> None:
        return None

    def find(self) -> Any:
        raise KeyError("odd")


async def test_what_the_address_raises_is_the_askers(node: Node) -> None:
    c = await Sink.start()
    with pytest.raises(KeyError, match="odd"):
        await subscribe(c, Odd())
    assert is_alive(c)


async def test_only_a_running_stage_subscribes(node: Node) -> None:
    p, made = await Source.start(), Sink()
    text = r"^Sink.subscribe was called outside a running stage$"
    with pytest.raises(OutsideProcess, match=text):
        made.subscribe(p)

    class Early(Sink):
        def __init__(self) -> None:
            super().__init__()
            with pytest.raises(OutsideProcess):
                self.subscribe(p)

    c = await Early.start()
    stage = await c.call(Do(lambda stage: stage))
    await c.stop()
    with pytest.raises(OutsideProcess, match=r"^Early.subscribe was called outside"):
        stage.subscribe(p)


@pytest.mark.real_clock
async def test_no_thread_subscribes(node: Node) -> None:
    p, c = await Source.start(), await Sink.start()
    stage = await c.call(Do(lambda stage: stage))
    with pytest.raises(NoNode, match="foreign thread"):
        await trio.to_thread.run_sync(stage.subscribe, p)


async def test_subscribe_in_handle_events(node: Node) -> None:
    """A consumer that takes another producer on while it handles events of the first."""
    log: Log = []
    p, q = await Source.start(None, 2), await Source.start(None, 3)

    class Growing(Sink):
        grown = False

        def handle_events(self, events: list[Any], subscription: Subscription) -> None:
            log.append((subscription.producer, events))
            if not self.grown:
                self.grown = True
                self.subscribe(q, max_demand=3, min_demand=0)

    await joined(await Growing.start(), p, max_demand=1)
    assert log[0] == (p.pid, [0])
    assert sorted(log, key=lambda one: len(one[1]))[1:] == [(p.pid, [1]), (q.pid, [0, 1, 2])]


async def test_it_may_subscribe_and_end_in_one_step(node: Node, events: list[Any]) -> None:
    up: Log = []
    p = await Source.start(up)
    c = await Sink.start()

    def last(stage: Any) -> Stop:
        stage.subscribe(p)
        return Stop("done")

    c.cast(Begin(last))
    await settled()
    assert end_of(events, c.pid) == "done"
    assert demands(up) == []
    assert is_alive(p)


async def test_a_thousand_subscriptions_of_one_consumer(node: Node) -> None:
    log: Log = []
    p, c = await Source.start(None, 5000), await Sink.start(log)
    made = [await subscribe(c, p, max_demand=4, cancel="temporary") for _ in range(1000)]
    await settled()
    assert sorted(event for chunk in chunks(log) for event in chunk) == list(range(5000))
    for one in made:
        one.cancel("enough")
    await settled()
    assert len(ends(log)) == 1000
    assert (await facts_of(c))["producers"] == 0


async def facts_of(stage: Ref) -> dict[str, Any]:
    """What it says of itself."""
    (found,) = [one for one in snapshot().processes if one.pid == stage.pid.number]
    return dict(found.facts)


async def test_what_it_says_of_itself(node: Node) -> None:
    p, c, m = await Source.start(), await Sink.start(), await Sink.start()
    assert await facts_of(c) == {"producers": 0, "pending demand": 0}
    await joined(c, p, max_demand=7)
    await joined(c, p, max_demand=3)
    await joined(m, p, mode="manual")
    await emitted(p, 1)
    assert await facts_of(c) == {"producers": 2, "pending demand": 9}
    assert await facts_of(m) == {"producers": 1, "pending demand": 0}


async def test_the_half_alone_is_no_stage(node: Node, events: list[Any]) -> None:
    class Half(Consuming[int]):
        """Handles nothing."""

    c = await Half.start()
    await joined(c, await Source.start(None, 1))
    reason = end_of(events, c.pid)
    assert isinstance(reason, Crashed)
    assert isinstance(reason.exception, NotImplementedError)


# ---------------------------------------------------------------------- mode


@pytest.mark.parametrize("kind", [Sink, AsyncSink])
@pytest.mark.parametrize(
    ("option", "returned", "asks"),
    [
        (None, None, [10]),
        ("automatic", None, [10]),
        ("manual", None, []),
        (None, "manual", []),
        ("automatic", "manual", []),
        ("manual", "automatic", [10]),
    ],
)
async def test_who_asks(node: Node, kind: Any, option: Any, returned: Any, asks: Log) -> None:
    """GS-90: what ``handle_subscribe`` says counts more than the option."""
    up: Log = []
    p, c = await Source.start(up), await kind.start(None, mode=returned)
    await joined(c, p, max_demand=10, mode=option)
    assert demands(up) == asks


async def test_a_manual_consumer_gets_messages_as_they_are(node: Node) -> None:
    """GS-90, GS-91, GS-63."""
    log: Log = []
    up: Log = []
    p = await Source.start(up, 100)
    subscription = await joined(await Sink.start(log), p, mode="manual", max_demand=4, min_demand=1)
    subscription.ask(7)
    await settled()
    assert (chunks(log), demands(up)) == ([list(range(7))], [7])


async def test_stop_from_handle_subscribe(node: Node, events: list[Any]) -> None:
    up: Log = []
    p = await Source.start(up)
    for kind in (Sink, AsyncSink):
        c = await kind.start(None, mode=Stop("no"))
        await joined(c, p)
        assert end_of(events, c.pid) == "no"
    assert demands(up) == []


# ---------------------------------------------------------------------- events


async def test_excess_is_handled_and_told(node: Node, events: list[Any]) -> None:
    """GS-18."""
    log: Log = []
    p, c = await Source.start(), await Sink.start(log)
    subscription = await joined(c, p, max_demand=4)
    process = find_process(c)
    assert process is not None
    process.post_system(Events(subscription, [1, 2, 3, 4, 5, 6, 7]))
    await settled()
    assert chunks(log) == [[1, 2], [3, 4], [5, 6], [7]]
    (told,) = [one for one in events if isinstance(one, EventsInExcess)]
    assert (told.pid, told.producer, told.count) == (c.pid, p.pid, 3)


async def test_excess_that_nobody_wants_to_hear_of(node: Node) -> None:
    """As the other, by way of an instrument that is asked first."""
    c = await Sink.start()
    p = await Source.start()
    subscription = await joined(c, p, max_demand=1)
    process = find_process(c)
    assert process is not None
    instruments = process.table.instruments
    assert instruments.want(EventsInExcess)
    process.table.instruments = type(instruments)([])
    process.post_system(Events(subscription, [1, 2]))
    await settled()
    process.table.instruments = instruments
    assert is_alive(c)


@pytest.mark.parametrize("kinds", KINDS)
async def test_events_of_a_stranger_are_sent_back(node: Node, kinds: Any) -> None:
    """GS-89."""
    producer, middle, consumer = kinds
    up: Log = []
    p = await producer.start(up)
    for kind in (middle, consumer):
        log: Log = []
        c = await kind.start(log)
        subscription = await joined(c, p)
        process = find_process(c)
        assert process is not None
        process.post_system(Events(Subscription(p.pid, c.pid, SubscriptionOptions()), ["strange"]))
        await settled()
        assert chunks(log) == []
        assert is_alive(c)
        subscription.ask(1)
    assert is_alive(p)
