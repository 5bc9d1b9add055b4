"""The console against clients and evaluations that mean no good, or know no better."""

from __future__ import annotations

import sys
import threading
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
import trio

from runtime import Node, kill, wait_exit
from runtime.console import connections
from runtime.console.connections import MAX_CLIENTS
from runtime.console.evaluation import MAX_VALUE
from runtime.console.finding import process_of
from runtime.console.frames import (
    Answer,
    AskStack,
    AskTree,
    Evaluate,
    Failed,
    Goodbye,
    Output,
    Refused,
)
from runtime.console.outbox import Outbox
from runtime.console.outputs import Outputs
from runtime.console.places import running
from tests.consoles import Client, attached, connected, console_threads, open_console

pytestmark = pytest.mark.real_clock


@pytest.fixture
async def path(node: Node, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[str]:
    monkeypatch.setattr("runtime.console.console._TO_STOP", 0.05)
    async with open_console(monkeypatch) as (_, path):
        yield path
        async with attached(path) as client:  # whatever was done, the service is unharmed
            assert await client.run("1 + 1") == "2"


async def until_all_have_left() -> None:
    """Until nothing is known any more of those that have left."""
    with trio.fail_after(10):
        while len(console_threads()) > 1:
            await trio.sleep(0.01)


# -- clients ---------------------------------------------------------------------------------


async def test_what_waits_for_a_client_that_has_vanished_is_not_begun(path: str) -> None:
    """The loop would not turn any more, and there is nobody who could interrupt it."""
    async with attached(path) as client:
        first = await client.begin("import trio\nprint('on')\nawait trio.sleep(0.3)\nwhile 1: pass")
        await client.printed(first, "on")
        await client.begin("while 1: pass")
        descriptor = client.stream.socket.dup()
        pause = threading.Event()

        def vanish() -> None:
            pause.wait(0.6)
            with descriptor:
                descriptor.shutdown(2)

        thread = threading.Thread(target=vanish)
        thread.start()
        assert await client.read() is None
        thread.join()


@pytest.mark.parametrize("question", [AskStack, AskTree])
async def test_answers_that_are_not_read_are_questions_under_way(
    path: str, question: type[AskStack | AskTree]
) -> None:
    async with attached(path) as client:
        await client.run("from runtime import spawn\nimport trio")
        await client.run("pids = [spawn(trio.sleep_forever) for _ in range(200)]; None")
        async with trio.open_nursery() as nursery:
            ended = trio.Event()
            nursery.start_soon(_ask_on, client, question, ended)
            with trio.fail_after(10):
                await ended.wait()  # a client that reads nothing
            frames = list[object]()
            with suppress(trio.BrokenResourceError):  # it had more to say
                while (frame := await client.read()) is not None:
                    frames.append(frame)
        answers = [frame for frame in frames if isinstance(frame, Answer)]
        assert 0 < len(answers) < 20_000
    async with attached(path) as client:
        await client.run("from runtime import snapshot")
        await client.run("[kill(p.pid) for p in snapshot(find='sleep_forever').processes]; None")


async def _ask_on(client: Client, question: type[AskStack | AskTree], ended: trio.Event) -> None:
    with suppress(trio.BrokenResourceError):
        for number in range(20_000):
            await client.send(question(number))
    ended.set()


def test_output_in_little_pieces_takes_no_more_room_than_in_one() -> None:
    outbox = Outbox(limit=10_000)
    for _ in range(10_000):
        outbox.put_output(1, "x")
    assert len(outbox._frames) == 1
    for number in range(1_000):
        outbox.put_output(number, "x")
    assert len(outbox._frames) < 50


async def test_a_client_that_was_sent_away_and_does_not_read_gives_room(path: str) -> None:
    async with trio.open_nursery() as nursery:
        for _ in range(MAX_CLIENTS):
            await nursery.start(_garbage_after_much_output, path)
        await until_all_have_left()
        async with attached(path) as client:
            assert await client.run("1") == "1"
        nursery.cancel_scope.cancel()


async def _garbage_after_much_output(
    path: str, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
) -> None:
    async with attached(path) as client:
        await client.send(Evaluate(1, "print('x' * 1_000_000)"))
        assert isinstance(await client.read(), Output)
        await client.stream.send_all(b"\xff" * 64)
        task_status.started()
        await trio.sleep_forever()


async def test_nothing_is_kept_of_who_has_left(path: str) -> None:
    for _ in range(5):
        async with attached(path) as client:
            await client.send(Evaluate(1, "print('x')"))
            await client.end(1)
    await until_all_have_left()
    (outputs,) = Outputs._up
    assert outputs.sinks == {}


async def test_without_threads_a_client_is_told_so(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with attached(path):
        pass
    await until_all_have_left()
    begin, failures = connections.Thread.begin, ["reads"]

    def failing(self: connections.Thread) -> None:
        if failures and self._thread.name.endswith(failures[0]):
            failures.pop()
            raise RuntimeError("can't start new thread")
        begin(self)

    monkeypatch.setattr(connections.Thread, "begin", failing)
    async with connected(path) as client:
        assert await client.read() == Refused(
            "the service has no thread for you: can't start new thread"
        )
        assert await client.read() is None
    failures.append("writes")
    async with connected(path) as client:
        assert await client.read() is None
    await until_all_have_left()


# -- evaluations -----------------------------------------------------------------------------


async def test_who_shields_himself_holds_up_no_goodbye(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runtime.console.console._TO_STOP", 0.05)
    async with open_console(monkeypatch) as (console, path), attached(path) as client:
        number = await client.begin(
            "import trio\nenough = trio.Event()\nfrom tests.runtime import test_console_hostile as t"
            "\nt.enough = enough\nprint('on')\n"
            "with trio.CancelScope(shield=True): await enough.wait()"
        )
        await client.printed(number, "on")
        kill(console)
        assert await client.read() == Goodbye(
            "the console has ended (Killed()), the service goes on"
        )
        assert await client.read() is None
        assert running() == []
        sys.modules[__name__].enough.set()  # type: ignore[attr-defined]
        await wait_exit(console)


@pytest.mark.parametrize(
    "source",
    [
        "import trio\ntrio.lowlevel.current_task().parent_nursery.cancel_scope.cancel()",
        "import trio\nasync def boom(): raise ValueError(1)\n"
        "trio.lowlevel.current_task().parent_nursery.start_soon(boom)",
    ],
)
async def test_who_breaks_the_console_leaves_no_ruin(
    node: Node, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    before = sys.stdout
    async with open_console(monkeypatch) as (console, path), attached(path) as client:
        await client.begin(f"{source}\nawait trio.sleep_forever()")
        frames = [await client.read() for _ in range(3)]
        assert isinstance(frames[0], Failed)
        assert isinstance(frames[1], Goodbye)
        assert frames[2] is None
        await wait_exit(console)
        assert running() == []
        assert console_threads() == []
        assert sys.stdout is before
        assert Outputs._up == []


async def test_a_long_error_is_cut(path: str) -> None:
    async with attached(path) as client:
        failed = await client.fails("raise ValueError('x' * 1_000_000)")
        assert len(failed.text) < MAX_VALUE + 100
        assert failed.text.startswith("Traceback")
        assert failed.text.endswith("xxx")


async def test_an_exception_whose_class_has_no_name(path: str) -> None:
    async with attached(path) as client:
        session = await client.run("import runtime\nruntime.self_()")
        failed = await client.fails(
            "class Meta(type):\n    @property\n    def __name__(cls): raise ValueError('no')\n"
            "class Error(Exception, metaclass=Meta): pass\nraise Error()"
        )
        assert failed.kind == "an exception without a name"
        assert await client.run("runtime.self_()") == session


async def test_a_program_without_standard_streams(path: str) -> None:
    out = sys.stdout
    try:
        async with attached(path) as client:
            await client.run("import sys\ndel sys.stdout")
            await client.end(await client.begin("print(1)"))
            assert await client.run("1") == "1"
    finally:
        sys.stdout = out


async def test_suspended_can_be_what_is_only_called_like_the_console(path: str) -> None:
    async with attached(path) as client:
        await client.run(
            "from runtime import GenServer, start\nclass Console(GenServer): pass\n"
            "r = await start(Console.child_spec().replace(name='game console'))"
        )
        assert await client.run("suspend('game console')") == (
            f"suspended game console ({process_of('game console').pid.number})"
        )
        await client.run("resume('game console'); None")
        assert (await client.fails("suspend(runtime.self_().number - 1)")).kind == "NotDone"
        await client.run("await r.stop()")
