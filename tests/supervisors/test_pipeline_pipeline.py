"""The spec of a pipeline: what it is, and what it refuses, by name."""

from __future__ import annotations

from typing import Any

import pytest
import trio

from runtime import (
    AlreadyStarted,
    ChildSpec,
    Node,
    StartFailed,
    kill,
    processes,
    spawn,
    start,
    wait_exit,
)  # fmt: skip
from supervisors.pipeline.declaration import Batcher, Group, Processors, Producers
from supervisors.pipeline.message import Message
from supervisors.pipeline.pipeline import Pipeline
from tests.supervisors.pipeline_parts import Logging, Running, batched

PRODUCERS = Producers(lambda index: None)


def spec(pipeline: Any = None, **options: Any) -> ChildSpec:
    options = {"name": "line", "producers": PRODUCERS, **options}
    made: ChildSpec = (pipeline or Logging()).child_spec(**options)
    return made


def test_it_is_the_spec_of_a_supervisor_under_its_name() -> None:
    made = spec()
    assert (made.id, made.name, made.type, made.restart) == (
        "line", "line", "supervisor", "permanent",
    )  # fmt: skip
    assert made.shutdown == float("inf"), "how long it may drain is its own"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"name": 7}, r"name: got 7"),
        ({"producers": None}, r"producers: got None"),
        ({"batchers": {"sql": Batcher(size=0)}}, r"batchers\.sql\.size: got 0"),
        ({"processors": Processors(max_demand=0)}, r"processors\.max_demand: got 0"),
        ({"drain_timeout": -1}, r"drain_timeout: got -1"),
        ({"groups": {"a": Group(7)}}, r"groups\.a\.callbacks: got 7, allowed is an instance of"),
        ({"groups": {}}, "groups: got none"),
        ({"groups": {"a": Group(Logging())}, "batchers": {}}, "groups: given beside"),
        ({"groups": {"a": Group(Logging())}, "processors": Processors()}, "groups: given beside"),
    ],
)
def test_what_is_wrong_is_refused_by_its_path(options: dict[str, Any], said: str) -> None:
    """BW-05, BW-11."""
    with pytest.raises((TypeError, ValueError), match=said):
        spec(**options)


def test_callbacks_that_are_needed_must_be_there() -> None:
    class Nothing(Pipeline[int]):
        pass

    class Handles(Pipeline[int]):
        def handle_message(self, message: Message[int]) -> Message[int]:
            return message

    with pytest.raises(TypeError, match=r"Nothing has no handle_message\(\)"):
        spec(Nothing())
    spec(Handles())
    with pytest.raises(TypeError, match=r"Handles has no handle_batch\(\), which batchers need"):
        spec(Handles(), batchers={"default": Batcher()})


async def test_what_make_returns_must_be_a_source(node: Node) -> None:
    with pytest.raises(StartFailed, match="allowed is a new Source"):
        await start(spec())


async def test_two_pipelines_of_one_name_cannot_be(node: Node) -> None:
    run = await Running().start()
    with pytest.raises(AlreadyStarted, match="line"):
        await Running().start()
    await run.stop()


@pytest.mark.parametrize("taken", ["custodian", "producer_0", "processor_0", "batcher_default"])
async def test_a_stage_whose_name_is_taken_fails_the_start_and_nothing_stays(
    taken: str, node: Node
) -> None:
    pid = spawn(trio.sleep_forever, name=f"line.{taken}")
    with pytest.raises(StartFailed):
        await Running([1]).start(batchers=batched())
    assert trio.current_time() == 0.0
    assert processes() == [pid]
    kill(pid)
    await wait_exit(pid)
