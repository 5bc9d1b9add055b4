"""The other sides of a stage's subscriptions, and the watch on their processes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from runtime.containment import contain
from runtime.exits import ExitReason
from runtime.process import Process
from runtime.stages.pending_demand import PendingDemand
from runtime.stages.subscription import ConsumerDown, ProducerDown, StageCast, Subscription

T = TypeVar("T")


class PeerWatch:
    """Tells a stage when the process of a peer has ended, behind what the peer has sent."""

    __slots__ = ("_forget", "_mine", "_news", "_peer", "_subscription")

    only_end = True

    def __init__(
        self,
        mine: Process,
        peer: Process,
        subscription: Subscription,
        news: Callable[[Subscription, ExitReason], StageCast],
        forget: Callable[[Subscription], object] | None = None,
    ) -> None:
        self._mine, self._peer = mine, peer
        self._subscription, self._news, self._forget = subscription, news, forget
        peer.watches[self] = None

    def wake(self, reason: ExitReason) -> None:
        """It has ended."""
        if self._forget is not None:
            contain(None, self._forget, self._subscription)
        self._mine.post_system(self._news(self._subscription, reason))

    def stop(self) -> None:
        """Tell no more."""
        if self._peer.status != "ended":
            self._peer.watches.pop(self, None)


class Downstream:
    """A consumer, as its producer knows it; ``forget`` is called in the step in which it ends."""

    __slots__ = ("process", "watch")

    def __init__(
        self,
        mine: Process,
        process: Process,
        subscription: Subscription,
        forget: Callable[[Subscription], object],
    ) -> None:
        self.process = process
        self.watch = PeerWatch(mine, process, subscription, ConsumerDown, forget)


class Upstream(Generic[T]):
    """A producer, as its consumer knows it; no process if there was none.

    ``demand`` is ``None`` as long as the stage does not ask by itself.
    """

    __slots__ = ("_watch", "demand", "process")

    def __init__(self, mine: Process, process: Process | None, subscription: Subscription) -> None:
        self.process = process
        self.demand: PendingDemand[T] | None = None
        self._watch: PeerWatch | None = None
        if process is not None:
            self._watch = PeerWatch(mine, process, subscription, ProducerDown)

    def leave(self) -> None:
        """Hear no more of it."""
        if self._watch is not None:
            self._watch.stop()
