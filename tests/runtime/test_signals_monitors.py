"""Monitors: one ``Down`` each, one way."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
import trio

from runtime import (
    Down,
    ExitReason,
    Killed,
    MonitorRef,
    Node,
    NoProcess,
    Normal,
    OutsideProcess,
    ProcessExit,
    ReceiveTimeout,
    Shutdown,
    demonitor,
    monitor,
    receive,
    ref,
    self_,
    send,
    spawn,
    spawn_monitor,
    wait_exit,
)
from runtime.pid import Pid
from tests.runtime.ending import exits, raises
from tests.support import in_process, stop_all


async def leaves(reason: ExitReason) -> None:
    raise ProcessExit(reason)


async def on_demand() -> None:
    raise ProcessExit(await receive())


async def nothing_comes() -> None:
    with pytest.raises(ReceiveTimeout):
        await receive(timeout=5)


async def dead() -> Pid:
    pid = spawn(leaves, Normal())
    await wait_exit(pid)
    return pid


@pytest.mark.parametrize("reason", [Normal(), Shutdown(), Killed(), "boom", 0])
async def test_a_monitor_gets_exactly_one_down_with_pid_and_reason(
    node: Node, reason: ExitReason
) -> None:
    """PROC-008, PROC-011, PROC-050."""

    async def body() -> None:
        pid = spawn(on_demand)
        mref = monitor(pid)
        send(pid, reason)
        assert await receive() == Down(mref, pid, reason)
        await nothing_comes()

    await in_process(body)


async def test_two_monitors_have_two_refs_and_get_two_downs(node: Node) -> None:
    """PROC-051."""

    async def body() -> None:
        pid = spawn(on_demand)
        refs = [monitor(pid), monitor(pid)]
        send(pid, "boom")
        assert [(await receive(Down)).ref for _ in refs] == refs
        assert refs[0] != refs[1]
        await nothing_comes()

    await in_process(body)


async def test_monitoring_the_dead_queues_a_down_at_once(node: Node) -> None:
    """PROC-052, and the trap: it neither raises nor hangs."""

    async def body() -> None:
        pid = await dead()
        mref = monitor(pid)
        assert await receive(timeout=0) == Down(mref, pid, NoProcess())

    await in_process(body)


async def test_monitoring_a_dead_handle_queues_a_down(node: Node) -> None:
    async def body() -> None:
        pid = spawn(on_demand)
        handle = ref(pid)
        send(pid, "boom")
        await wait_exit(pid)
        mref = monitor(handle)
        assert await receive(timeout=0) == Down(mref, pid, NoProcess())

    await in_process(body)


async def test_monitoring_itself_gives_a_ref_and_no_down(node: Node) -> None:
    """PROC-056."""

    async def body() -> None:
        mref = monitor(self_())
        assert isinstance(mref, MonitorRef)
        await nothing_comes()
        assert demonitor(mref)
        assert not demonitor(mref)
        monitor(self_())

    await in_process(body)


async def test_demonitor_leaves_a_queued_down(node: Node) -> None:
    """PROC-057."""

    async def body() -> None:
        mref = monitor(await dead())
        assert not demonitor(mref)
        assert (await receive(Down, timeout=0)).ref is mref

    await in_process(body)


async def test_demonitor_with_flush_takes_the_queued_down_out_and_nothing_else(
    node: Node,
) -> None:
    """PROC-058, PROC-060."""

    async def body() -> None:
        pid = await dead()
        send(self_(), "before")
        other, flushed = monitor(pid), monitor(pid)
        send(self_(), "after")
        assert not demonitor(flushed, flush=True)
        got = [await receive(timeout=0) for _ in range(3)]
        assert got == ["before", Down(other, pid, NoProcess()), "after"]
        assert not demonitor(flushed, flush=True)
        await nothing_comes()

    await in_process(body)


async def test_demonitor_says_whether_the_monitor_was_active(node: Node) -> None:
    """PROC-059."""

    async def body() -> None:
        pid = spawn(on_demand)
        mref = monitor(pid)
        assert demonitor(mref)
        assert not demonitor(mref)
        mref = monitor(pid)
        assert demonitor(mref, flush=True)
        await stop_all(pid)

    await in_process(body)


async def test_after_demonitor_nothing_is_delivered(node: Node) -> None:
    """PROC-061."""

    async def body() -> None:
        pid = spawn(on_demand)
        keep, drop = monitor(pid), monitor(pid)
        demonitor(drop)
        send(pid, "boom")
        assert (await receive(Down)).ref is keep
        await nothing_comes()

    await in_process(body)


@pytest.mark.parametrize("child", [raises, exits])
async def test_an_instant_crash_of_a_monitored_child_has_always_its_real_reason(
    node: Node, child: Callable[[], Awaitable[None]]
) -> None:
    """PROC-048, and the trap: spawn and monitor are one step."""

    async def body() -> None:
        for number in range(50):
            pid, mref = spawn_monitor(child)
            if number % 2:
                await trio.lowlevel.checkpoint()
            got = await receive(Down)
            assert (got.ref, got.pid) == (mref, pid)
            assert "real reason" in repr(got.reason)

    await in_process(body)


async def test_outside_a_process_monitors_are_refused(node: Node) -> None:
    pid = spawn(trio.sleep_forever)
    for call in (lambda: monitor(pid), lambda: demonitor(MonitorRef())):
        with pytest.raises(OutsideProcess):
            call()
    await stop_all(pid)


@pytest.mark.parametrize("garbage", [None, 1, "ref"])
async def test_what_is_no_monitor_ref_is_refused(node: Node, garbage: object) -> None:
    async def body() -> None:
        with pytest.raises(TypeError, match=r"^ref: got .* allowed is what monitor\(\) returned"):
            demonitor(garbage)  # type: ignore[arg-type]

    await in_process(body)


async def test_the_monitor_of_another_process_is_not_active_here(node: Node) -> None:
    async def body() -> None:
        pid = spawn(on_demand)
        mref = monitor(pid)

        async def other() -> None:
            assert not demonitor(mref, flush=True)

        await wait_exit(spawn(other))
        send(pid, "boom")
        assert (await receive(Down)).ref is mref

    await in_process(body)
