"""The watchdog in a node: what it tells, which alarms it keeps, and until when."""

from __future__ import annotations

import math
import threading
import time
from typing import Any

import pytest
import trio
import trio.testing

from runtime import (
    ChildEnded,
    Crashed,
    Event,
    Instrument,
    LoopStalled,
    MailboxLong,
    MessageOld,
    Node,
    Ref,
    RestartsHigh,
    StillAlive,
    Watchdog,
    WatchdogLimits,
    child_spec,
    current_alarms,
    kill,
    open_node,
    resume,
    send,
    spawn,
    start,
    suspend,
    wait_exit,
)
from runtime.process import table_var
from supervisors import open_supervisor
from tests.conftest import Recorder
from tests.support import Note, Scripted, stop_all

KINDS = (LoopStalled, MailboxLong, MessageOld, RestartsHigh, StillAlive)


def told(events: Recorder) -> list[Event]:
    return [event for event in events if isinstance(event, KINDS)]


def alarms() -> list[tuple[str, int | None]]:
    return [(one.kind, one.pid) for one in current_alarms()]


async def a_backlog(messages: int) -> Ref:
    """A server that does not look at its messages."""
    ref = await start(Scripted.child_spec().replace(name="shop"))
    await suspend(ref)
    for _ in range(messages):
        send(ref, Note())
    return ref


async def test_a_mailbox_that_passes_the_watermark(node: Node, events: Recorder) -> None:
    dog = await start(Watchdog.child_spec(WatchdogLimits(mailbox=3, oldest=math.inf)))
    shop = await a_backlog(2)
    await trio.sleep(3)
    assert told(events) == []
    send(shop, Note())
    await trio.sleep(3)
    assert told(events) == [MailboxLong(shop.pid, "shop", 3, 3)]
    assert alarms() == [("MailboxLong", shop.pid.number)]
    assert current_alarms()[0].text == "3 messages wait, the watermark is 3"
    send(shop, Note())
    await trio.sleep(3)
    assert current_alarms()[0].text == "4 messages wait, the watermark is 3"
    await resume(shop)
    await trio.sleep(3)
    assert alarms() == []
    assert len(told(events)) == 1
    await stop_all(shop, dog)


async def test_a_message_that_waits_too_long(node: Node, events: Recorder) -> None:
    dog = await start(Watchdog.child_spec(WatchdogLimits(oldest=5.0)))
    shop = await a_backlog(1)
    await trio.sleep(4.5)
    assert told(events) == []
    await trio.sleep(3)
    (event,) = told(events)
    assert isinstance(event, MessageOld)
    assert (event.pid, event.name, event.length) == (shop.pid, "shop", 1)
    assert 5.0 <= event.seconds <= 7.0
    assert alarms() == [("MessageOld", shop.pid.number)]
    await stop_all(shop)
    await trio.sleep(1.5)
    assert alarms() == []
    await stop_all(dog)


async def test_since_when_stays_what_it_was(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: 1000.0 + trio.current_time())
    dog = await start(Watchdog.child_spec(WatchdogLimits(mailbox=1)))
    shop = await a_backlog(1)
    began = 1000.0 + trio.current_time()
    await trio.sleep(1.5)
    since = current_alarms()[0].since
    assert began <= since <= began + 1
    await trio.sleep(5)
    assert current_alarms()[0].since == since
    await stop_all(shop, dog)


async def test_what_outlives_a_kill_is_told_once_and_shown_until_it_ends(
    node: Node, events: Recorder
) -> None:
    dog = await start(Watchdog.child_spec())

    async def stubborn() -> None:
        with trio.CancelScope(shield=True):
            await trio.sleep(10)

    pid, other = spawn(stubborn), spawn(trio.sleep_forever)
    await trio.testing.wait_all_tasks_blocked()
    kill(pid)
    kill(other)
    await trio.sleep(5)
    (event,) = told(events)
    assert isinstance(event, StillAlive)
    assert event.pid is pid
    assert 1.0 <= event.seconds <= 2.0
    assert alarms() == [("StillAlive", pid.number)]
    assert "still alive" in current_alarms()[0].text
    await wait_exit(pid)
    await trio.sleep(1.5)
    assert alarms() == []
    await stop_all(dog)


async def test_what_is_being_stopped_is_told_of_by_whoever_stops_it(
    node: Node, events: Recorder
) -> None:
    async def stubborn() -> None:
        with trio.CancelScope(shield=True):
            await trio.sleep(4.5)

    dog = await start(Watchdog.child_spec())
    async with open_supervisor([child_spec(stubborn).replace(shutdown="brutal_kill")]):
        await trio.testing.wait_all_tasks_blocked()
    assert [type(event) for event in told(events)] == [StillAlive] * 4
    await stop_all(dog)


async def test_restarts_are_an_alarm_until_none_of_them_counts(node: Node) -> None:
    dog = await start(Watchdog.child_spec())
    tree = spawn(trio.sleep_forever)

    def ended(restarts: int) -> None:
        node.instruments.emit(
            ChildEnded(tree, "a", None, Crashed(ValueError()), restarts, 4, "restart a")
        )

    ended(3)  # nobody has said that this is high
    assert alarms() == []
    node.instruments.emit(RestartsHigh(tree, None, 3, 4, 20.0))
    assert alarms() == [("RestartsHigh", tree.number)]
    assert current_alarms()[0].text == "3 of at most 4 restarts within 20 s"
    await trio.sleep(15)
    ended(4)
    assert current_alarms()[0].text == "4 of at most 4 restarts within 20 s"
    await trio.sleep(15)
    ended(2)  # no more than half
    assert alarms() == [("RestartsHigh", tree.number)]
    await trio.sleep(10)
    assert alarms() == []
    ended(3)
    assert alarms() == []
    await stop_all(dog, tree)


