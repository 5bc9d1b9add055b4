"""Rows of GS about the end of a subscription."""

from __future__ import annotations

from typing import Any

from runtime import (
    ExitReason,
    Killed,
    NoProcess,
    Normal,
    Shutdown,
    is_alive,
    kill,
    named,
    wait_exit,
)
from runtime.current import find_process
from runtime.stages import CancelMode, Subscription, SubscriptionOptions, resubscribe, subscribe
from runtime.stages.subscription import Events, SubscribeAsked
from tests.conformance.gs.parts import Do, Log, Pushed, Sink, push, settled
from tests.conformance.scenarios import row

FOUR: list[ExitReason] = [Normal(), Shutdown(), Shutdown("x"), "boom"]


async def told_to_cancel(cancel: CancelMode, reason: ExitReason) -> tuple[Log, bool]:
    """What a consumer writes when its subscription is cancelled, and whether it lives."""
    log: Log = []
    p = await Pushed.start([])
    c = await Sink.start(log)
    subscription = await subscribe(c, to=p, cancel=cancel)
    await settled()
    subscription.cancel(reason)
    await settled()
    assert is_alive(p)
    return log, is_alive(c)


@row("GS-78")
async def a_permanent_one_is_its_consumers_end() -> None:
    for reason in FOUR:
        log = [("cancel", reason), ("terminate", reason)]
        assert await told_to_cancel("permanent", reason) == (log, False)


@row("GS-79")
async def a_transient_one_only_if_something_is_wrong() -> None:
    for reason in FOUR[:3]:
        assert await told_to_cancel("transient", reason) == ([("cancel", reason)], True)
    log = [("cancel", "boom"), ("terminate", "boom")]
    assert await told_to_cancel("transient", "boom") == (log, False)


@row("GS-80")
async def a_temporary_one_never() -> None:
    for reason in FOUR:
        assert await told_to_cancel("temporary", reason) == ([("cancel", reason)], True)


@row("GS-81")
async def the_end_of_the_producer_is_the_end_of_the_subscription() -> None:
    ends: list[tuple[ExitReason, set[CancelMode]]] = [
        (Normal(), {"permanent"}),
        (Shutdown(), {"permanent"}),
        ("boom", {"permanent", "transient"}),
        (Killed(), {"permanent", "transient"}),
    ]
    for reason, stopped in ends:
        modes: tuple[CancelMode, ...] = ("permanent", "transient", "temporary")
        p = await Pushed.start([])
        logs: dict[CancelMode, Log] = {mode: [] for mode in modes}
        for mode, log in logs.items():
            await subscribe(await Sink.start(log), to=p, cancel=mode)
        await settled()
        if isinstance(reason, Killed):
            kill(p)
        else:
            await p.stop(reason)
        await wait_exit(p)
        await settled()
        for mode, log in logs.items():
            ended = [("terminate", reason)] if mode in stopped else []
            assert log == [("down", reason), *ended]


@row("GS-82")
async def first_the_producer_then_the_consumer_then_its_end() -> None:
    together: Log = []

    class P(Pushed):
        def handle_cancel(self, subscription: Subscription, end: Any) -> None:
            together.append(("producer", end.how, end.reason, end.peer))

    class C(Sink):
        def handle_cancel(self, subscription: Subscription, end: Any) -> None:
            together.append(("consumer", end.how, end.reason, end.peer))

    c = await C.start(together)
    subscription = await subscribe(c, to=await P.start([]))
    await settled()
    subscription.cancel("enough")
    await settled()
    assert not is_alive(c)
    assert together == [
        ("producer", "cancel", "enough", "consumer"),
        ("consumer", "cancel", "enough", "producer"),
        ("terminate", "enough"),
    ]


@row("GS-83")
async def a_name_that_nobody_has() -> None:
    modes: tuple[CancelMode, ...] = ("permanent", "transient")
    for mode in modes:
        log: Log = []
        c = await Sink.start(log)
        subscription = await subscribe(c, to=named("nobody"), cancel=mode)
        assert subscription.producer is None
        await settled()
        assert not is_alive(c)
        assert log == [("down", NoProcess()), ("terminate", NoProcess())]


@row("GS-84")
async def a_temporary_one_to_nobody() -> None:
    """differs: both are told; GenStage says nothing of a name that nobody has."""
    gone = await Pushed.start([])
    kill(gone)
    await wait_exit(gone)
    for to in (gone, named("nobody")):
        log: Log = []
        c = await Sink.start(log)
        await subscribe(c, to=to, cancel="temporary")
        await settled()
        assert log == [("down", NoProcess())]
        assert is_alive(c)


@row("GS-85")
async def a_producer_outlives_its_consumers() -> None:
    reasons: list[ExitReason] = [Normal(), "boom", Killed()]
    log: Log = []
    p = await Pushed.start(log)
    for reason in reasons:
        c = await Sink.start([])
        await subscribe(c, to=p, mode="manual")
        await settled()
        if isinstance(reason, Killed):
            kill(c)
        else:
            await c.stop(reason)
        await wait_exit(c)
        await settled()
    assert log == [("down", reason) for reason in reasons]
    assert is_alive(p)


@row("GS-86")
async def to_subscribe_anew_ends_a_permanent_consumer() -> None:
    log: Log = []
    p = await Pushed.start([])
    c = await Sink.start(log)
    first = await subscribe(c, to=p)
    await settled()
    second = await resubscribe(first, p, "changed")
    assert second is not first
    await settled()
    assert not is_alive(c)
    assert log == [("cancel", "changed"), ("terminate", "changed")]


@row("GS-87")
async def a_temporary_one_is_replaced() -> None:
    asks: Log = []
    log: Log = []
    p = await Pushed.start(asks)
    c = await Sink.start(log)
    first = await subscribe(c, to=p, cancel="temporary", max_demand=4)
    await settled()
    await resubscribe(first, p, "changed", max_demand=6)
    await settled()
    assert log == [("cancel", "changed")]
    assert asks == [4, ("cancel", "changed"), 2], "4 of the 6 are on their way"
    await push(p, 1, 2)
    assert log == [("cancel", "changed"), [1, 2]]
    assert is_alive(c)


@row("GS-88")
async def a_subscription_is_one() -> None:
    log: Log = []
    p = await Pushed.start([])
    c = await Sink.start(log)
    subscription = await subscribe(c, to=p)
    await settled()
    process = find_process(p.pid)
    assert process is not None
    process.post_system(SubscribeAsked(subscription))
    await settled()
    reason = "duplicated subscription"
    assert log == [("cancel", reason), ("terminate", reason)]
    assert is_alive(p)


@row("GS-89")
async def events_of_a_stranger_are_sent_back() -> None:
    upstream: Log = []
    log: Log = []
    p = await Pushed.start(upstream)
    c = await Sink.start(log)
    stranger = Subscription(p.pid, c.pid, SubscriptionOptions())
    mine = find_process(c.pid)
    theirs = find_process(p.pid)
    assert mine is not None
    assert theirs is not None
    theirs.post_system(SubscribeAsked(stranger))
    await settled()
    mine.post_system(Events(stranger, [1, 2]))
    await settled()
    assert log == [], "no chunk"
    assert upstream == [("cancel", "unknown subscription")]
    assert is_alive(c)
    assert await c.call(Do(lambda server: "well")) == "well"
