"""The node: what is scoped to one trio.run, and how it ends."""

from __future__ import annotations

import asyncio
from contextvars import ContextVar
from typing import Any

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from runtime import (
    Event,
    Instrument,
    Killed,
    Node,
    NoNode,
    Pid,
    ProcessEnded,
    Shutdown,
    StillAlive,
    is_alive,
    kill,
    open_node,
    processes,
    self_,
    send_after,
    spawn,
    spawn_link,
    start,
    trap_exits,
    whereis,
)
from runtime.current import current_table, node_is_open
from tests.conftest import Recorder
from tests.runtime.ending import note_end
from tests.support import Scripted, captured_logs, end_of


def recording(events: Recorder) -> list[Instrument]:
    return [events.instrument]


async def test_outside_of_a_node_nothing_can_be_started() -> None:
    with pytest.raises(NoNode, match="use open_supervisor"):
        spawn(trio.sleep_forever)
    with pytest.raises(NoNode):
        await start(Scripted.child_spec())
    assert not node_is_open()


def test_outside_of_a_run_neither() -> None:
    with pytest.raises(NoNode, match=r"called outside trio\.run"):
        processes()


async def test_after_it_closes_there_is_no_node() -> None:
    async with open_node() as node:
        assert isinstance(node, Node)
        assert node_is_open()
    assert not node_is_open()
    with pytest.raises(NoNode):
        whereis("x")


async def test_it_can_be_opened_again() -> None:
    for _ in range(3):
        async with open_node():
            assert processes() == []
            spawn(trio.sleep_forever)


async def test_there_is_one_per_run(node: Node) -> None:
    with pytest.raises(RuntimeError, match=r"a node is open in this trio\.run already"):
        async with open_node():
            pytest.fail("a second one was opened")
    spawn(trio.sleep_forever)


def test_two_runs_never_see_each_others_processes() -> None:
    pids: list[Pid] = []

    async def main() -> None:
        async with open_node():
            assert processes() == []
            pids.append(spawn(trio.sleep_forever, name="x"))

    trio.run(main)
    trio.run(main)
    first, second = pids
    assert (first.number, second.number) == (1, 1)
    assert first != second


async def test_what_is_left_is_stopped_last_started_first() -> None:
    """Contract 6: open_node owns what has no supervisor; each within its budget."""
    log: list[str] = []
    events = Recorder()
    pids: list[Pid] = []
    async with open_node(instruments=recording(events)):
        pids.extend(spawn(note_end, log, tag, 1) for tag in "abc")
        await wait_all_tasks_blocked()
    assert log == ["c", "b", "a"]
    assert trio.current_time() == 3
    assert [end_of(events, pid) for pid in pids] == [Shutdown()] * 3


async def test_each_has_its_own_budget() -> None:
    """What is started from a spec has the spec's; a spawned function has 5 seconds."""
    events = Recorder()

    async def stay() -> None:
        trap_exits()
        await trio.sleep_forever()

    async def slow(*_: object) -> None:
        await trio.sleep(1000)

    log: list[Any] = []
    pids: list[Pid] = []
    async with open_node(instruments=recording(events)):
        pids.append(spawn(stay))
        spec = Scripted.child_spec(log, terminate=slow)
        pids.append((await start(spec.replace(shutdown=2))).pid)
        pids.append((await start(spec.replace(shutdown="brutal_kill"))).pid)
    assert trio.current_time() == 2 + 5
    assert [end_of(events, pid) for pid in pids] == [Killed()] * 3
    assert log == [("terminate", Shutdown())]


async def test_a_linked_one_goes_with_its_partner() -> None:
    """A process that another one started lives in the node's root as well, and is stopped."""
    log: list[str] = []

    async def parent() -> None:
        spawn_link(note_end, log, "child")
        await note_end(log, "parent")

    async with open_node():
        spawn(parent)
        await wait_all_tasks_blocked()
    assert log == ["child", "parent"]


