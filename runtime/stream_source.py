"""Where the items of a stream come from, pulled one at a time."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from typing import Generic, TypeVar

import trio

from runtime.crash_reasons import without_cancelled

I = TypeVar("I")  # noqa: E741


class Source(Generic[I]):
    """Where the items come from; not touched before the first pull.

    ``may_interrupt`` says whether the wait for an item can be cut short and loses nothing by that.
    A Trio channel promises it; of other async iterators nobody knows, and an async generator ends
    when it is cancelled.
    """

    def __init__(self, items: Iterable[I] | AsyncIterable[I]) -> None:
        self._items = items
        self._plain: Iterator[I] | None = None
        self._waiting: AsyncIterator[I] | None = None
        self._cut_off = False  # an async generator that has ended by being cancelled
        self.exhausted = False
        self.may_interrupt = isinstance(items, trio.abc.ReceiveChannel)

    def pull_at_once(self) -> list[I] | None:
        """As ``pull``; ``None`` if that has to be awaited."""
        if self._plain is None:
            return None
        self.exhausted = True
        found = self._next()
        self.exhausted = not found
        return found

    async def pull(self) -> list[I]:
        """The next item, or none. One that raises is exhausted, one that is cancelled is not."""
        self.exhausted = True
        if self._plain is None and self._waiting is None:
            self._open()
        found = self._next() if self._waiting is None else await self._next_of(self._waiting)
        self.exhausted = not found
        return found

    def _open(self) -> None:
        if isinstance(self._items, AsyncIterable):
            self._waiting = aiter(self._items)
        else:
            self._plain = iter(self._items)

    def _next(self) -> list[I]:
        assert self._plain is not None
        try:
            return [next(self._plain)]
        except StopIteration:
            return []

    async def _next_of(self, iterator: AsyncIterator[I]) -> list[I]:
        if self._cut_off:
            raise RuntimeError(
                f"items: {iterator!r} was cancelled while it was asked for an item, and so has "
                "ended; made a channel with trio.as_safe_channel, it could go on"
            )
        try:
            return [await anext(iterator)]
        except StopAsyncIteration:
            return []
        except (trio.Cancelled, BaseExceptionGroup) as exc:
            self.exhausted = without_cancelled(exc) is not None
            self._cut_off = inspect.isasyncgen(iterator)
            raise

    async def close(self) -> None:
        """Let a generator run its clean-up now; anything else belongs to whoever made it."""
        iterator: object = self._plain if self._waiting is None else self._waiting
        if inspect.isasyncgen(iterator):
            await iterator.aclose()
        elif inspect.isgenerator(iterator):
            iterator.close()
