"""Where the items of a stream come from, pulled one at a time."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from typing import Generic, TypeVar

import trio

I = TypeVar("I")  # noqa: E741


class Source(Generic[I]):
    """Where the items come from; not touched before the first pull."""

    def __init__(self, items: Iterable[I] | AsyncIterable[I]) -> None:
        self._items = items
        self._iterator: Iterator[I] | AsyncIterator[I] | None = None
        self.exhausted = False

    async def pull(self) -> list[I]:
        """The next item, or none; a source that raises is exhausted."""
        if self._iterator is None:
            items = self._items
            self._iterator = aiter(items) if isinstance(items, AsyncIterable) else iter(items)
        exhausted, self.exhausted = self.exhausted, True
        try:
            if isinstance(self._iterator, AsyncIterator):
                item = await anext(self._iterator)
            else:
                item = next(self._iterator)
        except (StopIteration, StopAsyncIteration):
            return []
        except trio.Cancelled:
            self.exhausted = exhausted
            raise
        self.exhausted = False
        return [item]

    async def close(self) -> None:
        """Let a generator run its clean-up now; anything else belongs to whoever made it."""
        iterator: object = self._iterator
        if inspect.isasyncgen(iterator):
            await iterator.aclose()
        elif inspect.isgenerator(iterator):
            iterator.close()
