"""A source whose messages are fetched in threads, in the background, and only when wanted.

The callbacks of the source never wait for a thread: demand that comes while one is at work is
added up, and the next fetch is for all of it. That makes lots of what consumers ask for in small
numbers, and keeps the source ready to answer whoever looks into it.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Final, TypeVar

import trio

from runtime.inspection.views import Plain
from supervisors.pipeline.message import Message
from supervisors.pipeline.source import Source

T = TypeVar("T")

MOST: Final = 1000
"""How many messages are fetched at once, so that no transaction is long."""


class FetchingSource(Source[T]):
    """Remembers what is wanted, and emits never more than that.

    A subclass fetches: ``fetch(count)`` returns up to so many messages, and ``pause()`` waits for
    more to be there when it returned none. ``over()`` ends the source.
    """

    def __init__(self) -> None:
        self._unmet = 0
        self._ending = False
        self._news = trio.Event()
        self._stopped = trio.Event()
        self.threads = trio.CapacityLimiter(1)  # its own, so it never waits for others' work

    @abstractmethod
    async def fetch(self, count: int) -> list[Message[T]]:
        """Up to so many messages. When it is cancelled, ``terminate`` cares for what it took."""

    @abstractmethod
    async def pause(self) -> None:
        """Wait until a fetch may find something; it found nothing just now."""

    async def undo(self, messages: list[Message[T]]) -> None:
        """These were fetched and are not to be emitted any more."""

    async def init(self) -> None:
        """Begin to fetch."""
        nursery = await self.enter(trio.open_nursery())
        nursery.start_soon(self._fetch_on)

    def handle_demand(self, demand: int) -> None:
        """Remember it; it is emitted when it has been fetched."""
        self._unmet += demand
        self.look()

    async def prepare_for_draining(self) -> None:
        """Nothing is fetched any more; what is being fetched is undone."""
        self._ending = True
        self.look()
        await self._stopped.wait()

    def over(self) -> None:
        """Nothing more is to come: the source ends as soon as all it has emitted has left."""
        self._ending = True
        self.finish()

    def look(self) -> None:
        """Something has changed: do not wait any longer."""
        self._news.set()

    async def news(self, seconds: float) -> bool:
        """Wait for ``look``, for so long at most; whether it came."""
        with trio.move_on_after(seconds):
            await self._news.wait()
        return self._news.is_set()

    async def _fetch_on(self) -> None:
        while not self._ending:
            self._news = trio.Event()  # what changes from now on is news
            if not self._unmet:
                await self._news.wait()
                continue
            messages = await self.fetch(min(self._unmet, MOST))
            if self._ending:
                await self.undo(messages)
            elif messages:
                self._unmet -= len(messages)
                self.emit(messages)
            else:
                await self.pause()
        self._stopped.set()

    def facts(self) -> Mapping[str, Plain]:
        """With what is wanted and not there."""
        return {**super().facts(), "unmet demand": self._unmet}
