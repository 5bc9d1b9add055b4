"""Pipeline: the callbacks that users write. Elixir: ``Broadway``."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, Generic, TypeVar

from supervisors.pipeline.batches import BatchInfo
from supervisors.pipeline.message import Message

T = TypeVar("T")


class Pipeline(Generic[T]):
    """Subclass it. Each callback is ``def`` or ``async def``; all stages share one instance."""

    def handle_message(self, message: Message[T]) -> Message[Any] | Awaitable[Message[Any]]:
        """Handle one message."""
        raise NotImplementedError

    def prepare_messages(
        self, messages: list[Message[T]]
    ) -> list[Message[T]] | Awaitable[list[Message[T]]]:
        """Look at all messages of a chunk before each is handled."""
        raise NotImplementedError

    def handle_batch(
        self, messages: list[Message[Any]], batch: BatchInfo
    ) -> list[Message[Any]] | Awaitable[list[Message[Any]]]:
        """Handle a batch."""
        raise NotImplementedError

    def handle_failed(
        self, messages: list[Message[Any]]
    ) -> list[Message[Any]] | Awaitable[list[Message[Any]]]:
        """Look at those that failed before they are acknowledged as such."""
        raise NotImplementedError
