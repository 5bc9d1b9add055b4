"""A pipeline is declared by plain values; what is wrong is named by its path."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from typing import Any

import pytest

from supervisors.pipeline.declaration import (
    FULL,
    Batcher,
    Declaration,
    Full,
    Group,
    Processors,
    Producers,
    RateLimit,
    SizedBy,
    check_rate_limit,
    declare,
)
from supervisors.pipeline.message import AnyMessage


def make(index: int) -> object:
    return index


def whole_bytes(so_far: int, message: AnyMessage) -> int | Full:
    return FULL


def one_group(**options: Any) -> Mapping[str, Group]:
    return {"default": Group(None, **options)}


def of(producers: Any = None, groups: Any = None, **options: Any) -> Declaration:
    """With what is wrong and, for the rest, what is right."""
    return declare(
        options.pop("name", "shop"),
        Producers(make) if producers is None else producers,
        one_group() if groups is None else groups,
        **options,
    )


def test_the_defaults() -> None:
    declared = of(groups=one_group(batchers={"sql": Batcher()}))
    assert declared == Declaration(
        "shop",
        Producers(make, concurrency=1, rate_limit=None, transform=None),
        {
            "default": Group(
                None,
                Processors(concurrency=2 * (os.cpu_count() or 1), max_demand=10, min_demand=5),
                {"sql": Batcher(size=100, timeout=1.0, concurrency=1, max_demand=100)},
            )
        },
        drain_timeout=30.0,
        resubscribe_interval=0.1,
        max_restarts=3,
        max_seconds=5.0,
    )


def test_what_is_given_stays() -> None:
    def by(message: AnyMessage) -> int:
        return 0

    producers = Producers(make, 2, RateLimit(3, 0.5), transform=lambda event: event)
    processors = Processors(3, max_demand=1, min_demand=0, partition_by=by)
    sized = SizedBy(0, whole_bytes)
    batchers = {"sql": Batcher(sized, math.inf, 2, max_demand=7, partition_by=by)}
    groups = {"a": Group(1, processors, batchers), "b": Group(2)}
    declared = of(producers, groups, drain_timeout=math.inf, max_restarts=0)
    assert declared.producers is producers
    assert declared.groups["a"] == groups["a"]
    assert declared.groups["b"].batchers == {}
    assert (declared.drain_timeout, declared.max_restarts) == (math.inf, 0)


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "no name": ({"name": ""}, "name: got '', allowed is a text that is not empty"),
    "another name": ({"name": 1}, "name: got 1, allowed is a text that is not empty"),
    "no producers": ({"producers": [make]}, "producers: got [<function make"),
    "no source": (
        {"producers": Producers(1)},  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        "producers.make: got 1, allowed is a function of an index that returns a new Source",
    ),
    "no producer": (
        {"producers": Producers(make, 0)},
        "producers.concurrency: got 0, allowed is an int of 1 or more",
    ),
    "a limit that is none": (
        {"producers": Producers(make, rate_limit=3)},  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        "producers.rate_limit: got 3, allowed is RateLimit(allowed=..., interval=...)",
    ),
    "a closed limit": (
        {"producers": Producers(make, rate_limit=RateLimit(0, 1))},
        "producers.rate_limit.allowed: got 0, allowed is an int of 1 or more",
    ),
    "no interval": (
        {"producers": Producers(make, rate_limit=RateLimit(1, 0))},
        "producers.rate_limit.interval: got 0, allowed is more than 0 seconds",
    ),
    "an endless interval": (
        {"producers": Producers(make, rate_limit=RateLimit(1, math.inf))},
        "producers.rate_limit.interval: got inf, allowed is a finite number of seconds",
    ),
    "a transform that is none": (
        {"producers": Producers(make, transform=3)},  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        "producers.transform: got 3, allowed is a function of what the source emits",
    ),
    "groups in a list": (
        {"groups": [Group(None)]},
        "groups: got [Group(",
    ),
    "no groups": ({"groups": {}}, "groups: got none, allowed is one or more"),
    "a group that is none": (
        {"groups": {"a": 1}},
        "groups.a: got 1, allowed is Group(...)",
    ),
    "a group without a name": (
        {"groups": {"": Group(None)}},
        "groups: got '', allowed is a dict of names to Group(...), and a name is a text",
    ),
    "processors as a dict": (
        {"groups": one_group(processors={"concurrency": 1})},
        "processors: got {'concurrency': 1}, allowed is Processors(concurrency=...)",
    ),
    "no processor": (
        {"groups": one_group(processors=Processors(0))},
        "processors.concurrency: got 0, allowed is an int of 1 or more",
    ),
    "no demand": (
        {"groups": one_group(processors=Processors(max_demand=0))},
        "processors.max_demand: got 0, allowed is an int of 1 or more",
    ),
    "a demand that is none": (
        {"groups": one_group(processors=Processors(max_demand=1.5))},  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        "processors.max_demand: got 1.5, allowed is an int of 1 or more",
    ),
    "less than none": (
        {"groups": one_group(processors=Processors(min_demand=-1))},
        "processors.min_demand: got -1, allowed is an int of 0 or more",
    ),
    "min above max": (
        {"groups": one_group(processors=Processors(max_demand=4, min_demand=4))},
        "processors.min_demand: got 4, allowed is less than max_demand, which is 4",
    ),
    "partitions by nothing": (
        {"groups": one_group(processors=Processors(partition_by=7))},  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        "processors.partition_by: got 7, allowed is a function of a message that returns a key",
    ),
    "one batcher alone": (
        {"groups": one_group(batchers=Batcher())},
        "batchers: got Batcher(",
    ),
    "a batcher as a dict": (
        {"groups": one_group(batchers={"sql": {"size": 3}})},
        "batchers.sql: got {'size': 3}, allowed is Batcher(...)",
    ),
    "an empty batch": (
        {"groups": one_group(batchers={"sql": Batcher(0)})},
        "batchers.sql.size: got 0, allowed is an int of 1 or more",
    ),
    "a size that is none": (
        {"groups": one_group(batchers={"sql": Batcher(True)})},
        "batchers.sql.size: got True, allowed is a number of 1 or more and SizedBy(start, step)",
    ),
    "a function for a size": (
        {"groups": one_group(batchers={"sql": Batcher(whole_bytes)})},  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        "batchers.sql.size: got <function whole_bytes",
    ),
    "a size without a step": (
        {"groups": one_group(batchers={"sql": Batcher(SizedBy(0, 0))})},  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        "batchers.sql.size.step: got 0, allowed is a function of what it came to so far and a",
    ),
    "a size without a demand": (
        {"groups": one_group(batchers={"sql": Batcher(SizedBy(0, whole_bytes))})},
        "batchers.sql.max_demand: got None, allowed is 1 or more",
    ),
    "no demand of a batcher": (
        {"groups": one_group(batchers={"sql": Batcher(max_demand=0)})},
        "batchers.sql.max_demand: got 0, allowed is an int of 1 or more",
    ),
    "no time": (
        {"groups": one_group(batchers={"sql": Batcher(timeout=0)})},
        "batchers.sql.timeout: got 0, allowed is more than 0 seconds",
    ),
    "no batch processor": (
        {"groups": one_group(batchers={"sql": Batcher(concurrency=0)})},
        "batchers.sql.concurrency: got 0, allowed is an int of 1 or more",
    ),
    "a batcher that partitions by nothing": (
        {"groups": one_group(batchers={"sql": Batcher(partition_by=0)})},  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        "batchers.sql.partition_by: got 0, allowed is a function of a message",
    ),
    "the second of two groups": (
        {"groups": {"a": Group(None), "b": Group(None, batchers={"sql": Batcher(size=-1)})}},
        "groups.b.batchers.sql.size: got -1, allowed is an int of 1 or more",
    ),
    "less than no time": (
        {"drain_timeout": -1},
        "drain_timeout: got -1, allowed is 0 or more seconds",
    ),
    "no wait": (
        {"resubscribe_interval": 0},
        "resubscribe_interval: got 0, allowed is more than 0 seconds",
    ),
    "less than no restart": (
        {"max_restarts": -1},
        "max_restarts: got -1, allowed is an int of 0 or more",
    ),
    "no window": ({"max_seconds": 0}, "max_seconds: got 0, allowed is more than 0 seconds"),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_is_named_by_its_path(what: str) -> None:
    options, said = WRONG[what]
    with pytest.raises((TypeError, ValueError)) as caught:
        of(**options)
    assert str(caught.value).startswith(said)


def test_an_unknown_option_is_refused() -> None:
    with pytest.raises(TypeError, match="siez"):
        Batcher(siez=1)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


def test_the_limit_of_a_running_pipeline_is_checked_alike() -> None:
    assert check_rate_limit("limit", RateLimit(2, 0.5)) == RateLimit(2, 0.5)
    with pytest.raises(ValueError, match=r"^limit\.allowed: got -1, allowed is"):
        check_rate_limit("limit", RateLimit(-1, 0.5))
