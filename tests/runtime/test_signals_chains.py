"""Links at scale, and from helper tasks."""

from __future__ import annotations

import pytest
import trio

from runtime import (
    Node,
    ProcessExit,
    ReceiveTimeout,
    exit,
    link,
    monitor,
    receive,
    send,
    spawn,
    spawn_link,
    spawn_monitor,
    unlink,
)
from runtime.messages import Down, Exit
from runtime.pid import Pid
from tests.conftest import Recorder
from tests.support import end_of, in_process, stop_all


async def test_a_reason_goes_down_a_chain_of_thousands_without_recursion(
    node: Node, events: Recorder
) -> None:
    """PROC-035."""
    pids: list[Pid] = []

    async def member() -> None:
        if pids:
            link(pids[-1])
        await trio.sleep_forever()

    for _ in range(3000):
        pid = spawn(member)
        await trio.testing.wait_all_tasks_blocked()
        pids.append(pid)
    exit(pids[0], "boom")
    await trio.sleep(1)
    assert {end_of(events, pid) for pid in pids[::100]} == {"boom"}


async def test_thousands_of_links_and_monitors_of_one_process_are_all_told(node: Node) -> None:
    """PROC-037, PROC-051."""

    async def body() -> None:
        pid = spawn(trio.sleep_forever)
        refs = {monitor(pid) for _ in range(1000)}
        link(pid)
        exit(pid, "boom")
        got = [await receive(Down) for _ in range(1000)]
        assert {down.ref for down in got} == refs
        assert await receive(timeout=1) == Exit(pid, "boom")

    await in_process(body, trap=True)


async def test_a_parent_hears_of_a_thousand_children_once_each(node: Node) -> None:
    """PROC-047, PROC-048."""

    async def child(number: int) -> None:
        raise ProcessExit(number)

    async def body() -> None:
        linked = {spawn_link(child, number): number for number in range(500)}
        monitored = {spawn_monitor(child, number)[0]: number for number in range(500)}
        told = {exit_.pid: exit_.reason for exit_ in [await receive(Exit) for _ in linked]}
        downs = {down.pid: down.reason for down in [await receive(Down) for _ in monitored]}
        assert told == linked
        assert downs == monitored
        with pytest.raises(ReceiveTimeout):
            await receive(timeout=5)

    await in_process(body, trap=True)


async def test_whoever_unlinks_in_time_lives_whoever_does_not_dies(
    node: Node, events: Recorder
) -> None:
    """PROC-040, at every moment around the death."""

    async def linker(target: Pid, steps: int) -> None:
        link(target)
        await receive()
        for _ in range(steps):
            await trio.lowlevel.checkpoint()
        unlink(target)
        await trio.sleep(1)

    for steps in range(6):
        target = spawn(trio.sleep_forever)
        pid = spawn(linker, target, steps)
        await trio.sleep(1)
        send(pid, "go")
        exit(target, "boom")
        await trio.sleep(5)
        assert end_of(events, pid) == "boom" or steps == 0
        assert end_of(events, target) == "boom"
        await stop_all(pid, target)


async def test_a_helper_task_links_its_process(node: Node) -> None:
    async def body() -> None:
        pid = spawn(trio.sleep_forever)

        async def helper() -> None:
            link(pid)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(helper)
        exit(pid, "boom")
        assert await receive(timeout=5) == Exit(pid, "boom")
        with pytest.raises(ReceiveTimeout):
            await receive(timeout=5)

    await in_process(body, trap=True)
