"""ChannelSink: events go into a Trio channel."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Unpack

import trio

from runtime.containment import short_repr
from runtime.exits import NORMAL
from runtime.outcomes import Ignore, Stop
from runtime.stages.consumer import Consumer
from runtime.stages.subscription import Subscription
from runtime.stages.wanted import ProducerTarget, SubscriptionKeywords, Wanted


class ChannelSink(Consumer[Any]):
    """A consumer that sends its events into ``channel``, for a reader that is plain Trio.

    ``to`` are the producers it subscribes to, with these ``options``, such as ``max_demand=10``;
    there can be more, by ``subscribe``. While the channel takes nothing the sink asks for nothing
    more: at most what is under way and the channel's own buffer are ahead of the reader.

    The channel is the sink's and closed at its end, whatever that is: the reader gets all that was
    sent, then the end of the channel. That is what ends the sink too, ``permanent`` as a
    subscription is by default: the end of the producer, clean or a crash. A reader that must know
    which monitors the sink, whose reason it is. The other way round, when the reader closes its
    side the sink ends with ``Normal()`` as soon as it has something to send, which is lost.

    A sink that is started again finds its channel closed and says ``Ignore()``. In a tree it is
    ``transient``, so that a reader who leaves is left alone.
    """

    def __init__(
        self,
        channel: trio.abc.SendChannel[Any],
        *,
        to: ProducerTarget | Iterable[ProducerTarget] = (),
        **options: Unpack[SubscriptionKeywords],
    ) -> None:
        if not isinstance(channel, trio.abc.SendChannel):
            raise TypeError(f"channel: got {short_repr(channel)}, allowed is a Trio send channel")
        self._channel = channel
        self._wanted = Wanted(to, options)

    async def init(self) -> Ignore | None:
        """The channel is closed at the end, by whatever way."""
        if _is_closed(self._channel):
            return Ignore()
        await self.enter(self._channel)
        self._wanted.subscribe(self)
        return None

    async def handle_events(self, events: list[Any], subscription: Subscription) -> Stop | None:
        """Send them, one by one."""
        try:
            for event in events:
                if not self._is_sent(event):
                    await self._channel.send(event)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            return Stop(NORMAL)
        return None

    def _is_sent(self, event: Any) -> bool:
        """Send it if that needs no waiting; a switch of tasks for each would be half the cost."""
        if not isinstance(self._channel, trio.MemorySendChannel):
            return False
        try:
            self._channel.send_nowait(event)
        except trio.WouldBlock:
            return False
        return True


def _is_closed(channel: trio.abc.SendChannel[Any]) -> bool:
    """Whether it has been closed on this side, as far as that can be known."""
    if isinstance(channel, trio.MemorySendChannel):
        try:
            channel.clone().close()
        except trio.ClosedResourceError:
            return True
    return False
