"""``console.console``: the process, what it is asked, and what it leaves behind."""

from __future__ import annotations

import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trio
import trio.testing

from runtime import (
    Cast,
    CleanupFailed,
    Crashed,
    Node,
    ProcessCrashed,
    Shutdown,
    Snapshot,
    StartFailed,
    get_state,
    kill,
    process_info,
    resume,
    spawn,
    start,
    suspend,
    wait_exit,
)
from runtime.console.breaking import SIGNAL
from runtime.console.console import Console
from runtime.console.finding import process_of
from runtime.console.frames import (
    Act,
    AskCrashes,
    AskInfo,
    AskStack,
    AskTop,
    AskTree,
    Complete,
    Failed,
    Goodbye,
    InfoView,
    StopTop,
)
from runtime.console.outputs import StandIn
from runtime.console.places import PlaceRefused, running
from runtime.current import current_table
from runtime.inspection.views import CrashView
from tests.conftest import Recorder
from tests.consoles import Client, attached, console_threads, open_console, own_sockets
from tests.support import stop_all

pytestmark = pytest.mark.real_clock


@pytest.fixture
async def client(node: Node, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Client]:
    async with open_console(monkeypatch) as (_, path), attached(path) as client:
        yield client


class Unknown(Cast): ...


async def sleeper() -> None:
    await trio.sleep_forever()


async def test_questions_are_answered(client: Client) -> None:
    spawn(sleeper, name="sleeper")
    tree = await client.ask(AskTree(1), Snapshot)
    assert [view.behaviour for view in tree.processes] == ["Console", "sleeper"]
    top = await client.ask(AskTop(2, find="sleeper"), Snapshot)
    assert ([view.name for view in top.processes], top.total) == (["sleeper"], 2)
    await client.ask(StopTop(3), type(None))
    info = await client.ask(AskInfo(4, "sleeper"), InfoView)
    assert info.process.name == "sleeper"
    assert await client.ask(AskCrashes(5), list[CrashView]) == []
    assert await client.ask(Act(6, "kill", "sleeper"), str) == "killed sleeper (2)"
    await client.run("value_of_mine = 1")
    assert await client.words(Complete(7, "value_of")) == ("value_of_mine",)
    assert await client.words(Complete(8, "state('sl")) == ()


async def test_names_of_processes_are_completed_in_strings(client: Client) -> None:
    spawn(sleeper, name="sleeper")
    assert await client.words(Complete(1, "state('sl")) == ("sleeper",)


async def test_a_question_that_fails_says_why(client: Client) -> None:
    for question in (AskInfo(1, "nobody"), Act(1, "kill", "nobody")):
        await client.send(question)
        assert await client.read() == Failed(1, "NotFound", "no process is called 'nobody'")
    spawn(sleeper, name="sleeper")
    await client.send(Act(2, "restart", "sleeper"))
    failed = await client.read()
    assert isinstance(failed, Failed)
    assert failed.text == "<Pid 2 sleeper> has no supervisor that could start it anew"


async def test_a_slow_act_holds_up_nobody(client: Client) -> None:
    async def stubborn() -> None:
        with trio.CancelScope(shield=True):
            await gate.wait()

    gate = trio.Event()
    spawn(stubborn, name="stubborn")
    await trio.testing.wait_all_tasks_blocked()
    await client.send(Act(90, "stop", "stubborn"))
    assert await client.run("1") == "1"
    gate.set()
    frame = await client.read()
    assert frame is not None


