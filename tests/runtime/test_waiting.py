"""Waiting from any task for a process to be up, or to end."""

from __future__ import annotations

import pytest
import trio
import trio.testing

from runtime import (
    ExitReason,
    Killed,
    Node,
    NoProcess,
    OutsideProcess,
    ProcessExit,
    StartFailed,
    exit,
    is_alive,
    kill,
    named,
    processes,
    receive,
    send,
    spawn,
    start,
    start_link,
    wait_exit,
)
from runtime.current import find_process
from runtime.waiting import wait_ended
from tests.conftest import Recorder
from tests.support import Scripted, in_process, stop_all


async def on_demand() -> None:
    raise ProcessExit(await receive())


async def slow_init(_server: Scripted) -> None:
    await trio.sleep(5)


async def test_wait_exit_tells_any_task_the_reason(node: Node) -> None:
    pid = spawn(on_demand)
    got: list[ExitReason] = []

    async def waits() -> None:
        got.append(await wait_exit(pid))

    async with trio.open_nursery() as nursery:
        for _ in range(3):
            nursery.start_soon(waits)
        await trio.sleep(1)
        nursery.start_soon(in_process, waits)
        await trio.sleep(1)
        exit(pid, "boom")
    assert got == ["boom"] * 4
    assert await wait_exit(pid) == NoProcess()
    assert await wait_exit(named("nobody")) == NoProcess()


async def test_wait_exit_is_a_checkpoint_also_when_there_is_nothing_to_wait_for(node: Node) -> None:
    pid = spawn(trio.sleep, 0)
    await wait_exit(pid)
    for target in (pid, named("nobody")):
        with trio.testing.assert_checkpoints():
            assert await wait_exit(target) == NoProcess()


async def test_cancelling_wait_exit_only_gives_up_the_wait(node: Node) -> None:
    pid = spawn(on_demand)
    with trio.move_on_after(1) as scope:
        await wait_exit(pid)
    assert scope.cancelled_caught
    assert is_alive(pid)
    send(pid, "boom")
    assert await wait_exit(pid) == "boom"


async def test_cancelling_a_wait_that_can_end_the_process_waits_for_its_end(node: Node) -> None:
    async def slow() -> None:
        try:
            await trio.sleep_forever()
        finally:
            with trio.CancelScope(shield=True):
                await trio.sleep(3)

    process = find_process(spawn(slow))
    assert process is not None
    with trio.move_on_after(1) as scope:
        await wait_ended(process, on_cancel=process.kill)
    assert scope.cancelled_caught
    assert trio.current_time() == 4
    assert process.status == "ended"


async def test_an_end_and_a_cancellation_in_the_same_tick_are_one_of_both(node: Node) -> None:
    for end_first in (True, False) * 50:
        pid = spawn(trio.sleep_forever)
        await trio.sleep(1)
        got: list[ExitReason] = []
        with trio.CancelScope() as scope:
            async with trio.open_nursery() as nursery:

                async def waits() -> None:
                    got.append(await wait_exit(pid))  # noqa: B023

                nursery.start_soon(waits)
                await trio.sleep(1)
                if end_first:
                    kill(pid)
                    await trio.lowlevel.checkpoint()
                    await trio.lowlevel.cancel_shielded_checkpoint()
                scope.cancel()
        kill(pid)
        await trio.sleep(1)
        assert got in ([], [Killed()])


async def test_a_start_returns_when_init_is_done(node: Node) -> None:
    before = trio.current_time()
    server = await start(Scripted.child_spec(init=slow_init))
    assert trio.current_time() - before == pytest.approx(5)
    await server.stop()


async def test_a_cancelled_start_leaves_nothing_behind(node: Node, events: Recorder) -> None:
    """Contract 6: delivered when the process has really ended."""

    async def stubborn_init(_server: Scripted) -> None:
        try:
            await trio.sleep_forever()
        finally:
            with trio.CancelScope(shield=True):
                await trio.sleep(3)

    before = trio.current_time()
    with trio.move_on_after(1) as scope:
        await start(Scripted.child_spec(init=stubborn_init).replace(name="stubborn"))
    assert scope.cancelled_caught
    assert trio.current_time() - before == pytest.approx(4)
    assert processes() == []


async def test_a_cancelled_start_link_leaves_no_link(node: Node) -> None:
    async def body() -> str:
        with trio.move_on_after(1):
            await start_link(Scripted.child_spec(init=slow_init))
        await trio.sleep(1)
        return "alive"

    assert await in_process(body) == "alive"


async def test_a_start_that_is_killed_fails_with_that_reason(node: Node) -> None:
    async def killer() -> None:
        await trio.sleep(1)
        kill(named("slow"))

    spawn(killer)
    with pytest.raises(StartFailed) as raised:
        await start(Scripted.child_spec(init=slow_init).replace(name="slow"))
    assert raised.value.reason == Killed()


async def test_start_link_outside_a_process_is_refused(node: Node) -> None:
    with pytest.raises(OutsideProcess):
        await start_link(Scripted.child_spec())


async def test_a_process_that_waits_for_another_can_be_ended(node: Node) -> None:
    other = spawn(trio.sleep_forever)

    async def waits() -> None:
        await wait_exit(other)

    waiting = spawn(waits)
    await trio.sleep(1)
    exit(waiting, "boom")
    assert await wait_exit(waiting) == "boom"
    assert is_alive(other)
    await stop_all(other)
