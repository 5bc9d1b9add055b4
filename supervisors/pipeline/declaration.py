"""What a pipeline is made of: plain values, checked when they are made or put together.

Every refusal names the key by its path: ``batchers.default.size: got 0, allowed is 1 or more``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import msgspec

from supervisors.pipeline.message import Message

SizeFunction: TypeAlias = Callable[[Any, Message[Any]], Any]
"""PIPE2 settles its form: an accumulator and a message to a new one and whether to cut here."""
PartitionBy: TypeAlias = Callable[[Message[Any]], int]
"""A number for a message; those of the same remainder stay in order."""


class RateLimit(msgspec.Struct, frozen=True):
    """At most ``allowed`` messages leave the producers of a pipeline per ``interval`` seconds."""

    allowed: int
    interval: float


class Producers(msgspec.Struct, frozen=True):
    """Where messages come from. ``make(index)`` returns a new ``Source`` at each start."""

    make: Callable[[int], Any]  # Callable[[int], Source[Any]]: source.py is above
    concurrency: int = 1
    rate_limit: RateLimit | None = None
    transform: Callable[[Any], Message[Any]] | None = None


class Processors(msgspec.Struct, frozen=True):
    """Who calls ``handle_message``. ``concurrency`` is by default twice the cores."""

    concurrency: int | None = None
    max_demand: int = 10
    min_demand: int | None = None
    partition_by: PartitionBy | None = None


class Batcher(msgspec.Struct, frozen=True):
    """How messages become batches, and how many batches are handled at a time."""

    size: int | SizeFunction = 100
    timeout: float = 1.0
    concurrency: int = 1
    max_demand: int | None = None
    partition_by: PartitionBy | None = None


class Group(msgspec.Struct, frozen=True):
    """One of several consumer groups: its own callbacks (a ``Pipeline``), processors, batchers."""

    callbacks: Any
    processors: Processors = Processors()
    batchers: Mapping[str, Batcher] = {}


class Declaration(msgspec.Struct, frozen=True):
    """A whole pipeline, checked by ``declare``. ``groups`` has at least one entry."""

    name: str
    producers: Producers
    groups: Mapping[str, Group]
    drain_timeout: float = 30.0
    resubscribe_interval: float = 0.1
    max_restarts: int = 3
    max_seconds: float = 5.0


DEFAULT_GROUP = "default"


def declare(
    name: str, producers: Producers, groups: Mapping[str, Group], **options: Any
) -> Declaration:
    """Check everything and put it together; ``ValueError`` or ``TypeError`` with the key's path."""
    raise NotImplementedError