async def test_cpu_time_is_measured_as_long_as_somebody_looks(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = current_table()
    async with open_console(monkeypatch) as (console, path):
        async with attached(path) as first, attached(path) as second:
            await first.ask(AskTop(1), Snapshot)
            await second.ask(AskTop(1), Snapshot)
            await first.ask(StopTop(2), type(None))
            assert table.cpu is not None
        while table.cpu is not None:
            await trio.sleep(0.01)
        async with attached(path) as third:
            await third.ask(AskTop(1), Snapshot)
            kill(console)
            await wait_exit(console)
            assert table.cpu is None


async def test_it_is_asked_while_it_is_suspended(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_console(monkeypatch) as (console, path), attached(path) as client:
        await suspend(console)
        await client.send(AskTree(1))
        await trio.sleep(0.05)
        await resume(console)
        assert await client.read() is not None


ENDS = {
    "stop": "the console has ended (None), the service goes on",
    "kill": "the console has ended (Killed()), the service goes on",
}


@pytest.mark.parametrize("way", ENDS)
async def test_everything_is_as_before_when_it_has_ended(
    node: Node, monkeypatch: pytest.MonkeyPatch, events: Recorder, way: str
) -> None:
    before = (signal.getsignal(SIGNAL), sys.stdout, sys.stderr)
    async with open_console(monkeypatch) as (console, path), attached(path) as client:
        assert isinstance(sys.stdout, StandIn)
        assert await client.run("1") == "1"
        if way == "stop":
            await console.stop()
        else:
            kill(console)
            await wait_exit(console)
        assert await client.read() == Goodbye(ENDS[way])
        assert not Path(path).exists()
    assert (signal.getsignal(SIGNAL), sys.stdout, sys.stderr) == before
    assert [one for one in events if isinstance(one, CleanupFailed)] == []


async def test_a_node_that_stops_says_so(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_console(monkeypatch) as (console, path), attached(path) as client:
        await client.run("1")
        process = process_of(console)
        process.signal(process.parent, Shutdown())
        assert await client.read() == Goodbye("the service is stopping")


async def test_one_that_crashes_lets_go_of_everything(
    node: Node, monkeypatch: pytest.MonkeyPatch, events: Recorder
) -> None:
    async with open_console(monkeypatch) as (console, path), attached(path) as client:
        await client.run("1")
        console.cast(Unknown())
        await wait_exit(console)
        goodbye = await client.read()
        assert isinstance(goodbye, Goodbye)
        assert running() == []
    (crash,) = [one for one in events if isinstance(one, ProcessCrashed)]
    assert crash.state is None


async def test_messages_are_shown_by_their_class(client: Client) -> None:
    await client.run("secret = 'hunter2'")
    info = process_info(process_of("Console").pid)
    assert info is not None
    assert info.current == "'Arrived'"


async def test_it_says_where_it_is(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_console(monkeypatch) as (console, path), attached(path) as client:
        await client.run("1")
        facts = process_of(console).body.facts()
        assert facts == {"socket": path, "clients": 1, "breaks loops": True}
        assert Console("x").facts() == {"socket": None, "clients": 0, "breaks loops": False}
        assert (await get_state(console))["_service"] == "shop"


async def test_without_a_safe_place_it_does_not_start(
    node: Node, monkeypatch: pytest.MonkeyPatch, events: Recorder
) -> None:
    with own_sockets(monkeypatch) as home:
        home.mkdir()
        home.chmod(0o755)
        with pytest.raises(StartFailed) as caught:
            await start(Console.child_spec("shop"))
        assert isinstance(caught.value.__cause__, PlaceRefused)
    assert not isinstance(sys.stdout, StandIn)


async def test_two_of_one_name_are_told_apart(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_console(monkeypatch):
        other = await start(Console.child_spec("shop"))
        first, second = running()
        assert sorted(len(one.name) for one in (first, second)) != [4, 4]
        async with attached(first.path) as one, attached(second.path) as two:
            assert (await one.run("1"), await two.run("2")) == ("1", "2")
        await stop_all(other)


class Broken(Console):
    def __init__(self) -> None:
        raise ValueError("no")


class Failing(Console):
    async def _see_off(self, connection: object, session: object) -> None:
        raise ValueError("no")


async def test_one_that_cannot_be_made_is_a_failed_start(node: Node) -> None:
    with pytest.raises(StartFailed) as caught:
        await start(Broken.child_spec())
    assert isinstance(caught.value.__cause__, ValueError)


async def test_a_helper_that_fails_ends_it_and_leaves_nothing(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    with own_sockets(monkeypatch):
        console = await start(Failing.child_spec("shop"))
        (place,) = running()  # which has knocked and left
        with trio.fail_after(10):
            reason = await wait_exit(console)
        assert isinstance(reason, Crashed)
        assert not Path(place.path).exists()
    assert console_threads() == []


async def test_a_stack_that_cannot_be_read_is_said(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> None:
        tried.append(1)
        raise RuntimeError("set changed size during iteration")

    tried: list[int] = []
    monkeypatch.setattr("runtime.console.console.stack_of_loop", fail)
    await client.send(AskStack(1))
    assert await client.read() == Failed(1, "RuntimeError", "the stack changed while it was read")
    assert len(tried) == 3
