"""A subscription, and what its two sides tell each other. GenStage: ``from``, its messages.

The messages are the runtime's own, so no mailbox limit drops one: how many there can be is bounded
by what was asked for.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import msgspec

from runtime.containment import short_repr
from runtime.current import find_process
from runtime.exits import NORMAL, Crashed, ExitReason, check_reason
from runtime.messages import SystemCast
from runtime.pid import Pid
from runtime.stages.subscription_options import BadSubscription, CancelMode, SubscriptionOptions

Peer: TypeAlias = Literal["producer", "consumer"]
"""Who is at the other end."""


class Subscription:
    """One subscription, the same object on both sides; equal only to itself.

    ``producer`` is ``None`` if there was nobody to subscribe to.
    """

    __slots__ = ("consumer", "options", "producer")

    def __init__(self, producer: Pid | None, consumer: Pid, options: SubscriptionOptions) -> None:
        self.producer, self.consumer, self.options = producer, consumer, options

    def __repr__(self) -> str:
        return f"<Subscription of {self.consumer!r} to {self.producer!r}>"

    @property
    def max_demand(self) -> int:
        """How many events may be under way at most."""
        return self.options.max_demand

    @property
    def min_demand(self) -> int:
        """How many are left under way when more are asked for."""
        return self.options.at_least

    @property
    def cancel_mode(self) -> CancelMode:
        """What its end is to the consumer."""
        return self.options.cancel

    def ask(self, count: int) -> None:
        """Ask the producer for events; for manual demand. Never blocks. GenStage: ``ask/3``.

        May be more than ``max_demand``; nothing happens for 0, or when the producer is gone. For a
        subscription that has ended the consumer is told again that it has.
        """
        if isinstance(count, bool) or not isinstance(count, int) or count < 0:
            raise ValueError(f"count: got {short_repr(count)}, allowed is 0 or more")
        if count:
            self._tell_producer(Asked(self, count))

    def cancel(self, reason: ExitReason = NORMAL) -> None:
        """End it: first the producer's ``handle_cancel``, then the consumer's, which may stop it.

        Events on their way arrive before. Never blocks. GenStage: ``cancel/3``.
        """
        check_reason("reason", reason)
        self._tell_producer(CancelAsked(self, reason))

    def _tell_producer(self, message: StageCast) -> None:
        process = None if self.producer is None else find_process(self.producer)
        if process is not None and process.body.is_server:  # anything else is no producer
            process.post_system(message)


class SubscriptionEnded(msgspec.Struct, frozen=True):
    """How a subscription ended: one side cancelled it, or the other side's process is down.

    ``peer`` is who is at the other end; ``reason`` the one given to ``cancel``, or why it is down.
    """

    how: Literal["cancel", "down"]
    reason: ExitReason
    peer: Peer


class StageCast(SystemCast, frozen=True):
    """What stages tell each other, and themselves; no callback for casts ever sees it."""


class SubscribeAsked(StageCast, frozen=True):
    """To the producer: here is a consumer."""

    subscription: Subscription

    def gone_astray(self, pid: Pid, server: object) -> None:
        """Whoever was subscribed to is no producer: the consumer is told so."""
        consumer = find_process(self.subscription.consumer)
        if consumer is not None:
            consumer.post_system(refusal(self.subscription, pid, type(server).__name__))


class Subscribed(StageCast, frozen=True):
    """To the consumer itself: it has subscribed."""

    subscription: Subscription


class Asked(StageCast, frozen=True):
    """To the producer: so many events more."""

    subscription: Subscription
    count: int


class CancelAsked(StageCast, frozen=True):
    """To the producer: no more."""

    subscription: Subscription
    reason: ExitReason


class Events(StageCast, frozen=True):
    """To the consumer: events."""

    subscription: Subscription
    events: list[Any]


class Cancelled(StageCast, frozen=True):
    """To the consumer: the producer has ended it, or knows nothing of it."""

    subscription: Subscription
    reason: ExitReason


class ConsumerDown(StageCast, frozen=True):
    """To the producer: the consumer's process has ended."""

    subscription: Subscription
    reason: ExitReason


class ProducerDown(StageCast, frozen=True):
    """To the consumer: the producer's process has ended, or was not there."""

    subscription: Subscription
    reason: ExitReason


def refusal(subscription: Subscription, pid: Pid, behaviour: str) -> Cancelled:
    """What the consumer is told that has subscribed to something else than a producer."""
    error = BadSubscription(f"to: {pid!r} runs {behaviour}, which is no producer")
    return Cancelled(subscription, Crashed(error))
