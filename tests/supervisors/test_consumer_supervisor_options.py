"""How a consumer supervisor is made and subscribes, and odd events and starts."""

from __future__ import annotations

from typing import Any

import pytest
import trio

from runtime import (
    AlreadyStarted,
    ChildStartFailed,
    Crashed,
    EventsInExcess,
    GenServer,
    Node,
    Normal,
    Pid,
    UnhandledMessage,
    kill,
    named,
    snapshot,
    start,
    whereis,
)
from runtime.inspection.views import Plain
from runtime.stages import BadSubscription, from_iterable
from supervisors import Backoff, ConsumerSupervisor, ConsumerSupervisorRef
from tests.conftest import Recorder
from tests.runtime.flowing import Careless, Push, settle, start_count, start_noting
from tests.supervisors.event_parts import Job, active, feed, finish, is_up, job, seen, start_jobs
from tests.supervisors.tree_parts import begin_after, start_supervisor


def facts_of(pid: Pid) -> dict[str, Plain]:
    """What it says of itself in a snapshot."""
    (found,) = [one for one in snapshot().processes if one.pid == pid.number]
    return found.facts


async def test_it_subscribes_to_what_it_is_given(node: Node) -> None:
    log: list[str] = []
    producers = [await start_count(log, 9, name="P"), await start_noting(log, name="Q")]
    jobs = await start_jobs(job(log), to=producers, max_demand=2, min_demand=1)
    await settle()
    assert sorted(seen(log)) == ["P handle_demand 2", "Q handle_demand 2", "start 0", "start 1"]
    assert facts_of(jobs.pid) == {
        "strategy": "one_for_one",
        "children": 2,
        "restarts": 0,
        "max_restarts": 3,
        "max_seconds": 5.0,
        "producers": 2,
        "under_way": 2,
        "max_demand": 4,
    }


async def test_it_stands_in_a_tree_behind_its_producer(node: Node) -> None:
    log: list[str] = []
    top = await start_supervisor([
        from_iterable(range(3), demand="forward").replace(name="numbers"),
        ConsumerSupervisor.child_spec(
            job(log), to=named("numbers"), max_demand=5, cancel="transient"
        ).replace(name="jobs"),
    ])  # fmt: skip
    await settle()
    assert seen(log) == ["start 0", "start 1", "start 2"]
    assert whereis("numbers") is None
    assert await active(ConsumerSupervisorRef("jobs")) == (3, 3)
    await top.stop()
    assert not is_up(0)


async def test_children_are_classes_functions_and_specs_with_extra_arguments(node: Node) -> None:
    log: list[str] = []
    done: list[object] = []

    async def work(before: object, event: object) -> None:
        done.append((before, event))

    producer = await start_noting([])
    await start_jobs(Job, extra_arguments=[log], to=producer, cancel="temporary")
    await producer.call(Push(["a"]))
    await settle()
    assert seen(log) == ["start a"]
    second = await start_noting([])
    functions = await start_jobs(work, extra_arguments=iter(["x"]), to=second, max_demand=1)
    await second.call(Push(["b", "c"]))
    await settle()
    assert done == [("x", "b"), ("x", "c")]
    assert await active(functions) == (0, 0)


async def test_an_async_function_with_no_place_left_waits_for_one(node: Node) -> None:
    """At most ``max_demand`` at once, and all of them in the end."""
    running = most = 0
    done: list[int] = []

    async def work(event: int) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await trio.sleep(event % 3)
        running -= 1
        done.append(event)

    source = await start(from_iterable(range(50)))
    await start_jobs(work, to=source, max_demand=7, min_demand=3, cancel="temporary")
    await trio.sleep(60)
    assert sorted(done) == list(range(50))
    assert most == 7


