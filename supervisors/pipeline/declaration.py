"""What a pipeline is made of: plain values, checked together by ``declare``.

Every refusal names the key by its path: ``batchers.sql.size: got 0, allowed is 1 or more``. That is
why nothing is checked when one of them is made: it does not know yet where it will stand.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Hashable, Mapping
from typing import Any, Final, Generic, Never, TypeAlias, TypeVar, cast

import msgspec

from runtime.containment import short_repr
from runtime.outcomes import check_seconds
from supervisors.permits import check_count
from supervisors.pipeline.message import AnyMessage

A = TypeVar("A")
S = TypeVar("S", bound=msgspec.Struct)

DEFAULT_GROUP: Final = "default"
"""The group of a pipeline that has only one."""


class Full(msgspec.Struct, frozen=True):
    """What the ``step`` of a ``SizedBy`` returns when the message completes the batch: ``FULL``."""


FULL: Final = Full()

PartitionBy: TypeAlias = Callable[[AnyMessage], Hashable]
"""A key for a message, a number or whatever a partition supervisor takes for one.

The messages of one key, and of numbers with the same remainder, are handled one after the other.
"""


class SizedBy(msgspec.Struct, Generic[A], frozen=True):
    """The size of a batch as the user counts it: bytes, rows, prices.

    ``step(so_far, message)`` returns what it comes to with this message, or ``FULL``: the batch
    leaves, the message in it, and the next one begins with ``start``. Elixir: ``batch_size`` given
    as ``{acc, fun}``.
    """

    start: A
    step: Callable[[A, AnyMessage], A | Full]


AnySizedBy: TypeAlias = SizedBy[Any]


class RateLimit(msgspec.Struct, frozen=True):
    """At most ``allowed`` messages leave the producers of a pipeline per ``interval`` seconds."""

    allowed: int
    interval: float


class Producers(msgspec.Struct, frozen=True):
    """Where messages come from.

    - ``make(index)``: returns a new ``Source`` at each start of a producer.
    - ``concurrency``: how many producers; ``index`` counts them from 0.
    - ``rate_limit``: how many messages may leave them all, if there is a limit.
    - ``transform``: makes a ``Message`` of whatever the source emits.
    """

    make: Callable[[int], object]  # a Source[Any], which stands on a higher floor
    concurrency: int = 1
    rate_limit: RateLimit | None = None
    transform: Callable[[Any], AnyMessage] | None = None


class Processors(msgspec.Struct, frozen=True):
    """Who calls ``handle_message``.

    ``concurrency`` is by default twice the cores, ``min_demand`` half of ``max_demand``.
    """

    concurrency: int | None = None
    max_demand: int = 10
    min_demand: int | None = None
    partition_by: PartitionBy | None = None

    @property
    def stages(self) -> int:
        """``concurrency``, or what it is by default."""
        return 2 * (os.cpu_count() or 1) if self.concurrency is None else self.concurrency


class Batcher(msgspec.Struct, frozen=True):
    """How messages become batches, and how many batches are handled at a time.

    A batch leaves when it has its ``size`` or is ``timeout`` seconds old. ``max_demand`` is by
    default the size; with a ``SizedBy`` it must be given.
    """

    size: int | AnySizedBy = 100
    timeout: float = 1.0
    concurrency: int = 1
    max_demand: int | None = None
    partition_by: PartitionBy | None = None


class Group(msgspec.Struct, frozen=True):
    """One of several consumer groups: its own callbacks (a ``Pipeline``), processors, batchers."""

    callbacks: object
    processors: Processors = Processors()
    batchers: Mapping[str, Batcher] = {}


class Declaration(msgspec.Struct, frozen=True):
    """A whole pipeline, checked by ``declare``. ``groups`` has at least one entry.

    Nothing in it is left to a default: the processors' ``concurrency`` and ``min_demand`` and the
    batchers' ``max_demand`` are numbers.
    """

    name: str
    producers: Producers
    groups: Mapping[str, Group]
    drain_timeout: float
    resubscribe_interval: float
    max_restarts: int
    max_seconds: float


def declare(
    name: str,
    producers: Producers,
    groups: Mapping[str, Group],
    *,
    drain_timeout: float = 30.0,
    resubscribe_interval: float = 0.1,
    max_restarts: int = 3,
    max_seconds: float = 5.0,
) -> Declaration:
    """Check everything and put it together; ``ValueError`` or ``TypeError`` with the key's path.

    The path of what is in the only group, if it is called ``DEFAULT_GROUP``, leaves the group out.
    """
    if not isinstance(name, str) or not name:
        raise TypeError(f"name: got {short_repr(name)}, allowed is a text that is not empty")
    _check_producers(producers)
    named = _check_names("groups", groups, Group)
    if not named:
        raise ValueError("groups: got none, allowed is one or more")
    alone = list(named) == [DEFAULT_GROUP]
    check_count("max_restarts", max_restarts, 0)
    return Declaration(
        name,
        producers,
        {
            key: _checked_group("" if alone else f"groups.{key}.", group)
            for key, group in named.items()
        },
        check_seconds("drain_timeout", drain_timeout),
        _above_zero("resubscribe_interval", resubscribe_interval),
        max_restarts,
        _above_zero("max_seconds", max_seconds),
    )


def check_rate_limit(path: str, limit: object) -> RateLimit:
    """The limit, if it is one; ``path`` is where it stands."""
    if not isinstance(limit, RateLimit):
        _refuse(path, limit, "RateLimit(allowed=..., interval=...)")
    check_count(f"{path}.allowed", limit.allowed, 1)
    if math.isinf(_above_zero(f"{path}.interval", limit.interval)):
        raise ValueError(f"{path}.interval: got inf, allowed is a finite number of seconds")
    return limit


def _check_producers(producers: object) -> None:
    if not isinstance(producers, Producers):
        _refuse("producers", producers, "Producers(make=...)")
    _check_function("producers.make", producers.make, "an index that returns a new Source")
    check_count("producers.concurrency", producers.concurrency, 1)
    if producers.rate_limit is not None:
        check_rate_limit("producers.rate_limit", producers.rate_limit)
    if producers.transform is not None:
        _check_function("producers.transform", producers.transform, "what the source emits")


def _checked_group(prefix: str, group: Group) -> Group:
    """The group, with what was left to defaults filled in."""
    batchers = _check_names(f"{prefix}batchers", group.batchers, Batcher)
    return msgspec.structs.replace(
        group,
        processors=_checked_processors(f"{prefix}processors", group.processors),
        batchers={
            name: _checked_batcher(f"{prefix}batchers.{name}", batcher)
            for name, batcher in batchers.items()
        },
    )


def _checked_processors(path: str, processors: object) -> Processors:
    if not isinstance(processors, Processors):
        _refuse(path, processors, "Processors(concurrency=...)")
    check_count(f"{path}.concurrency", processors.stages, 1)
    check_count(f"{path}.max_demand", processors.max_demand, 1)
    least = processors.max_demand // 2 if processors.min_demand is None else processors.min_demand
    check_count(f"{path}.min_demand", least, 0)
    if least >= processors.max_demand:
        raise ValueError(
            f"{path}.min_demand: got {short_repr(least)}, "
            f"allowed is less than max_demand, which is {processors.max_demand}"
        )
    _check_partition_by(path, processors.partition_by)
    return msgspec.structs.replace(processors, concurrency=processors.stages, min_demand=least)


def _checked_batcher(path: str, batcher: Batcher) -> Batcher:
    size = batcher.size
    if isinstance(size, SizedBy):
        _check_function(f"{path}.size.step", size.step, "what it came to so far and a message")
        if batcher.max_demand is None:
            raise ValueError(
                f"{path}.max_demand: got None, allowed is 1 or more: "
                "how many messages a SizedBy makes a batch of, nobody knows"
            )
        most = batcher.max_demand
    elif isinstance(size, bool) or not isinstance(size, int):
        _refuse(f"{path}.size", size, "a number of 1 or more and SizedBy(start, step)")
    else:
        check_count(f"{path}.size", size, 1)
        most = size if batcher.max_demand is None else batcher.max_demand
    check_count(f"{path}.max_demand", most, 1)
    _above_zero(f"{path}.timeout", batcher.timeout)
    check_count(f"{path}.concurrency", batcher.concurrency, 1)
    _check_partition_by(path, batcher.partition_by)
    return msgspec.structs.replace(batcher, max_demand=most)


def _check_names(path: str, mapping: object, of: type[S]) -> dict[str, S]:
    """The mapping, if it is one of names to such values."""
    allowed = f"a dict of names to {of.__name__}(...)"
    if not isinstance(mapping, Mapping):
        _refuse(path, mapping, allowed)
    found: dict[str, S] = {}
    for name, value in cast("Mapping[object, object]", mapping).items():
        if not isinstance(name, str) or not name:
            _refuse(path, name, f"{allowed}, and a name is a text that is not empty")
        if not isinstance(value, of):
            _refuse(f"{path}.{name}", value, f"{of.__name__}(...)")
        found[name] = value
    return found


def _check_partition_by(path: str, function: object) -> None:
    if function is not None:
        _check_function(f"{path}.partition_by", function, "a message that returns a key")


def _check_function(path: str, function: object, of: str) -> None:
    if not callable(function):
        _refuse(path, function, f"a function of {of}")


def _above_zero(path: str, seconds: object) -> float:
    number = check_seconds(path, seconds)
    if number == 0:
        raise ValueError(f"{path}: got {seconds!r}, allowed is more than 0 seconds")
    return number


def _refuse(path: str, value: object, allowed: str) -> Never:
    raise TypeError(f"{path}: got {short_repr(value)}, allowed is {allowed}")