async def test_while_it_stops_nothing_new_is_started() -> None:
    refused: list[str] = []

    async def work() -> None:
        try:
            await trio.sleep_forever()
        finally:
            try:
                spawn(trio.sleep_forever)
            except NoNode as exc:
                refused.append(str(exc))

    async with open_node():
        spawn(work)
        await wait_all_tasks_blocked()
    assert refused == ["the node is stopping and starts nothing any more"]


async def test_what_ignores_the_end_is_waited_for_and_told() -> None:
    events = Recorder()
    async with open_node(instruments=recording(events)):
        spawn(note_end, [], "a", 8.5)
        await wait_all_tasks_blocked()
    assert trio.current_time() == 8.5
    assert [one.seconds for one in events.of(StillAlive)] == [1, 2, 3]


async def test_a_crash_of_a_process_is_nobody_elses_business(node: Node) -> None:
    """Contract 6: it never reaches the nursery."""

    async def bad() -> None:
        raise ValueError("boom")

    other = spawn(trio.sleep_forever)
    for _ in range(3):
        spawn(bad)
    await trio.sleep(1)
    assert processes() == [other]


async def test_the_default_instrument_writes_reports() -> None:
    async def bad() -> None:
        raise ValueError("boom")

    with captured_logs() as lines:
        async with open_node():
            spawn(bad)
            await wait_all_tasks_blocked()
    assert [line["event"] for line in lines] == ["process crashed"]


async def test_other_instruments_replace_it() -> None:
    seen: list[Event] = []

    async def bad() -> None:
        raise ValueError("boom")

    with captured_logs() as lines:
        async with open_node(instruments=[Instrument(seen.append, (ProcessEnded,))]):
            spawn(bad)
            await wait_all_tasks_blocked()
    assert lines == []
    assert [type(one) for one in seen] == [ProcessEnded]


flavour: ContextVar[str] = ContextVar("flavour", default="plain")


async def test_a_process_starts_from_the_nodes_context_not_from_its_starters() -> None:
    """Contract 7."""
    seen: list[str] = []

    async def look() -> None:
        seen.append(flavour.get())

    flavour.set("node")
    async with open_node():
        flavour.set("body")
        spawn(look)
        await wait_all_tasks_blocked()

        async def starter() -> None:
            flavour.set("starter")
            spawn(look)

        spawn(starter)
        await wait_all_tasks_blocked()
    assert seen == ["node", "node"]


async def test_timers_of_the_node_do_not_keep_it_open(node: Node) -> None:
    """A message that is due in a year, to nobody by then."""
    target = spawn(trio.sleep_forever)
    send_after(target, "late", 3e7)
    kill(target)


async def test_the_node_has_a_pid_of_its_own_that_is_no_process(node: Node) -> None:
    owner = current_table().owner
    assert not is_alive(owner)
    assert owner not in processes()


async def test_a_process_knows_who_it_is_and_a_plain_task_does_not(node: Node) -> None:
    pids: list[Pid] = []

    async def work() -> None:
        pids.append(self_())

    pid = spawn(work)
    await wait_all_tasks_blocked()
    assert pids == [pid]
    with pytest.raises(RuntimeError, match="needs a process"):
        self_()


async def test_the_node_is_seen_by_every_task_of_the_run_also_beside_it() -> None:
    """It is scoped to the run, not to the nursery or the task that opened it."""
    seen: list[bool] = []

    async def beside() -> None:
        await trio.sleep(1)
        seen.append(node_is_open())
        spawn(trio.sleep_forever)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(beside)
        async with open_node():
            await trio.sleep(2)
            assert len(processes()) == 1
    assert seen == [True]


def test_outside_trio_it_says_so() -> None:
    """In ``asyncio.run``, say."""

    async def main() -> None:
        async with open_node():
            pass

    with pytest.raises(NoNode, match=r"called outside trio\.run"):
        asyncio.run(main())