async def test_a_subclass_that_subscribes_itself(node: Node) -> None:
    log: list[str] = []

    class Jobs(ConsumerSupervisor):
        def __init__(self, producer: Any) -> None:
            super().__init__(job(log))
            self.producer = producer

        def init(self) -> None:
            super().init()
            self.subscribe(self.producer, max_demand=1)

    await Jobs.start(await start_count(log, 2))
    await settle()
    assert seen(log) == ["P handle_demand 1", "start 0"]


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"max_demand": 0}, BadSubscription, "max_demand: got 0"),
        ({"to": 7}, TypeError, "to: got 7, allowed are a name"),
        ({"to": [7]}, TypeError, "to: got 7"),
        ({"restart": "never"}, ValueError, "restart: got 'never'"),
        ({"max_restarts": -1}, ValueError, "max_restarts"),
        ({"backoff": 3}, TypeError, "backoff"),
        ({"extra_arguments": "ab"}, TypeError, "extra_arguments"),
        ({"max_children": 3}, TypeError, "got 'max_children', allowed are max_demand"),
    ],
)
def test_wrong_options_are_refused_when_the_spec_is_made(
    options: dict[str, Any], error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        ConsumerSupervisor.child_spec(job([]), **options)


async def test_a_slow_start_takes_a_place_and_holds_up_nobody(node: Node) -> None:
    log: list[str] = []

    def begin(event: object) -> Any:
        return begin_after(5)() if event == 0 else None

    jobs = await start_jobs(job(log, begin=begin))
    await feed(jobs, await start_count(log, 9), 2, 0)
    assert seen(log) == ["P handle_demand 2", "start 1"]
    assert await active(jobs) == (2, 2)
    await finish(1, Normal())
    assert seen(log) == ["end 1 normal", "P handle_demand 1", "start 2"]


async def test_a_child_that_is_terminated_before_it_is_up_gives_its_place_back(
    node: Node, events: Recorder
) -> None:
    log: list[str] = []

    def begin(event: object) -> Any:
        return begin_after(5)() if event == 0 else None

    jobs = await start_jobs(job(log, begin=begin))
    await feed(jobs, await start_count(log, 9), 1, 0)
    starting = whereis("job 0")
    assert starting is not None
    await jobs.terminate_child(starting)
    await settle()
    assert seen(log) == ["P handle_demand 1", "P handle_demand 1", "start 1"]
    assert events.of(ChildStartFailed) == []


async def test_one_that_is_killed_before_it_is_up_drops_its_event(
    node: Node, events: Recorder
) -> None:
    log: list[str] = []

    def begin(event: object) -> Any:
        return begin_after(5)() if event == 0 else None

    jobs = await start_jobs(job(log, "transient", begin))
    await feed(jobs, await start_count(log, 9), 1, 0)
    kill(named("job 0"))
    await settle()
    assert seen(log) == ["P handle_demand 1", "P handle_demand 1", "start 1"]
    (told,) = events.of(ChildStartFailed)
    assert (told.child_id, told.action) == ("job 0", "drop its event")


@pytest.mark.parametrize("end", ["stop", "kill"])
async def test_what_is_starting_when_it_ends_has_not_failed(
    node: Node, events: Recorder, end: str
) -> None:
    jobs = await start_jobs(job([], begin=lambda _event: begin_after(5)()))
    await feed(jobs, await start_count([]), 2, 0)
    if end == "stop":
        await jobs.stop()
    else:
        kill(jobs)
        await settle()
    assert not is_up(0)
    assert events.of(ChildStartFailed) == []


async def test_events_without_a_child_are_dropped_and_told(node: Node, events: Recorder) -> None:
    """A name that is taken, a function that raises, a spec that is not enabled."""
    log: list[str] = []

    def make(event: Any) -> Any:
        if event == "bad":
            raise ValueError("bad event")
        return job(log)(event).replace(enabled=event != "off")

    producer = await start_noting(log)
    jobs = await start_jobs(make, to=producer, max_demand=4, min_demand=0)
    await settle()
    await producer.call(Push(["a", "a", "bad", "off"]))
    await settle()
    assert sorted(seen(log)) == ["P handle_demand 3", "P handle_demand 4", "start a"]
    assert await active(jobs) == (1, 1)
    taken, bad = events.of(ChildStartFailed)
    assert isinstance(taken.reason, Crashed)
    assert isinstance(taken.reason.exception, AlreadyStarted)
    assert (taken.child_id, taken.action) == ("job a", "drop its event")
    assert isinstance(bad.reason, Crashed)
    assert repr(bad.reason.exception) == "ValueError('bad event')"
    assert bad.child_id is None


async def test_a_child_that_waits_for_its_restart_keeps_its_place(node: Node) -> None:
    log: list[str] = []
    backoff = Backoff(initial=10, jitter=0)
    jobs = await start_jobs(job(log, "transient"), backoff=backoff)
    await feed(jobs, await start_count(log, 9), 1, 0)
    await finish(0, "boom")
    await trio.sleep(5)
    assert seen(log)[2:] == ["end 0 boom"]
    assert await active(jobs) == (1, 0)
    await trio.sleep(6)
    assert seen(log) == ["start 0"]


async def test_one_that_is_terminated_while_it_waits_gives_it_back(node: Node) -> None:
    log: list[str] = []
    backoff = Backoff(initial=10, jitter=0)
    jobs = await start_jobs(job(log, "transient"), backoff=backoff)
    await feed(jobs, await start_count(log, 9), 1, 0)
    first = whereis("job 0")
    assert first is not None
    await finish(0, "boom")
    await jobs.terminate_child(first)
    await settle()
    assert seen(log)[2:] == ["end 0 boom", "P handle_demand 1", "start 1"]


async def test_events_nobody_asked_for_get_their_children_and_are_told(
    node: Node, events: Recorder
) -> None:
    """GS-18."""
    log: list[str] = []
    producer = await start_noting(log, dispatcher=Careless)
    jobs = await start_jobs(job(log), to=producer, max_demand=2)
    await settle()
    await producer.call(Push(["a", "b", "c"]))
    await settle()
    assert seen(log)[1:] == ["start a", "start b", "start c"]
    assert [(one.pid, one.count) for one in events.of(EventsInExcess)] == [(jobs.pid, 1)]


async def test_what_was_dropped_for_a_producer_that_has_gone_is_forgotten(node: Node) -> None:
    log: list[str] = []
    producer = await start_noting(log)
    jobs = await start_jobs(lambda _event: None, to=producer, cancel="temporary")
    await settle()
    await producer.call(Push(["a"]))
    kill(producer)
    await settle()
    assert facts_of(jobs.pid)["producers"] == 0
    second = await start_count(log, 1, name="Q")
    await feed(jobs, second, 3, 0)
    assert seen(log) == ["P handle_demand 1000", "Q handle_demand 3", "Q handle_demand 1"]


async def test_a_call_that_no_supervisor_knows_is_the_callers_mistake(node: Node) -> None:
    jobs = await start_jobs(job([]))
    with pytest.raises(UnhandledMessage, match="a supervisor does not handle the call Push"):
        await jobs.call(Push([1]))
    assert await active(jobs) == (0, 0)


async def test_a_class_that_is_no_stage_is_a_child_like_any_other(node: Node) -> None:
    class Plain(GenServer):
        def __init__(self, event: object) -> None:
            self.event = event

    producer = await start_noting([])
    jobs = await start_jobs(Plain, to=producer, restart="transient")
    await producer.call(Push([1, 2]))
    await settle()
    assert [one.behaviour for one in await jobs.which_children()] == ["Plain", "Plain"]
