"""What anybody can ask of a stage: to subscribe, to hold demand, how much it has buffered."""

from __future__ import annotations

from collections.abc import Hashable
from typing import get_args

import msgspec

from runtime.calls import Ref
from runtime.containment import short_repr
from runtime.exits import NORMAL, ExitReason, check_reason
from runtime.handle import as_ref
from runtime.pid import Pid
from runtime.stages.requests import (
    CountBuffered,
    DemandMode,
    GetDemand,
    QueueInfo,
    Resubscribe,
    SetDemand,
    Subscribe,
)
from runtime.stages.subscription import Subscription
from runtime.stages.subscription_options import (
    DEFAULT_MAX_DEMAND,
    CancelMode,
    Mode,
    Selector,
    SubscriptionOptions,
)
from runtime.timeouts import DEFAULT_TIMEOUT


async def subscribe(
    consumer: str | Pid | Ref,
    to: str | Pid | Ref,
    *,
    max_demand: int = DEFAULT_MAX_DEMAND,
    min_demand: int | None = None,
    cancel: CancelMode = "permanent",
    mode: Mode | None = None,
    partition: Hashable | msgspec.UnsetType = msgspec.UNSET,
    selector: Selector | None = None,
    timeout: float = DEFAULT_TIMEOUT,
) -> Subscription:
    """Let ``consumer`` subscribe to the producer ``to``. GenStage: ``sync_subscribe/3``.

    - At most ``max_demand`` events are under way; more are asked for once ``min_demand`` are left,
      by default half of it. A handler gets at most ``max_demand - min_demand`` at a time.
    - ``cancel``: the end of the subscription is the end of the consumer (``"permanent"``), unless
      it is a clean one (``"transient"``), or never (``"temporary"``).
    - ``mode``: ``"manual"`` if the consumer asks by ``Subscription.ask``; its ``handle_subscribe``
      may say otherwise.
    - ``partition``: for a ``PartitionDispatcher``.
    - ``selector``: for a ``BroadcastDispatcher``; says which events this consumer wants.

    Returns when the consumer has asked. The producer may still refuse, or not be there: then the
    subscription ends, with the reason. ``BadSubscription`` for wrong options, at once; otherwise it
    ends as ``Ref.call`` does.
    """
    options = SubscriptionOptions(max_demand, min_demand, cancel, mode, partition, selector)
    request = Subscribe(as_ref(to, "to"), options)
    return await as_ref(consumer, "consumer").call(request, timeout=timeout)


async def resubscribe(
    subscription: Subscription,
    to: str | Pid | Ref,
    reason: ExitReason = NORMAL,
    *,
    max_demand: int = DEFAULT_MAX_DEMAND,
    min_demand: int | None = None,
    cancel: CancelMode = "permanent",
    mode: Mode | None = None,
    partition: Hashable | msgspec.UnsetType = msgspec.UNSET,
    selector: Selector | None = None,
    timeout: float = DEFAULT_TIMEOUT,
) -> Subscription:
    """Subscribe anew, and cancel ``subscription`` with ``reason``.

    What the end of the earlier one is to the consumer says its own ``cancel`` mode: a permanent one
    ends it. ``BadSubscription`` if it has ended already. GenStage: ``sync_resubscribe/4``.
    """
    check_reason("reason", reason)
    options = SubscriptionOptions(max_demand, min_demand, cancel, mode, partition, selector)
    request = Resubscribe(subscription, as_ref(to, "to"), options, reason)
    return await as_ref(subscription.consumer).call(request, timeout=timeout)


async def set_demand(
    producer: str | Pid | Ref, mode: DemandMode, *, timeout: float = DEFAULT_TIMEOUT
) -> None:
    """Hold demand and events, or hand on what was held. GenStage: ``demand/2``."""
    if mode not in get_args(DemandMode):
        raise ValueError(f"mode: got {short_repr(mode)}, allowed are 'forward', 'accumulate'")
    await as_ref(producer, "producer").call(SetDemand(mode), timeout=timeout)


async def get_demand(producer: str | Pid | Ref, *, timeout: float = DEFAULT_TIMEOUT) -> DemandMode:
    """Whether demand is handed on or held. GenStage: ``demand/1``."""
    return await as_ref(producer, "producer").call(GetDemand(), timeout=timeout)


async def buffered_count(stage: str | Pid | Ref, *, timeout: float = DEFAULT_TIMEOUT) -> int:
    """How many events nobody has asked for yet. GenStage: ``estimate_buffered_count/2``."""
    return await as_ref(stage, "stage").call(CountBuffered(), timeout=timeout)


async def queue_info(
    stage: str | Pid | Ref, message: object, *, timeout: float = DEFAULT_TIMEOUT
) -> None:
    """An info to be handled once all events before it have gone. GenStage: ``sync_info/3``."""
    await as_ref(stage, "stage").call(QueueInfo(message), timeout=timeout)
