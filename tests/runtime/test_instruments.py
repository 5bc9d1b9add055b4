"""What a node tells, and to whom."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import get_args

import pytest
import trio

from runtime import (
    CallEnded,
    ChildEnded,
    CountNode,
    Down,
    Event,
    Exit,
    Instrument,
    Node,
    PermitsGranted,
    ProcessCrashed,
    ProcessEnded,
    ProcessExit,
    ProcessStarted,
    is_alive,
    kill,
    link,
    monitor,
    open_node,
    receive,
    send,
    spawn,
    trap_exits,
    wait_exit,
    whereis,
)
from runtime.instruments import FREQUENT, REPORTS, Instruments
from runtime.pid import Pid
from runtime.telemetry.pipeline_events import SPANS
from tests.support import in_process, stop_all

PID = Pid(1, "x")
STARTED = ProcessStarted(PID, "name", ())
ENDED = ProcessEnded(PID, "name", "boom")


@pytest.fixture
def reported(monkeypatch: pytest.MonkeyPatch) -> list[BaseException]:
    """What went to ``sys.excepthook``."""
    seen: list[BaseException] = []
    monkeypatch.setattr(sys, "excepthook", lambda _kind, exc, _trace: seen.append(exc))
    return seen


def test_an_event_reaches_those_who_subscribed_to_its_class_in_order() -> None:
    seen: list[tuple[str, Event]] = []
    first = Instrument(lambda event: seen.append(("first", event)), (ProcessStarted, ProcessEnded))
    second = Instrument(lambda event: seen.append(("second", event)), (ProcessEnded,))
    instruments = Instruments([first, second])
    instruments.emit(STARTED)
    instruments.emit(ENDED)
    assert seen == [("first", STARTED), ("first", ENDED), ("second", ENDED)]


def test_what_nobody_wants_need_not_be_built() -> None:
    instrument = Instrument(lambda _event: None, (ProcessEnded,))
    instruments = Instruments()
    assert not instruments.want(ProcessEnded)
    instruments.add(instrument)
    assert instruments.want(ProcessEnded)
    assert not instruments.want(ProcessStarted)
    instruments.remove(instrument)
    assert not instruments.want(ProcessEnded)
    instruments.remove(instrument)


def test_removing_one_leaves_the_others() -> None:
    seen: list[str] = []
    one = Instrument(lambda _event: seen.append("one"), (ProcessEnded,))
    other = Instrument(lambda _event: seen.append("other"), (ProcessEnded,))
    instruments = Instruments([one, other])
    instruments.remove(one)
    instruments.emit(ENDED)
    assert seen == ["other"]


def test_removing_one_of_two_that_share_a_callback_leaves_the_other() -> None:
    seen: list[Event] = []
    narrow, wide = (
        Instrument(seen.append, (ProcessEnded,)),
        Instrument(seen.append, get_args(Event)),
    )
    instruments = Instruments([narrow, wide])
    instruments.emit(ENDED)
    instruments.remove(narrow)
    instruments.emit(ENDED)
    instruments.remove(wide)
    instruments.emit(ENDED)
    assert seen == [ENDED] * 3


def test_an_instrument_may_remove_itself_while_it_is_told() -> None:
    seen: list[str] = []

    def once(_event: Event) -> None:
        seen.append("once")
        instruments.remove(itself)

    itself = Instrument(once, (ProcessEnded,))
    instruments = Instruments(
        [itself, Instrument(lambda _e: seen.append("other"), (ProcessEnded,))]
    )
    instruments.emit(ENDED)
    instruments.emit(ENDED)
    assert seen == ["once", "other", "other"]


def test_instruments_that_say_the_same_are_equal() -> None:
    def hear(_event: Event) -> None: ...

    class Other(Instrument):
        pass

    one, same = Instrument(hear, (ProcessEnded,)), Instrument(hear, [ProcessEnded])
    assert one == same
    assert hash(one) == hash(same)
    assert one != Instrument(hear, ())
    assert one != Instrument(print, (ProcessEnded,))
    assert one != Other(hear, (ProcessEnded,))
    assert one != "one"
    instruments = Instruments([one])
    assert not instruments.remove(Instrument(hear, ()))
    assert instruments.remove(same)
    assert not instruments.remove(one)


def test_what_is_no_callback_and_what_is_no_event_is_refused() -> None:
    with pytest.raises(TypeError, match=r"^callback: got 1, allowed is a function of an event$"):
        Instrument(1, ())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    allowed = r"allowed is a tuple of classes of events such as \(ProcessCrashed,\)$"
    with pytest.raises(TypeError, match=r"^events: got <class 'runtime.ProcessEnded'>, " + allowed):
        Instrument(print, ProcessEnded)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    with pytest.raises(TypeError, match=r"^events: got <class 'runtime.Exit'> in it, " + allowed):
        Instrument(print, [ProcessEnded, Exit])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]


def test_the_page_of_events_has_each_of_them_and_no_other() -> None:
    page = (Path(__file__).parents[2] / "docs" / "telemetry.md").read_text()
    table = page.split("## Events")[1].split("`LoopStalled`, `MailboxLong`")[0]
    named = re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)
    assert sorted(named) == sorted(event.__name__ for event in get_args(Event))


def test_the_frequent_events_and_the_reports_are_all_there_are() -> None:
    assert {*FREQUENT, *REPORTS} == set(get_args(Event))
    assert set(FREQUENT) == {CallEnded, PermitsGranted, *SPANS}


async def test_one_that_raises_when_it_joins_or_leaves_hurts_nobody(
    reported: list[BaseException],
) -> None:
    class Shy(Instrument):
        def joined(self, count: CountNode) -> None:
            raise ValueError("joined")

        def left(self, count: CountNode) -> None:
            raise ValueError("left")

    async with open_node(instruments=[Shy(print, ())]) as node:
        node.instruments.add(Shy(print, ()))
        assert node.instruments.remove(Shy(print, ()))
    assert list(map(str, reported)) == ["joined", "joined", "left", "left"]


@pytest.mark.parametrize(
    "action", ["restart a", "restart a, b", "restart it in 0.1 s", "restart it"]
)
def test_a_child_that_has_ended_is_restarted_if_that_is_the_action(action: str) -> None:
    assert ChildEnded(PID, "a", PID, "boom", 1, 3, action).is_restart


@pytest.mark.parametrize("action", ["give up", "leave it stopped", "shut down: it was significant"])
def test_other_actions_are_no_restart(action: str) -> None:
    assert not ChildEnded(PID, "a", PID, "boom", 1, 3, action).is_restart


@pytest.mark.parametrize(
    "error", [ValueError(), SystemExit(3), KeyboardInterrupt(), ProcessExit(1)]
)
async def test_an_instrument_that_raises_is_reported_and_hurts_nobody(
    error: BaseException, reported: list[BaseException]
) -> None:
    told: list[Event] = []

    def fails(_event: Event) -> None:
        raise error

    async def body() -> None:
        await receive()
        raise ProcessExit("boom")

    async def watcher() -> None:
        trap_exits()
        link(pid)
        monitor(pid)
        send(pid, "go")
        assert {type(await receive()), type(await receive())} == {Exit, Down}

    everything = get_args(Event)
    instruments = [Instrument(fails, everything), Instrument(told.append, everything)]
    async with open_node(instruments=instruments):
        sibling = spawn(trio.sleep_forever)
        pid = spawn(body)
        await in_process(watcher)
        assert is_alive(sibling)
    assert len(reported) == len(told)
    assert set(map(id, reported)) == {id(error)}
    assert next(event.reason for event in told if isinstance(event, ProcessCrashed)) == "boom"


async def test_an_excepthook_that_raises_as_well_hurts_nobody_either(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fails(*_details: object) -> None:
        raise ValueError("standard error is closed")

    monkeypatch.setattr(sys, "excepthook", fails)
    async with open_node(instruments=[Instrument(fails, get_args(Event))]):
        sibling = spawn(trio.sleep_forever)
        await wait_exit(spawn(trio.lowlevel.checkpoint))
        assert is_alive(sibling)


async def test_a_message_whose_repr_raises_anything_does_not_spoil_the_crash_report(
    node: Node, events: list[Event], reported: list[BaseException]
) -> None:
    class Unprintable:
        def __repr__(self) -> str:
            raise ProcessExit("from repr")

    async def body() -> None:
        await receive()
        raise ValueError("boom")

    pid = spawn(body)
    send(pid, Unprintable())
    await trio.sleep(1)
    (crashed,) = [event for event in events if isinstance(event, ProcessCrashed)]
    assert crashed.last_message == "<Unprintable whose repr raises>"
    assert [type(one) for one in reported] == [ProcessExit]


async def test_an_instrument_may_use_the_node(node: Node) -> None:
    """It runs in the Trio thread: it may send, spawn, look names up, and kill."""
    log: list[object] = []

    async def successor() -> None:
        log.append(await receive())

    def reacts(event: Event) -> None:
        assert isinstance(event, ProcessEnded)
        if event.name == "first":
            assert whereis("first") is None
            send(spawn(successor, name="second"), event.reason)
            kill(third)

    node.instruments.add(Instrument(reacts, (ProcessEnded,)))
    first = spawn(trio.sleep_forever, name="first")
    third = spawn(trio.sleep_forever)
    await trio.sleep(1)
    kill(first)
    await trio.sleep(1)
    assert len(log) == 1
    assert not is_alive(third)


async def test_a_kill_while_the_start_is_told_ends_the_process(node: Node) -> None:
    def kills(event: Event) -> None:
        assert isinstance(event, ProcessStarted)
        kill(event.pid)

    instrument = Instrument(kills, (ProcessStarted,))
    node.instruments.add(instrument)
    log: list[str] = []

    async def body() -> None:
        await trio.lowlevel.checkpoint()
        log.append("not reached")

    pid = spawn(body)
    await trio.sleep(1)
    assert not is_alive(pid)
    assert log == []
    node.instruments.remove(instrument)


async def test_events_are_plain_frozen_values(node: Node, events: list[Event]) -> None:
    pid = spawn(trio.sleep_forever)
    await trio.sleep(1)
    await stop_all(pid)
    for event in events:
        with pytest.raises(AttributeError):
            setattr(event, "pid", PID)  # noqa: B010
    assert [type(event) for event in events] == [ProcessStarted, ProcessCrashed, ProcessEnded]
