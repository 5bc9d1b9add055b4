"""What dispatchers refuse, word by word."""

from __future__ import annotations

import re
from typing import Any

import pytest

from runtime.stages.broadcast_dispatcher import BroadcastDispatcher
from runtime.stages.demand_dispatcher import DemandDispatcher
from runtime.stages.partition_dispatcher import PartitionDispatcher
from runtime.stages.refusals import check_limit, refuse_partition, refuse_selector
from runtime.stages.subscription_options import BadSubscription
from tests.runtime.subscriptions import subscription

DEMAND, BROADCAST = DemandDispatcher[int](), BroadcastDispatcher[int]()
PARTITIONS = PartitionDispatcher[int](2)


def test_a_partition_where_there_is_none() -> None:
    told = (
        "partition: got 'a', only a PartitionDispatcher has partitions; the producer has a "
        "DemandDispatcher"
    )
    with pytest.raises(BadSubscription, match=f"^{re.escape(told)}$"):
        refuse_partition(subscription(partition="a"), DEMAND)
    refuse_partition(subscription(), DEMAND)


def test_a_partition_may_be_none() -> None:
    with pytest.raises(BadSubscription, match=r"^partition: got None, only"):
        refuse_partition(subscription(partition=None), BROADCAST)


def test_a_selector_where_nobody_asks_it() -> None:
    told = "selector: only a BroadcastDispatcher takes one; the producer has a PartitionDispatcher"
    with pytest.raises(BadSubscription, match=f"^{re.escape(told)}$"):
        refuse_selector(subscription(selector=bool), PARTITIONS)
    refuse_selector(subscription(), PARTITIONS)


@pytest.mark.parametrize("dispatcher", [DEMAND, BROADCAST])
def test_those_without_partitions_refuse_one(dispatcher: Any) -> None:
    with pytest.raises(BadSubscription, match=r"^partition: "):
        dispatcher.subscribe(subscription(partition=0))
    assert dispatcher.demand == 0


def test_those_that_give_an_event_to_one_refuse_a_selector() -> None:
    with pytest.raises(BadSubscription, match=r"^selector: .* has a DemandDispatcher$"):
        DEMAND.subscribe(subscription(selector=bool))
    with pytest.raises(BadSubscription, match=r"^selector: .* has a PartitionDispatcher$"):
        PARTITIONS.subscribe(subscription(partition=0, selector=bool))


def test_a_limit() -> None:
    assert [check_limit("limit", count, 1) for count in (None, 1, 5)] == [None, 1, 5]
    for wrong in (0, -1, 1.0, "1", True):
        with pytest.raises(ValueError, match=r"^limit: got .*, allowed is 1 or more, or None$"):
            check_limit("limit", wrong, 1)
