"""Stages: events travel only when they are asked for. Elixir: ``GenStage``.

A ``Producer`` makes events when consumers want them, a ``Consumer`` handles them, a
``ProducerConsumer`` does both. All three are GenServers. Nothing is made that nobody has asked for,
so a slow consumer slows its source down instead of filling the memory.
"""

from __future__ import annotations

from runtime.annotations import publish
from runtime.stages.asking import (
    buffered_count,
    get_demand,
    queue_info,
    resubscribe,
    set_demand,
    subscribe,
)
from runtime.stages.broadcast_dispatcher import BroadcastDispatcher
from runtime.stages.channel_sink import ChannelSink
from runtime.stages.consumer import Consumer
from runtime.stages.demand_dispatcher import DemandDispatcher
from runtime.stages.dispatcher import Delivery, Dispatcher
from runtime.stages.emitted import Emitted
from runtime.stages.events_of import ProducerExit, events_of
from runtime.stages.iterable_source import OnCancel, from_channel, from_iterable
from runtime.stages.partition_dispatcher import (
    NO_PARTITION,
    NoPartition,
    PartitionDispatcher,
    Routed,
    partition_of,
)
from runtime.stages.producer import Producer
from runtime.stages.producer_consumer import ProducerConsumer
from runtime.stages.requests import DemandMode
from runtime.stages.subscription import Peer, Subscription, SubscriptionEnded
from runtime.stages.subscription_options import (
    AlreadySubscribed,
    BadSubscription,
    CancelMode,
    Mode,
    Selector,
    SubscriptionOptions,
)

__all__ = [
    "NO_PARTITION",
    "AlreadySubscribed",
    "BadSubscription",
    "BroadcastDispatcher",
    "CancelMode",
    "ChannelSink",
    "Consumer",
    "Delivery",
    "DemandDispatcher",
    "DemandMode",
    "Dispatcher",
    "Emitted",
    "Mode",
    "NoPartition",
    "OnCancel",
    "PartitionDispatcher",
    "Peer",
    "Producer",
    "ProducerConsumer",
    "ProducerExit",
    "Routed",
    "Selector",
    "Subscription",
    "SubscriptionEnded",
    "SubscriptionOptions",
    "buffered_count",
    "events_of",
    "from_channel",
    "from_iterable",
    "get_demand",
    "partition_of",
    "queue_info",
    "resubscribe",
    "set_demand",
    "subscribe",
]

publish("runtime.stages", {name: globals()[name] for name in __all__})
