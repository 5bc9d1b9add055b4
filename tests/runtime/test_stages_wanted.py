"""What a stage is to subscribe to is checked when it is given."""

from __future__ import annotations

from typing import Any

import pytest

from runtime import Node, named
from runtime.stages import BadSubscription, Consumer, Subscription
from runtime.stages.wanted import Wanted
from tests.runtime.flowing import settle, start_count


def test_one_producer_or_several() -> None:
    assert len(Wanted("a", {})) == 1
    assert len(Wanted(named("a"), {})) == 1
    assert len(Wanted(["a", named("b")], {})) == 2
    assert len(Wanted((), {})) == 0


def test_what_is_no_producer_is_refused() -> None:
    to: Any = [7]
    none: Any = [None]
    with pytest.raises(TypeError, match="to: got 7, allowed are a name, a Pid and a Ref"):
        Wanted(to, {})
    with pytest.raises(TypeError, match="producers: got None, allowed"):
        Wanted(none, {}, "producers")


def test_options_are_checked() -> None:
    with pytest.raises(BadSubscription, match="max_demand: got 0, allowed is 1 or more"):
        Wanted("a", {"max_demand": 0})
    unknown: Any = {"demand": 3}
    with pytest.raises(TypeError, match="options of a subscription: got 'demand', allowed are max"):
        Wanted("a", unknown)


async def test_all_are_subscribed_to_with_the_same_options(node: Node) -> None:
    log: list[str] = []
    producers = [await start_count(log, 0, name=name) for name in ("P", "Q")]
    made: list[Subscription] = []

    class Subscribes(Consumer[int]):
        def init(self) -> None:
            made.extend(Wanted(producers, {"max_demand": 3, "cancel": "temporary"}).subscribe(self))

    await Subscribes.start()
    await settle()
    assert sorted(log) == ["P handle_demand 3", "Q handle_demand 3"]
    assert [one.producer for one in made] == [one.pid for one in producers]
    assert {one.cancel_mode for one in made} == {"temporary"}
