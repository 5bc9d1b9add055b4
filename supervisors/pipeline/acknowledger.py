"""Whom a source wants told of the end of its messages. Elixir: ``Broadway.Acknowledger``."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Hashable, Iterable, Mapping
from typing import Any

import msgspec

from supervisors.pipeline.message import Message


class Acknowledger(ABC):
    """Hears of the end of messages. Every method may be ``def`` or ``async def``."""

    @abstractmethod
    def ack(
        self, reference: Hashable, successful: list[Message[Any]], failed: list[Message[Any]]
    ) -> Awaitable[None] | None:
        """These have come to an end, each list in the order they were handled in.

        Runs in the stage that has finished with them, so a slow one holds its stage up. If it is
        cancelled or raises, the messages count as not acknowledged and are given back.
        """

    def give_back(  # noqa: B027
        self, reference: Hashable, messages: list[Message[Any]]
    ) -> Awaitable[None] | None:
        """These were under way and are no more, neither handled nor failed: to be sent again.

        They are as they left the source, with holdings of their own (``anew``), so that a source
        may emit them as they are. By default nothing happens.
        """

    def configure(self, reference: Hashable, receipt: object, options: Mapping[str, Any]) -> object:
        """The receipt changed by ``options``, which a handler gave; by default refused."""
        raise NotImplementedError


class AckGroup(msgspec.Struct, frozen=True):
    """What is told in one call."""

    acknowledger: Acknowledger
    reference: Hashable
    successful: list[Message[Any]]
    failed: list[Message[Any]]


def ack_groups(
    successful: Iterable[Message[Any]], failed: Iterable[Message[Any]]
) -> list[AckGroup]:
    """One group per acknowledger (by identity) and reference, in order of first appearance."""
    raise NotImplementedError
