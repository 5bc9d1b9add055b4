"""``console.session``: a client's process, its names, and what ends it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import trio

from runtime import CleanupFailed, Node, kill, ref
from runtime.console.finding import process_of
from runtime.console.frames import AskCrashes, Done, Evaluate, Failed
from runtime.inspection.views import CrashView
from tests.conftest import Recorder
from tests.consoles import Client, attached, open_console

pytestmark = pytest.mark.real_clock


@pytest.fixture
async def path(node: Node, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[str]:
    async with open_console(monkeypatch) as (_, path):
        yield path


@pytest.fixture
async def client(path: str) -> AsyncIterator[Client]:
    async with attached(path) as client:
        yield client


async def test_a_session_is_a_process_under_the_console(client: Client) -> None:
    await client.run("from runtime import process_info, self_")
    assert await client.run("self_()") == "<Pid 2 session>"
    assert await client.run("process_info(self_()).parent") == "<Pid 1 Console>"
    assert await client.run("self_()") == "<Pid 2 session>"


async def test_it_has_a_mailbox(client: Client) -> None:
    await client.run("from runtime import receive, self_, send")
    await client.run("send(self_(), 'hello')")
    assert await client.run("await receive(str)") == "'hello'"


async def test_sessions_have_names_of_their_own(client: Client, path: str) -> None:
    await client.run("x = 1")
    async with attached(path) as other:
        assert (await other.fails("x")).kind == "NameError"
        await other.run("x = 2")
    assert await client.run("x") == "1"


async def test_sessions_run_side_by_side_and_print_to_their_own(client: Client, path: str) -> None:
    source = """
import trio
for i in range(3):
    print({0!r}, i)
    await trio.sleep(0.01)
"""
    async with attached(path) as other:
        numbers = [await client.begin(source.format("a")), await other.begin(source.format("b"))]
        assert await client.end(numbers[0]) == ("a 0\na 1\na 2\n", Done(numbers[0], None))
        assert await other.end(numbers[1]) == ("b 0\nb 1\nb 2\n", Done(numbers[1], None))


async def test_a_process_that_ends_is_followed_by_one_with_the_same_names(client: Client) -> None:
    await client.run("from runtime import *\nx = 3")
    source = (
        "async def boom():\n    1 / 0\nspawn_link(boom)\nimport trio\nawait trio.sleep_forever()"
    )
    failed = await client.fails(source)
    assert failed.kind == "Crashed"
    assert failed.text == (
        "the process of this session has ended: "
        "Crashed(exception=ZeroDivisionError('division by zero'))"
    )
    assert await client.run("x") == "3"


async def test_a_scope_that_is_left_open_ends_it(client: Client, events: Recorder) -> None:
    first = await client.run("import runtime\nruntime.self_()")
    failed = await client.fails("import trio\nn = await trio.open_nursery().__aenter__()")
    assert failed.kind == "RuntimeError"
    assert await client.run("runtime.self_()") != first
    assert [type(one) for one in events if isinstance(one, CleanupFailed)] == [CleanupFailed]


async def test_what_waits_when_it_ends_is_not_begun(client: Client) -> None:
    first = await client.begin("import trio\nprint('on')\nawait trio.sleep_forever()")
    second = await client.begin("'never'")
    await client.printed(first, "on")
    await client.ask(AskCrashes(90), list[CrashView])  # the loop has seen both
    kill(ref(process_of("session").pid))
    killed = "the process of this session has ended: Killed()"
    assert await client.end(first) == ("", Failed(first, "Killed", killed))
    never = "the process of this session has ended before this could begin"
    assert await client.end(second) == ("", Failed(second, "Killed", never))
    assert await client.run("1") == "1"


async def test_what_waits_when_the_console_ends_is_not_begun(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_console(monkeypatch) as (console, path), attached(path) as client:
        first = await client.begin("import trio\nprint('on')\nawait trio.sleep_forever()")
        second = await client.begin("'never'")
        await client.printed(first, "on")
        await client.ask(AskCrashes(90), list[CrashView])  # the loop has seen both
        kill(console)
        ended = "the process of this session has ended"
        frames = {await client.read(), await client.read()}
        assert frames == {
            Failed(first, "Shutdown", f"{ended}: Shutdown(detail=None)"),
            Failed(second, "Shutdown", "the console is closed"),
        }


async def test_processes_that_outlive_an_evaluation_still_print(client: Client) -> None:
    source = """
import trio
from runtime import spawn
go = trio.Event()
async def later():
    await go.wait()
    print("later")
spawn(later)
None
"""
    await client.run(source)
    number = client.number()
    await client.send(Evaluate(number, "go.set()\nawait trio.sleep(0.05)"))
    assert await client.end(number) == ("later\n", Done(number, None))
    await trio.lowlevel.checkpoint()
