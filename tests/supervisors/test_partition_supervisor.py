"""One child several times: how partitions are started, restarted and stopped."""

from __future__ import annotations

import functools
import math
import os
from typing import Any

import pytest
import trio

from runtime import (
    Crashed,
    Killed,
    Node,
    Shutdown,
    StartFailed,
    Stop,
    child_spec,
    kill,
    named,
    start,
    via,
    wait_exit,
)
from supervisors import (
    Backoff,
    FailedToStartChild,
    PartitionSupervisor,
)
from tests.conftest import Recorder
from tests.supervisors.partition_parts import (
    Shard,
    at,
    kill_partition,
    pid_at,
    start_shards,
    status,
    with_index,
)
from tests.supervisors.tree_parts import Flaky, Worker, drain, settle, start_supervisor, worker
from tests.support import end_of


def shards(**options: Any) -> Any:
    """The spec of a partition supervisor of shards."""
    return PartitionSupervisor.child_spec(Shard.child_spec([]), **options)


# ---------------------------------------------------------------------- starting


async def test_by_default_there_is_one_for_each_core_this_program_may_use(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PAR-001."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: {0, 2, 5}, raising=False)
    parts = await start_shards(None)
    assert parts.partitions() == 3
    await parts.stop()
    monkeypatch.delattr(os, "sched_getaffinity")
    for cores, partitions in ((7, 7), (None, 1)):
        monkeypatch.setattr(os, "cpu_count", lambda cores=cores: cores)
        parts = await start_shards(None)
        assert parts.partitions() == partitions
        await parts.stop()


async def test_each_partition_gets_arguments_of_its_own_when_the_supervisor_starts(
    node: Node,
) -> None:
    """PAR-004. Also on its restart, and anew on a restart of the supervisor."""
    asked: list[tuple[tuple[object, ...], int]] = []
    log: list[str] = []

    def arguments(args: tuple[object, ...], index: int) -> list[object]:
        asked.append((args, index))
        return [*args, index * 10]

    spec = PartitionSupervisor.child_spec(
        Shard.child_spec(log), partitions=2, with_arguments=arguments
    )
    assert asked == []
    await start_supervisor([spec.replace(name="parts")])
    assert asked == [((log,), 0), ((log,), 1)]
    assert [await at(0), await at(1)] == [0, 10]
    await kill_partition(1)
    assert await at(1) == 10
    assert len(asked) == 2
    await named("parts").stop(Shutdown())
    await settle()
    assert len(asked) == 4


async def test_without_a_function_all_have_the_arguments_of_the_child(node: Node) -> None:
    await start_shards(2, child=Shard.child_spec([], 7), with_arguments=None)
    assert [await at(0), await at(1)] == [7, 7]


async def test_keyword_arguments_of_the_child_stay(node: Node) -> None:
    log: list[str] = []
    child = Worker.child_spec([], "x", begin=lambda: log.append("began"))
    await start_shards(2, child=child, with_arguments=lambda args, index: [*args])
    assert log == ["began", "began"]


async def test_the_child_may_be_a_class_or_an_async_function(node: Node) -> None:
    log: list[object] = []

    async def work(*args: object) -> None:
        log.append(args)
        await trio.sleep_forever()

    for child in (work, child_spec(work, "x"), functools.partial(work, "y")):
        parts = await start_shards(2, child=child)
        await settle()
        await parts.stop()
    assert sorted(map(str, log[:2])) == ["(0,)", "(1,)"]
    assert sorted(map(str, log[2:4])) == ["('x', 0)", "('x', 1)"]
    assert sorted(map(str, log[4:])) == ["('y', 0)", "('y', 1)"]


@pytest.mark.parametrize("junk", [None, 5, "ab", object()])
async def test_what_is_no_list_of_arguments_fails_the_start(node: Node, junk: object) -> None:
    """PAR-003."""
    with pytest.raises(StartFailed) as caught:
        await start_shards(2, with_arguments=lambda args, index: junk)
    assert str(caught.value.__cause__) == (
        f"with_arguments: returned {junk!r} for partition 0, allowed is a list of arguments"
    )


async def test_arguments_the_child_does_not_take_fail_the_start(node: Node) -> None:
    log: list[str] = []
    with pytest.raises(StartFailed) as caught:
        await start_shards(2, log, with_arguments=lambda args, index: range(index + 2))
    assert "arguments of Shard: too many positional arguments" in str(caught.value.__cause__)
    assert log == []


async def test_what_the_function_raises_fails_the_start(node: Node) -> None:
    def raises(args: tuple[object, ...], index: int) -> list[object]:
        raise LookupError(index)

    with pytest.raises(StartFailed) as caught:
        await start_shards(2, with_arguments=raises)
    assert isinstance(caught.value.reason, Crashed)
    assert isinstance(caught.value.__cause__, LookupError)


async def test_a_partition_that_does_not_start_fails_all(node: Node) -> None:
    """PAR-015."""
    log: list[str] = []

    class Third(Shard):
        def init(self) -> Any:
            return Stop("nope") if self.index == 2 else super().init()

    with pytest.raises(StartFailed) as caught:
        await start_shards(4, child=Third.child_spec(log))
    assert caught.value.reason == Shutdown(FailedToStartChild(2, "nope"))
    assert log == ["init 0", "init 1", "terminate 1 shutdown", "terminate 0 shutdown"]


# ---------------------------------------------------------------------- what is refused


def sync_function() -> None:
    """Nothing that can be a child."""


async def async_function(args: tuple[object, ...], index: int) -> list[object]:
    return []


WRONG: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"partitions": 0}, ValueError, "partitions: got 0, allowed is an int of 1 or more"),
    ({"partitions": -3}, ValueError, "partitions: got -3, allowed is an int of 1 or more"),
    ({"partitions": True}, TypeError, "partitions: got True, allowed is an int of 1 or more"),
    ({"partitions": 2.0}, TypeError, "partitions: got 2.0, allowed is an int of 1 or more"),
    ({"partitions": math.inf}, TypeError, "partitions: got inf, allowed is an int of 1 or more"),
    ({"with_arguments": 5}, TypeError, "with_arguments: got 5, allowed is a plain function"),
    ({"with_arguments": async_function}, TypeError, "with_arguments: got <function async_funct"),
    ({"strategy": "one_for_none"}, ValueError, "strategy: got 'one_for_none', allowed are"),
    ({"max_restarts": -1}, ValueError, "max_restarts: got -1, allowed is an int of 0 or more"),
    ({"backoff": 5}, TypeError, "backoff: got 5, allowed are Backoff(...) and None"),
    ({"auto_shutdown": "never"}, TypeError, "arguments of PartitionSupervisor: got an unexpe"),
    ({"child": Shard.child_spec([])}, TypeError, "arguments of PartitionSupervisor: multiple"),
]


