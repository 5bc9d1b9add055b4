"""Whatever is killed and whenever: no place is lost, none is given twice, and nothing is left."""

from __future__ import annotations

import random
from contextlib import suppress
from typing import Any

import pytest
import trio

from runtime import (
    CallExit,
    Node,
    Pid,
    Shutdown,
    Stop,
    exit,
    get_state,
    is_alive,
    kill,
    open_node,
    processes,
    start,
    wait_exit,
    whereis,
)
from runtime.stages import from_iterable, subscribe
from supervisors import ChildNotFound, ConsumerSupervisorRef
from tests.runtime.flowing import Push, settle, start_count, start_noting
from tests.supervisors.event_parts import active, feed, is_up, job, start_jobs
from tests.supervisors.tree_parts import begin_after

STEPS = range(14)


async def steps_later(steps: int) -> None:
    for _ in range(steps):
        await trio.lowlevel.checkpoint()


@pytest.mark.parametrize("steps", STEPS)
@pytest.mark.parametrize("how", ["kill", "stop"])
async def test_ended_at_any_step_it_takes_its_children_along(
    node: Node, steps: int, how: str
) -> None:
    log: list[str] = []
    producer = await start_count(log)
    jobs = await start_jobs(job(log))
    pid = jobs.pid

    async def feeding() -> None:
        with suppress(CallExit):
            await subscribe(pid, producer, max_demand=3)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(feeding)
        await steps_later(steps)
        if how == "kill":
            kill(pid)
            await wait_exit(pid)
        else:
            await jobs.stop(Shutdown())
    await settle()
    assert processes() == [producer.pid]
    assert log == [] or log[-1].startswith(("P handle_cancel down", "P handle_demand", "start"))


@pytest.mark.parametrize("steps", STEPS)
@pytest.mark.parametrize("cancel", ["temporary", "permanent"])
async def test_a_producer_killed_at_any_step_leaves_the_children_to_it(
    node: Node, steps: int, cancel: Any
) -> None:
    log: list[str] = []
    producer = await start_count(log)
    jobs = await start_jobs(job(log), to=producer, max_demand=3, cancel=cancel)
    pid = jobs.pid
    await steps_later(steps)
    kill(producer)
    await settle()
    started = [line for line in log if line.startswith("start")]
    if cancel == "permanent":
        assert processes() == []
        return
    assert is_alive(pid)
    assert await active(jobs) == (len(started), len(started))
    assert len(started) in (0, 3)
    await feed(jobs, await start_count(log, name="Q"), 2, 0)
    assert (await active(jobs))[0] in ({2, 5} if not started else {5, 3})


@pytest.mark.parametrize("steps", STEPS)
async def test_a_child_terminated_at_any_step_is_replaced_once(node: Node, steps: int) -> None:
    log: list[str] = []
    producer = await start_count(log)
    jobs = await start_jobs(
        job(log, begin=lambda event: begin_after(0)() if event == 0 else None),
        to=producer, max_demand=1, min_demand=0,
    )  # fmt: skip
    while whereis("job 0") is None:
        await trio.lowlevel.checkpoint()
    first = whereis("job 0")
    assert first is not None
    await steps_later(steps)
    await jobs.terminate_child(first)
    await settle()
    assert not is_alive(first)
    assert is_up(1)
    assert await active(jobs) == (1, 1)
    assert (await get_state(producer))["asked"] == 2


def ending(draw: random.Random) -> Any:
    """What a job ends with."""
    return draw.choice(["boom", Shutdown(), "bang"])


class Model:
    """Two producers, one supervisor, and all that can happen to them."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)
        self.log: list[str] = []
        self.budgets = {"P": (4, 2), "Q": (3, 0)}

    def begin(self, event: Any) -> Any:
        if self.draw.random() < 0.2:
            return Stop("no")
        if self.draw.random() < 0.2:
            return begin_after(1)()
        return None

    async def run(self, restart: str) -> None:
        named = job(self.log, restart, self.begin)
        jobs = await start_jobs(
            lambda event: named(event).replace(name=None, id=event), max_restarts=10_000
        )
        producers = {name: await start_count(self.log, name=name) for name in self.budgets}
        for name, producer in producers.items():
            top, bottom = self.budgets[name]
            await subscribe(jobs, producer, max_demand=top, min_demand=bottom)
        for _ in range(60):
            await self.act(jobs)
            if self.draw.random() < 0.7:
                await settle()
            rows = await jobs.which_children()
            assert len(rows) <= 7
        await trio.sleep(5)
        await settle()
        for name, producer in producers.items():
            state = await get_state(producer)
            assert state["asked"] == state["next"], "it gives what it is asked for"
            assert state["asked"] >= self.budgets[name][0]
        rows = await jobs.which_children()
        assert 7 - 1 <= len(rows) <= 7, "all places but one that is not worth an ask are taken"

    async def act(self, jobs: ConsumerSupervisorRef) -> None:
        found = [one.pid for one in await jobs.which_children() if one.pid is not None]
        if not found:
            return
        target: Pid = self.draw.choice(found)
        match self.draw.randrange(4):
            case 0:
                kill(target)
            case 1:
                exit(target, ending(self.draw))
            case 2:
                with suppress(ChildNotFound):  # it is another process by now
                    await jobs.terminate_child(target)
            case _:
                await steps_later(self.draw.randrange(5))


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("restart", ["temporary", "transient"])
async def test_whatever_happens_to_children_all_places_are_used_again(
    seed: int, restart: str
) -> None:
    async with open_node(instruments=[]):
        await Model(seed).run(restart)


async def test_thousands_of_events_that_all_fail_hold_up_nobody(node: Node) -> None:
    """An endless source of events that get no child: the supervisor answers all the same."""
    jobs = await start_jobs(lambda _event: None, to=await start_count([]), max_demand=100)
    for _ in range(20):
        assert await active(jobs) == (0, 0)
    await jobs.stop()


async def test_ten_thousand_events_leave_nothing(node: Node) -> None:
    done = 0

    async def work(event: int) -> None:
        nonlocal done
        done += 1
        await trio.lowlevel.checkpoint()

    source = await start(from_iterable(range(10_000)))
    jobs = await start_jobs(work, to=source, cancel="temporary", max_demand=100)
    await settle()
    assert done == 10_000
    assert await active(jobs) == (0, 0)
    assert processes() == [jobs.pid]


async def test_while_very_many_children_start_others_have_a_turn(node: Node) -> None:
    log: list[str] = []
    producer = await start_noting(log)
    jobs = await start_jobs(job(log), to=producer, max_demand=1000)
    await settle()
    await producer.call(Push(list(range(1000))))
    while not is_up(0):
        await trio.lowlevel.checkpoint()
    assert not is_up(999)
    await settle()
    assert await active(jobs) == (1000, 1000)


@pytest.mark.parametrize("steps", [5, 10, 15])
async def test_ended_in_the_middle_of_them_it_leaves_nothing(node: Node, steps: int) -> None:
    producer = await start_noting([])
    jobs = await start_jobs(job([]), to=producer, max_demand=1000)
    await settle()
    await producer.call(Push(list(range(1000))))
    await steps_later(steps)
    await jobs.stop(Shutdown())
    assert processes() == [producer.pid]
