"""The console against clients and evaluations that mean no good, or know no better."""

from __future__ import annotations

import math
import socket
import sys
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from contextvars import copy_context
from types import FrameType
from typing import Any, cast

import pytest
import trio
from trio.lowlevel import disable_ki_protection

from runtime import Node, kill, wait_exit
from runtime.console import breaking, connections
from runtime.console.breaking import Breakable, Breaker
from runtime.console.connections import MAX_CLIENTS
from runtime.console.evaluation import MAX_VALUE, Evaluation, Names
from runtime.console.finding import process_of
from runtime.console.frames import (
    Answer,
    AskStack,
    AskTree,
    Done,
    Evaluate,
    Failed,
    Goodbye,
    Interrupt,
    Output,
    Refused,
)
from runtime.console.outbox import Outbox
from runtime.console.outputs import Outputs, StandIn
from runtime.console.places import running
from runtime.console.session import Session
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


async def test_an_interrupt_hits_what_is_about_to_begin(path: str) -> None:
    """It came while the loop was busy with something else, and there was nothing yet to break."""
    async with attached(path) as client, attached(path) as other:
        number = await other.begin("print('on')\nimport time\ntime.sleep(0.3)")
        await other.printed(number, "on")
        await client.send(Evaluate(1, "while 1: pass"))
        await client.send(Interrupt(1))
        assert await client.read() == Failed(1, "KeyboardInterrupt", "KeyboardInterrupt")
        assert isinstance((await other.end(number))[1], Done)
    async with attached(path) as client:
        await client.send(Interrupt(2))  # of one that is still to come
        assert [await client.run("3") for _ in range(3)] == ["3", "3", "3"]


async def test_an_evaluation_that_was_interrupted_before_is_not_begun(path: str) -> None:
    outputs = Outputs()
    connection = connections.Connection(socket.socket(), cast("Any", None), cast("Any", None), 1)
    session = Session(connection, Names({}), outputs, cast("Any", None), cast("Any", None))
    evaluation = Evaluation(7, "1", cast("Any", None))
    assert not session._is_unwanted(evaluation)
    connection.interrupted = 7
    assert session._is_unwanted(evaluation)
    assert connection.outbox.take() == Failed(7, "KeyboardInterrupt", "KeyboardInterrupt")
    connection._stream.close()


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
    (outputs,) = Outputs._up
    with trio.fail_after(10):
        while outputs.sinks:
            await trio.sleep(0.01)


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
            "import trio\nenough = trio.Event()\n"
            "from tests.runtime import test_console_console_attacked as t\n"
            "t.enough = enough\nprint('on')\n"
            "with trio.CancelScope(shield=True): await enough.wait()"
        )
        await client.printed(number, "on")
        kill(console)
        assert await client.read() == Goodbye(
            "the console has ended (Killed()), the service goes on"
        )
        assert await client.read() is None
        assert running() == []
        cast("trio.Event", vars(sys.modules[__name__])["enough"]).set()
        await wait_exit(console)


@pytest.mark.parametrize(
    "source",
    [
        "import trio\ntrio.lowlevel.current_task().parent_nursery.cancel_scope.cancel()",
        """
import trio
async def boom(): raise ValueError(1)
trio.lowlevel.current_task().parent_nursery.start_soon(boom)""",
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


def test_what_an_evaluation_has_left_running_is_not_interrupted() -> None:
    breakable = Breakable()
    with breakable:
        left = copy_context()
    breakable.wanted = True  # somebody was late by a moment
    left.run(breaking._on_signal, breaking.SIGNAL, None)
    assert breakable.wanted


@disable_ki_protection
async def test_a_loop_that_only_prints_can_be_broken() -> None:
    """It is hardly ever met outside of the protected step."""
    stream = StandIn(None)
    with Breakable(), pytest.raises(KeyboardInterrupt):
        breakable = breaking.breakable_var.get()
        assert breakable is not None
        assert stream.write("x") == 1
        breakable.wanted = True
        stream.write("x")


def test_a_vanished_client_is_never_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    target, breaker, sent = Breakable(), Breaker(), list[int]()

    def send(_thread: int, _signal: int) -> None:
        sent.append(1)
        target.wanted = len(sent) < 3 * breaking.BREAK_TRIES

    monkeypatch.setattr(breaking, "_BETWEEN", 0.0)
    monkeypatch.setattr(breaking, "_LATER", 0.0)
    monkeypatch.setattr("signal.pthread_kill", send)
    breaker._thread = 1
    target.wanted = True
    breaker.interrupt(target)
    assert (len(sent), target.wanted) == (breaking.BREAK_TRIES, False)
    target.wanted = True
    breaker.interrupt(target, tries=math.inf)
    assert len(sent) == 3 * breaking.BREAK_TRIES
    breaker._thread = None  # it is closed
    target.wanted = True
    breaker.interrupt(target, tries=math.inf)
    assert (len(sent), target.wanted) == (3 * breaking.BREAK_TRIES, False)


def _where_a_step_of_trio_is(file: str, inside: str = "<here>") -> FrameType:
    """A frame in a file of Trio's, in which something of Python's runs."""
    names: dict[str, Callable[[], FrameType]] = {}
    exec(compile("import sys\nframe = sys._getframe", inside, "exec"), names)
    exec(compile("def inner(): return frame(0)", inside, "exec"), names)
    exec(compile("def outer(): return inner()", file, "exec"), names)
    return names["outer"]()


@disable_ki_protection
async def test_a_step_of_trio_is_not_torn() -> None:
    """A task that was half started would never end, nor would its nursery."""
    file = str(trio._core.__file__)
    with Breakable():
        breakable = breaking.breakable_var.get()
        assert breakable is not None
        breakable.wanted = True
        for frame in (
            _where_a_step_of_trio_is(file, file),
            _where_a_step_of_trio_is(file, "<frozen abc>"),
        ):
            breaking._on_signal(breaking.SIGNAL, frame)
            assert breakable.wanted
        for users in (_where_a_step_of_trio_is(file), None):
            breakable.wanted = True
            with pytest.raises(KeyboardInterrupt):
                breaking._on_signal(breaking.SIGNAL, users)


def test_nobody_waits_for_a_thread_that_has_never_begun() -> None:
    connection = connections.Thread(lambda: None, "x", cast("trio.lowlevel.TrioToken", None))
    trio.run(connection.ended)  # at once: it has never begun