async def test_the_restarts_of_a_supervisor_that_has_ended_are_no_alarm(node: Node) -> None:
    dog = await start(Watchdog.child_spec())
    tree = spawn(trio.sleep_forever)
    node.instruments.emit(RestartsHigh(tree, None, 3, 4, 20.0))
    await stop_all(tree)
    await trio.sleep(1.5)
    assert alarms() == []
    await stop_all(dog)


async def test_alarms_are_gone_with_the_watchdog_however_it_ends(node: Node) -> None:
    dog = await start(Watchdog.child_spec(WatchdogLimits(mailbox=1)))
    shop = await a_backlog(1)
    await trio.sleep(2)
    assert len(alarms()) == 1
    table = table_var.get()
    assert table.killed == {}
    await stop_all(dog)
    assert alarms() == []
    assert table.killed is None
    await stop_all(shop)


async def test_without_a_watchdog_there_are_no_alarms(node: Node) -> None:
    assert current_alarms() == ()


async def test_in_virtual_time_nobody_watches_the_loop(node: Node) -> None:
    before = threading.active_count()
    dog = await start(Watchdog.child_spec(WatchdogLimits(stall=0.01)))
    assert table_var.get().pulse.asked_at is None
    assert threading.active_count() == before
    await stop_all(dog)


async def test_looking_takes_no_more_than_its_share_of_the_time(node: Node) -> None:
    """However long it takes: here each look takes as long as a clock that jumps says."""
    table = table_var.get()
    ticks = iter(range(0, 10_000, 1))
    table.stopwatch = lambda: float(next(ticks))
    dog = await start(Watchdog.child_spec())
    looked = table.by_pid[dog.pid].handled
    await trio.sleep(49)
    assert table.by_pid[dog.pid].handled == looked
    await trio.sleep(2)
    assert table.by_pid[dog.pid].handled == looked + 1
    await stop_all(dog)


async def test_of_a_backlog_that_shrinks_one_alarm_may_end_before_the_other(
    node: Node, events: Recorder
) -> None:
    dog = await start(Watchdog.child_spec(WatchdogLimits(mailbox=10, oldest=5.0)))
    shop = await a_backlog(10)
    await trio.sleep(8)
    assert alarms() == [("MailboxLong", shop.pid.number), ("MessageOld", shop.pid.number)]
    (process,) = [one for one in table_var.get().by_pid.values() if one.pid is shop.pid]
    for _ in range(6):  # as if somebody had shed load
        process.mailbox.remove(len(process.mailbox) - 1)
    process.mailbox.evicted -= 6
    await trio.sleep(2)
    assert alarms() == [("MessageOld", shop.pid.number)]
    await stop_all(shop, dog)


async def test_a_stall_is_shown_for_a_while(node: Node) -> None:
    dog = await start(Watchdog.child_spec(WatchdogLimits(shown=20.0)))
    (process,) = table_var.get().by_pid.values()
    server: Watchdog = getattr(process.body, "server")  # noqa: B009
    pid = spawn(trio.sleep_forever)
    server._on_stall(LoopStalled(0.5, pid, "shop", "Shop.price", "shop.py:7", ""))
    server._on_stall(LoopStalled(0.25, None, None, None, None, ""))
    await stop_all(pid)
    await trio.sleep(15)
    assert [(one.kind, one.pid, one.text) for one in current_alarms()] == [
        (
            "LoopStalled",
            pid.number,
            "the loop stood still for more than 0.5 s in Shop.price (shop.py:7)",
        ),
        ("LoopStalled", None, "the loop stood still for more than 0.25 s"),
    ]
    await trio.sleep(10)
    assert alarms() == []
    await stop_all(dog)


@pytest.mark.real_clock
async def test_a_stall_is_logged_while_it_lasts_and_an_alarm_after_it(logs: list[Any]) -> None:
    heard = threading.Event()

    async def stuck() -> None:
        assert heard.wait(60)

    def hear(event: Event) -> None:
        assert isinstance(event, LoopStalled)
        if event.name == "shop":
            heard.set()

    async with open_node() as node:
        node.instruments.add(Instrument(hear, (LoopStalled,)))
        await start(Watchdog.child_spec(WatchdogLimits(stall=0.02)))
        pid = spawn(stuck, name="shop")
        await wait_exit(pid)
        line = next(line for line in logs if line.get("name") == "shop")
        assert (line["event"], line["pid"]) == ("loop stalled", repr(pid))
        assert line["handler"].endswith("stuck")
        with trio.fail_after(60):
            while ("LoopStalled", pid.number) not in alarms():
                await trio.sleep(0.005)


async def test_what_ends_soon_enough_after_its_kill_is_not_told_of(
    node: Node, events: Recorder
) -> None:
    async def stubborn() -> None:
        with trio.CancelScope(shield=True):
            await trio.sleep(3)

    dog = await start(Watchdog.child_spec(WatchdogLimits(after_kill=5.0)))
    pid = spawn(stubborn)
    await trio.testing.wait_all_tasks_blocked()
    kill(pid)
    await trio.sleep(2.5)  # it has been looked at twice
    assert list(table_var.get().killed or ()) == [pid]
    await trio.sleep(10)
    assert table_var.get().killed == {}
    assert told(events) == []
    await stop_all(dog)
