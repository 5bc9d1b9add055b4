"""Rows of BW about what a pipeline is declared by."""

from __future__ import annotations

import os
from typing import Any

import pytest

from runtime import is_alive
from supervisors.pipeline import (
    Batcher,
    Group,
    NoRateLimit,
    Processors,
    Producers,
    RateLimit,
    SizedBy,
)
from tests.conformance.bw.parts import Callbacks, Items, Line, Log
from tests.conformance.scenarios import row


@row("BW-01")
async def what_is_not_said_is_as_usual() -> None:
    line = Line()
    assert line.producers().concurrency == 1
    batcher = Batcher()
    assert (batcher.size, batcher.timeout, batcher.concurrency) == (100, 1.0, 1)
    await line.start(processors=Processors(), batchers={"default": batcher})
    topology = await line.ref.topology()
    (group,) = topology.groups
    assert len(topology.producers) == 1
    assert len(group.processors) == 2 * (os.cpu_count() or 1)
    assert len(group.batchers[0].batch_processors) == 1
    await line.stop()
    declaration: Any = line.spec().args[0]
    assert (declaration.drain_timeout, declaration.resubscribe_interval) == (30.0, 0.1)


@row("BW-02")
async def a_processor_gets_about_five_at_a_time() -> None:
    line = await Line(range(20)).start()
    chunks = [successful for _, successful, _ in line.log]
    assert [len(chunk) for chunk in chunks] == [5, 5, 5, 5]
    assert line.asks[0] == ("ask", 10)
    await line.stop()


@row("BW-05")
async def what_is_wrong_is_named_by_its_path() -> None:
    line = Line()
    with pytest.raises(TypeError, match="concurency"):
        Processors(concurency=2)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"batchers": {"sql": {"size": 1}}}, r"^batchers\.sql: got \{'size': 1\}, allowed is Bat"),
        ({"batchers": Batcher()}, r"^batchers: got Batcher\("),
        ({"batchers": {"sql": Batcher(0)}}, r"^batchers\.sql\.size: got 0, allowed is an int of 1"),
        ({"processors": Processors(0)}, r"^processors\.concurrency: got 0, allowed is an int of 1"),
    ]
    for options, said in wrong:
        with pytest.raises((TypeError, ValueError), match=said):
            line.spec(**options)


@row("BW-06")
async def a_size_that_is_counted_needs_a_demand() -> None:
    counted = SizedBy(0, lambda so_far, message: so_far)
    with pytest.raises(ValueError, match=r"^batchers\.sql\.max_demand: got None, allowed is 1"):
        Line().spec(batchers={"sql": Batcher(counted)})
    Line().spec(batchers={"sql": Batcher(counted, max_demand=10)})


@row("BW-07")
async def every_group_gets_every_message() -> None:
    """differs: several groups are allowed; a message is done when all have done with it."""
    line = Line(range(3))
    one: Log = []
    two: Log = []
    groups = {
        "one": Group(Callbacks(one), Processors(1), {"default": Batcher(3)}),
        "two": Group(Callbacks(two, lambda m: m if m.data else m.fail("no")), Processors(1)),
    }
    await line.start(groups=groups)
    assert one == [("size", "default", [0, 1, 2])]
    assert sorted(line.told_of("ok")) == [1, 2]
    assert line.told_of("failed") == [0]
    await line.stop()


@row("BW-09")
async def a_producer_knows_which_one_it_is() -> None:
    """differs: it is made by ``make(index)``, which gets what it needs as any function does."""
    made: list[int] = []

    def make(index: int) -> Items:
        made.append(index)
        return Items([], [])

    line = Line()
    await line.start(Producers(make, concurrency=3))
    assert made == [0, 1, 2]
    await line.stop()


@row("BW-10")
async def a_pipeline_says_what_it_is_made_of() -> None:
    batchers = {"sql": Batcher(concurrency=2), "mail": Batcher()}
    line = await Line().start(None, Processors(2), batchers)
    topology = await line.ref.topology()
    (group,) = topology.groups
    assert topology.producers == ("line.producer_0",)
    assert group.processors == ("line.processor_0", "line.processor_1")
    assert [(one.name, one.stage, one.batch_processors) for one in group.batchers] == [
        (
            "sql",
            "line.batcher_sql",
            ("line.batch_processor_sql_0", "line.batch_processor_sql_1"),
        ),
        ("mail", "line.batcher_mail", ("line.batch_processor_mail_0",)),
    ]
    for stage in (*topology.producers, *group.processors, group.batchers[0].stage):
        assert is_alive(line.pid(stage.removeprefix("line.")))
    assert await line.ref.all_running()
    await line.stop()


@row("BW-11")
async def a_name_is_a_text() -> None:
    for name in (7, "", ("via", "x")):
        with pytest.raises(TypeError, match=r"^name: got .*, allowed is a text that is not empty$"):
            Callbacks([]).child_spec(name=name, producers=Line().producers())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


@row("BW-54")
async def who_has_no_limit_is_told_so() -> None:
    line = await Line().start()
    with pytest.raises(NoRateLimit):
        await line.ref.rate_limit()
    with pytest.raises(NoRateLimit):
        await line.ref.set_rate_limit(allowed=3)
    await line.stop()
    line = await Line().start(line.producers(rate_limit=RateLimit(3, 0.5)))
    assert await line.ref.rate_limit() == RateLimit(3, 0.5)
    await line.stop()
