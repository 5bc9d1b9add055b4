"""The callbacks that users write for a pipeline. Elixir: ``Broadway``."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, Generic, TypeGuard, TypeVar

from supervisors.pipeline.batches import BatchInfo
from supervisors.pipeline.message import Message

T = TypeVar("T")


class Callbacks(Generic[T]):
    """What is to be done with messages, in callbacks that are each ``def`` or ``async def``.

    All stages of a pipeline, which run side by side, share the one instance that its spec was made
    of; so it is also where a database or a configuration is kept, and it outlives restarts.

    What a callback raises is the failure of the messages it was called with and harms no others;
    so is a result that it may not return. What it was given and did not return has failed. When a
    stage is stopped or killed in the middle of a callback, its messages are given back.
    """

    def handle_message(self, message: Message[T]) -> Message[Any] | Awaitable[Message[Any]]:
        """Handle one message, and return it, changed or not. Runs in a processor.

        ``message.replace(data)`` is what it became, ``.to_batcher(name)`` and ``.batch_by(key)``
        say where it goes, ``.fail(reason)`` that it goes nowhere. Elixir: ``handle_message/3``.
        """
        raise NotImplementedError

    def prepare_messages(
        self, messages: list[Message[T]]
    ) -> list[Message[T]] | Awaitable[list[Message[T]]]:
        """Look at all messages of a chunk before ``handle_message`` gets each; return them all.

        For what is better asked for all at once. Elixir: ``prepare_messages/2``.
        """
        return messages

    def handle_batch(
        self, messages: list[Message[Any]], batch: BatchInfo
    ) -> list[Message[Any]] | Awaitable[list[Message[Any]]]:
        """Handle a batch and return its messages, some of them failed perhaps.

        Runs in a batch processor; needed if there are batchers. Elixir: ``handle_batch/4``.
        """
        raise NotImplementedError

    def handle_failed(
        self, messages: list[Message[Any]]
    ) -> list[Message[Any]] | Awaitable[list[Message[Any]]]:
        """Look at the messages that failed in a chunk or a batch, before they are acknowledged.

        What is returned is what the acknowledger sees, still as failed. If this raises it sees
        them as they were. Elixir: ``handle_failed/2``.
        """
        return messages


def has(callbacks: Callbacks[Any], name: str) -> bool:
    """Whether the user has written this callback."""
    return getattr(type(callbacks), name) is not getattr(Callbacks, name)


def are_callbacks(given: object) -> TypeGuard[Callbacks[Any]]:
    """Whether this is an instance of a ``Pipeline``."""
    return isinstance(given, Callbacks)
