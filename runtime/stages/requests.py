"""What a stage can be asked, as messages: see ``asking`` for the functions that send them."""

from __future__ import annotations

from typing import Literal, TypeAlias

from runtime.calls import Ref
from runtime.exits import ExitReason
from runtime.stages.stage import StageCall
from runtime.stages.subscription import Subscription
from runtime.stages.subscription_options import SubscriptionOptions

DemandMode: TypeAlias = Literal["forward", "accumulate"]
"""Whether demand is handed on as it comes, or held until ``set_demand(..., "forward")``."""


class Subscribe(StageCall[Subscription], frozen=True):
    """To a consumer: subscribe to that producer."""

    to: Ref
    options: SubscriptionOptions


class Resubscribe(StageCall[Subscription], frozen=True):
    """To a consumer: subscribe to that producer, and cancel an earlier subscription."""

    earlier: Subscription
    to: Ref
    options: SubscriptionOptions
    reason: ExitReason


class SetDemand(StageCall[None], frozen=True):
    """To a producer: hand demand on, or hold it."""

    mode: DemandMode


class GetDemand(StageCall[DemandMode], frozen=True):
    """To a producer: whether demand is handed on."""


class CountBuffered(StageCall[int], frozen=True):
    """To a producer: how many events are in the buffer."""


class QueueInfo(StageCall[None], frozen=True):
    """To a producer: an info for when everything before it has gone."""

    message: object
