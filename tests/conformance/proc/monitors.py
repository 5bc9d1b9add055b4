"""Rows of PROC about monitors: one ``Down`` each, one way, and calling one off."""

from __future__ import annotations

from functools import partial

import trio

from runtime import (
    Crashed,
    Down,
    MonitorRef,
    NoProcess,
    demonitor,
    monitor,
    named,
    receive,
    self_,
    send,
    spawn_monitor,
)
from tests.conformance.proc.parts import a_queued_down, dead, info_of, peer, rest_of_mailbox
from tests.conformance.scenarios import row
from tests.support import in_process

LONG = 1e6


@row("PROC-048")
async def a_monitored_child_that_crashes_at_once_is_told_with_its_real_reason() -> None:
    errors = [ValueError(number) for number in range(50)]

    async def crashes(error: Exception) -> None:
        raise error

    async def parent() -> None:
        for number, error in enumerate(errors):
            pid, ref = spawn_monitor(crashes, error)
            for _ in range(number % 3):  # it has crashed, or not, when the parent looks
                await trio.lowlevel.checkpoint()
            assert await receive() == Down(ref, pid, Crashed(error))
        assert await rest_of_mailbox() == []

    await in_process(parent)


@row("PROC-050")
async def each_monitor_gets_exactly_one_down() -> None:
    p, watchers = await peer(), [await peer(), await peer()]
    refs = [await one.do(partial(monitor, p.pid)) for one in watchers]
    await p.leave("boom")
    await trio.sleep(LONG)
    assert [one.heard for one in watchers] == [[Down(ref, p.pid, "boom")] for ref in refs]


@row("PROC-051")
async def two_monitors_of_one_process_have_two_refs_and_get_two_downs() -> None:
    p, watcher = await peer(), await peer()
    first = await watcher.do(partial(monitor, p.pid))
    second = await watcher.do(partial(monitor, p.pid))
    assert first != second
    await p.leave("boom")
    assert len(watcher.heard) == 2
    assert set(watcher.heard) == {Down(first, p.pid, "boom"), Down(second, p.pid, "boom")}


@row("PROC-052")
async def monitoring_the_dead_queues_a_down_at_once() -> None:
    async def body() -> None:
        pid = await dead()
        ref = monitor(pid)
        assert await rest_of_mailbox() == [Down(ref, pid, NoProcess())]

    await in_process(body)


@row("PROC-053")
async def monitoring_a_name_nobody_holds_tells_the_name() -> None:
    async def body() -> None:
        ref = monitor(named("nobody"))
        assert await rest_of_mailbox() == [Down(ref, None, NoProcess(), "nobody")]

    await in_process(body)


@row("PROC-054")
async def monitoring_by_name_tells_the_name() -> None:
    p, watcher = await peer(name="holder"), await peer()
    ref = await watcher.do(lambda: monitor(named("holder")))
    await p.leave("boom")
    assert watcher.heard == [Down(ref, p.pid, "boom", "holder")]


@row("PROC-055")
async def monitoring_by_name_does_not_pass_on_to_the_next_holder() -> None:
    first, watcher = await peer(name="holder"), await peer()
    ref = await watcher.do(lambda: monitor(named("holder")))
    await first.leave("first")
    second = await peer(name="holder")
    await second.leave("second")
    assert not second.alive
    assert watcher.heard == [Down(ref, first.pid, "first", "holder")]


@row("PROC-056")
async def a_monitor_of_itself_is_a_ref_and_no_down() -> None:
    p = await peer()
    assert type(await p.do(partial(monitor, p.pid))) is MonitorRef
    await trio.sleep(LONG)
    assert p.heard == []
    assert p.alive


@row("PROC-057")
async def demonitor_leaves_a_down_that_is_queued() -> None:
    async def body() -> None:
        ref, down = await a_queued_down()
        demonitor(ref)
        assert await rest_of_mailbox() == [down]

    await in_process(body)


@row("PROC-058")
async def demonitor_with_flush_takes_a_queued_down_out() -> None:
    async def body() -> None:
        send(self_(), "before")
        _, other = await a_queued_down()
        ref, _ = await a_queued_down()
        send(self_(), "after")
        demonitor(ref, flush=True)
        assert await rest_of_mailbox() == ["before", other, "after"]

    await in_process(body)


@row("PROC-059")
async def demonitor_says_whether_the_monitor_was_active() -> None:
    p, watcher = await peer(), await peer()
    ref = await watcher.do(partial(monitor, p.pid))
    assert await watcher.do(partial(demonitor, ref)) is True
    assert await watcher.do(partial(demonitor, ref)) is False


@row("PROC-060")
async def demonitor_with_flush_of_a_delivered_down_leaves_a_clean_mailbox() -> None:
    async def body() -> None:
        ref, _ = await a_queued_down()
        assert info_of(self_()).mailbox_length == 1
        assert demonitor(ref, flush=True) is False
        assert info_of(self_()).mailbox_length == 0

    await in_process(body)


@row("PROC-061")
async def after_a_demonitor_nothing_is_delivered() -> None:
    p, watcher = await peer(), await peer()
    ref = await watcher.do(partial(monitor, p.pid))
    await watcher.do(partial(demonitor, ref))
    await p.leave("boom")
    assert not p.alive
    assert watcher.heard == []


@row("PROC-062")
async def a_watcher_that_dies_does_not_touch_the_watched() -> None:
    p, watcher = await peer(trap=True), await peer()
    await watcher.do(partial(monitor, p.pid))
    await watcher.leave("boom")
    assert not watcher.alive
    assert p.alive
    assert p.heard == []
    assert info_of(p.pid).monitored_by == ()
