"""The line: names, who runs, what is over; and how its end is seen."""

from __future__ import annotations

import trio

from runtime import Crashed, Node, Normal, child_spec, kill, self_, spawn, start, wait_exit
from runtime.current import find_process
from supervisors.pipeline.declaration import (
    Batcher,
    Group,
    Processors,
    Producers,
    RateLimit,
    declare,
)
from supervisors.pipeline.line import Line
from supervisors.pipeline.message import Message
from tests.supervisors.pipeline_parts import Running, batched


def line(*groups: str, batcher: str = "default", **producers: object) -> Line:
    made = Group(None, Processors(concurrency=2), {batcher: Batcher(concurrency=2)})
    source = Producers(lambda index: None, **producers)  # type: ignore[arg-type]
    return Line(declare("line", source, dict.fromkeys(groups or ("default",), made)))


def test_the_stages_have_names_of_their_own_from_the_source_on() -> None:
    """BW-10."""
    assert line(concurrency=2).stage_names() == [
        "line.producer_0",
        "line.producer_1",
        "line.processor_0",
        "line.processor_1",
        "line.batcher_default",
        "line.batch_processor_default_0",
        "line.batch_processor_default_1",
    ]


def test_with_several_groups_each_has_its_own() -> None:
    names = line("a", "b", batcher="sql").stage_names()
    assert names[0] == "line.producer_0"
    assert names[1:6] == [
        "line.a.processor_0",
        "line.a.processor_1",
        "line.a.batcher_sql",
        "line.a.batch_processor_sql_0",
        "line.a.batch_processor_sql_1",
    ]
    assert names[6:] == [name.replace(".a.", ".b.") for name in names[1:6]]


def test_there_is_a_window_where_there_is_a_limit() -> None:
    """BW-51."""
    assert line().rate is None
    limit = RateLimit(3, 1.0)
    rate = line(rate_limit=limit).rate
    assert rate is not None
    assert rate.limit == limit


async def sleeper() -> None:
    await trio.sleep_forever()


async def test_a_stage_that_has_ended_normally_is_done_unless_it_is_back(node: Node) -> None:
    made = line()

    async def join() -> None:
        process = find_process(self_())
        assert process is not None
        made.joined(process, "line.processor_0")
        assert made.done == set()

    for _ in range(2):
        await wait_exit(spawn(join))
        assert made.done == {"line.processor_0"}
        assert made.is_empty()


async def test_a_stage_that_was_killed_is_not(node: Node) -> None:
    made = line()
    pid = (await start(child_spec(sleeper))).pid
    process = find_process(pid)
    assert process is not None
    made.joined(process, "line.producer_0")
    assert made.producer_pids() == [pid]
    assert made.producers() == [process]
    kill(pid)
    await wait_exit(pid)
    assert made.done == set()
    assert made.producers() == []


async def test_who_has_given_back_what_is_told(node: Node) -> None:
    made = line()
    told: list[tuple[str, int]] = []
    made.given_back = lambda stage, count: told.append((stage, count))
    pid = (await start(child_spec(sleeper))).pid
    process = find_process(pid)
    assert process is not None
    made.joined(process, "line.producer_0")
    made.custody.admit([Message(1), Message(2)], pid)
    kill(pid)
    await wait_exit(pid)
    assert told == [("line.producer_0", 2)]
    assert made.facts() == {
        "emitted": 2, "successful": 0, "failed": 0, "given_back": 2,
        "under way": 0, "draining": False,
    }  # fmt: skip


async def test_the_facts_of_a_pipeline_count_its_messages(node: Node) -> None:
    run = await Running(range(4)).start(batchers=batched(3))
    await run.settle()
    process = run.ref.find()
    assert process is not None
    facts = process.body.facts()
    assert {key: facts[key] for key in ("emitted", "successful", "under way", "draining")} == {
        "emitted": 4, "successful": 3, "under way": 1, "draining": False,
    }  # fmt: skip
    await run.stop()


async def test_a_pipeline_is_done_only_when_every_stage_is(node: Node) -> None:
    made = line()
    told: list[str] = []
    made.on_done = lambda: told.append("done")
    for name in made.stage_names():
        assert not made.is_done
        process = find_process((await start(child_spec(sleeper))).pid)
        assert process is not None
        made.joined(process, name)
        made.left(process.pid, Normal())
        kill(process.pid)
        process.watches.clear()
        await wait_exit(process.pid)
    assert made.is_done
    assert told == ["done"]


async def test_a_stage_that_crashed_is_not_done(node: Node) -> None:
    made = line()
    process = find_process((await start(child_spec(sleeper))).pid)
    assert process is not None
    made.joined(process, "line.producer_0")
    made.left(process.pid, Crashed(ValueError()))
    assert made.done == set()
    process.watches.clear()
    kill(process.pid)
    await wait_exit(process.pid)
