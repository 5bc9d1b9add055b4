"""Dispatchers that lie, and what ``make_dispatcher`` may not return."""

from __future__ import annotations

from typing import Any

import pytest

from runtime import Crashed, Node, is_alive
from runtime.stages import (
    Delivery,
    DemandDispatcher,
    Dispatcher,
    PartitionDispatcher,
    Subscription,
    SubscriptionOptions,
    set_demand,
    subscribe,
)
from tests.runtime.staging import (
    Begin,
    Sink,
    Source,
    emitted,
    joined,
    settled,
)
from tests.support import end_of

# ---------------------------------------------------------------------- wrong dispatchers


class Lying(DemandDispatcher[Any]):
    """What it says is not so."""

    def __init__(self, lie: str) -> None:
        super().__init__()
        self.lie = lie
        self.stranger: Subscription | None = None

    @property
    def demand(self) -> int:
        return {"more": 5, "less": -5}.get(self.lie, super().demand)

    def dispatch(self, events: list[Any]) -> tuple[list[Delivery[Any]], list[Any]]:
        if self.lie == "raises":
            raise OSError("dispatch")
        if self.lie == "nothing":
            return None  # type: ignore[return-value]  # pyright: ignore[reportReturnType]
        if self.lie == "drops":
            return [], []
        if self.lie == "stranger":
            assert self.stranger is not None
            return [(self.stranger, events)], []
        return super().dispatch(events)


async def crash_of(node: Node, events: list[Any], lie: str) -> BaseException:
    """What a producer with this dispatcher crashes with when it emits."""
    made = Lying(lie)
    p, c = await Source.start(make=lambda: made), await Sink.start()
    made.stranger = Subscription(p.pid, c.pid, SubscriptionOptions())
    if lie == "more":
        await emitted(p, 1, 2)
    await joined(c, p, max_demand=1, cancel="temporary", mode="manual")
    if p.whereis() is not None:
        p.cast(Begin(lambda stage: stage.emit([1])))
        await settled()
    reason = end_of(events, p.pid)
    assert isinstance(reason, Crashed)
    assert is_alive(c)
    return reason.exception


@pytest.mark.parametrize(
    ("lie", "kind", "text"),
    [
        ("raises", OSError, "^dispatch$"),
        ("nothing", TypeError, "NoneType"),
        ("stranger", RuntimeError, "^Lying delivers to <Subscription .*>, which is not subscribed"),
        ("more", RuntimeError, "^Lying.dispatch left 2 of 2 events over, but its demand was 5$"),
    ],
)
async def test_a_dispatcher_that_lies_is_found_out(
    node: Node, events: list[Any], lie: str, kind: type[Exception], text: str
) -> None:
    with pytest.raises(kind, match=text):
        raise await crash_of(node, events, lie)


@pytest.mark.parametrize("lie", ["less", "drops"])
async def test_one_that_wants_nothing_or_drops_events_does_no_harm_to_others(
    node: Node, lie: str
) -> None:
    p = await Source.start(make=lambda: Lying(lie))
    await joined(await Sink.start(), p)
    await emitted(p, 1, 2, 3)
    assert is_alive(p)
    await set_demand(p, "forward")


SHARED = DemandDispatcher[Any]()


async def made_later() -> Dispatcher[Any]:
    return DemandDispatcher()


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: None, "make_dispatcher of Source returned None, allowed are a Dispatcher"),
        (
            lambda: DemandDispatcher,
            "make_dispatcher of Source returned <class .*, allowed are a Dispatcher",
        ),
        (
            made_later,
            "returned <coroutine .*, allowed are a Dispatcher, from a def",
        ),
        (lambda: PartitionDispatcher(["a"]), "hash: not given"),
        (lambda: SHARED, "a Dispatcher that has served nobody yet: make one at each call"),
    ],
)
async def test_what_make_dispatcher_may_not_return(
    node: Node, events: list[Any], make: Any, text: str
) -> None:
    SHARED._serves = True
    p = await Source.start(make=make)
    await joined(await Sink.start(), p)
    reason = end_of(events, p.pid)
    assert isinstance(reason, Crashed)
    with pytest.raises(Exception, match=text):
        raise reason.exception


async def test_the_same_dispatcher_for_two_producers(node: Node) -> None:
    """Each would give to the consumers of the other."""
    one = DemandDispatcher[Any]()
    p, q = await Source.start(make=lambda: one), await Source.start(make=lambda: one)
    await subscribe(await Sink.start(), p)
    await subscribe(await Sink.start(), q)
    await settled()
    assert (is_alive(p), is_alive(q)) == (True, False)