@pytest.mark.parametrize(("options", "error", "text"), WRONG)
def test_a_wrong_option_is_refused_when_the_spec_is_made(
    options: dict[str, Any], error: type[Exception], text: str
) -> None:
    """PAR-002, PAR-021."""
    with pytest.raises(error) as caught:
        shards(**options)
    assert str(caught.value).startswith(text)


@pytest.mark.parametrize("junk", [None, 5, "Shard", int, object(), [Shard]])
def test_what_cannot_be_a_child_is_refused(junk: Any) -> None:
    """PAR-002."""
    with pytest.raises(TypeError, match=r"child: got .*, allowed are a ChildSpec such as"):
        PartitionSupervisor.child_spec(junk)


def test_no_child_at_all_is_refused_too() -> None:
    """PAR-002. differs: the name may be missing, for its handle can be had from the start."""
    wrong: Any = PartitionSupervisor.child_spec
    with pytest.raises(TypeError, match="missing a required argument: 'child'"):
        wrong(partitions=2)
    with pytest.raises(TypeError, match="allowed is an async function"):
        PartitionSupervisor.child_spec(sync_function)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def test_a_child_with_a_name_is_refused() -> None:
    """All partitions would have it."""
    for name in ("main", via("names", 7)):
        with pytest.raises(ValueError, match=r"name of child .*: got .*, allowed is None: every"):
            PartitionSupervisor.child_spec(Shard.child_spec([]).replace(name=name))


def test_a_child_that_may_be_left_out_is_refused() -> None:
    for enabled in (False, lambda: True):
        spec = Shard.child_spec([]).replace(enabled=enabled)
        with pytest.raises(ValueError, match=r"enabled of child 'Shard': got .*, allowed is True"):
            PartitionSupervisor.child_spec(spec)


def test_a_significant_child_is_refused() -> None:
    spec = Shard.child_spec([]).replace(restart="temporary", significant=True)
    with pytest.raises(ValueError, match="significant of child 'Shard'"):
        PartitionSupervisor.child_spec(spec)


def test_its_spec_is_that_of_a_supervisor() -> None:
    """PAR-020."""
    spec = shards(partitions=2)
    assert (spec.id, spec.type, spec.shutdown) == ("PartitionSupervisor", "supervisor", math.inf)
    assert spec.replace(name="parts").id == "parts"
    assert spec.replace(name=via("names", "parts")).id == "parts"


async def test_a_constructor_of_a_subclass_runs_at_the_start_alone(node: Node) -> None:
    made: list[int] = []

    class Shards(PartitionSupervisor):
        def __init__(self, partitions: int) -> None:
            made.append(partitions)
            child = Shard.child_spec([])
            super().__init__(child, partitions=partitions, with_arguments=with_index)

    spec = Shards.child_spec(2).replace(name="parts")
    assert made == []
    await start(spec)
    assert made == [2]
    assert [await at(0), await at(1)] == [0, 1]


# ---------------------------------------------------------------------- restarts and the end


@pytest.mark.parametrize(
    ("strategy", "replaced"), [("one_for_all", [0, 1, 2]), ("rest_for_one", [1, 2])]
)
async def test_other_strategies_replace_others_too(
    node: Node, strategy: str, replaced: list[int]
) -> None:
    """PAR-009."""
    await start_shards(3, strategy=strategy)
    before = [pid_at(index) for index in range(3)]
    await kill_partition(1)
    after = [pid_at(index) for index in range(3)]
    assert [index for index in range(3) if before[index] is not after[index]] == replaced
    assert [await at(index) for index in range(3)] == [0, 1, 2]


async def test_a_backoff_and_a_failing_restart_are_those_of_a_supervisor(node: Node) -> None:
    flaky = Flaky(2)
    parts = await start_shards(
        1,
        child=worker([], "a", begin=flaky),
        with_arguments=None,
        backoff=Backoff(initial=1, factor=1, jitter=0),
        max_restarts=10,
    )
    await kill_partition(0)
    assert await status(parts) == {0: "restarting"}
    await trio.sleep(3.5)
    assert await status(parts) == {0: "running"}
    assert flaky.attempts == 4


async def test_a_killed_one_takes_its_partitions_with_it(node: Node, events: Recorder) -> None:
    log: list[str] = []
    parts = await start_shards(2, log)
    pids = [pid_at(0), pid_at(1)]
    pid = parts.pid
    await kill_partition(0)
    drain(log)
    kill(pid)
    await wait_exit(pid)
    assert sorted(log) == ["terminate 0 killed", "terminate 1 killed"]
    assert end_of(events, pid) == Killed()
    assert pids[1] is not None
    assert end_of(events, pids[1]) == Killed()
