"""``console.evaluation``: Python with ``await``, its value, its output and its errors."""

from __future__ import annotations

import re
import threading
from collections.abc import AsyncIterator, Callable
from typing import TypeVarTuple, Unpack

import pytest
import trio

from runtime import CleanupFailed, Node
from runtime.console import console
from runtime.console.connections import tell_loop
from runtime.console.evaluation import MAX_VALUE, Asked, shown
from runtime.console.frames import Done, Failed, Interrupt
from tests.conftest import Recorder
from tests.consoles import LONG, Client, attached, open_console

A = TypeVarTuple("A")

pytestmark = pytest.mark.real_clock


@pytest.fixture
async def client(
    node: Node, events: Recorder, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Client]:
    async with open_console(monkeypatch) as (_, path), attached(path) as client:
        yield client
    assert [one for one in events if isinstance(one, CleanupFailed)] == []


VALUES = {
    "1 + 1": "2",
    "None": None,
    "x = 3": None,
    "": None,
    "# only this": None,
    "x = 3\nx * 2": "6",
    "import math; math.pi": "3.141592653589793",
    "def f(x):\n    return x + 1\n\nf(1)": "2",
    "import trio\nawait trio.sleep(0)\n'done'": "'done'",
    "import trio\n[await trio.sleep(0) for _ in range(2)]": "[None, None]",
    "async def f():\n    return 7\nawait f()": "7",
    "import trio\nasync with trio.open_nursery() as n:\n    n.start_soon(trio.sleep, 0)\n5": "5",
    "for i in range(3): pass\ni": "2",
    "'\\ud800'": "'\\ud800'",
}


@pytest.mark.parametrize("source", VALUES)
async def test_the_last_expression_is_the_value(client: Client, source: str) -> None:
    assert await client.run(source) == VALUES[source]


async def test_names_stay_and_underscore_is_the_last_value(client: Client) -> None:
    assert await client.run("x = 20") is None
    assert await client.run("x + 1") == "21"
    assert await client.run("None") is None
    assert await client.run("_ + x") == "41"
    assert await client.run("_") == "41"


async def test_what_is_printed_comes_before_the_end(client: Client) -> None:
    source = "import sys\nprint('a', 1)\nprint('b', file=sys.stderr)\n'v'"
    assert await client.end(await client.begin(source)) == ("a 1\nb\n", Done(1, "'v'"))


async def test_tasks_of_an_evaluation_print_to_its_client(client: Client) -> None:
    source = """
import trio
async def say():
    print("task")
    await trio.to_thread.run_sync(print, "thread")
async with trio.open_nursery() as nursery:
    nursery.start_soon(say)
"""
    assert await client.end(await client.begin(source)) == ("task\nthread\n", Done(1, None))


async def test_processes_that_it_starts_print_to_its_client(client: Client) -> None:
    source = """
from runtime import spawn, wait_exit
async def say():
    print("process")
    await wait_exit(spawn(child))
async def child():
    print("of a process")
await wait_exit(spawn(say))
"""
    printed, ended = await client.end(await client.begin(source))
    assert (printed, ended) == ("process\nof a process\n", Done(1, "Normal()"))


FAILURES = {
    "1 / 0": (
        "ZeroDivisionError",
        (
            'Traceback (most recent call last):\n  File "<console>", line 1, in <module>\n'
            "    1 / 0\n    ~~^~~\nZeroDivisionError: division by zero"
        ),
    ),
    "def": (
        "SyntaxError",
        '  File "<console>", line 1\n    def\n       ^\nSyntaxError: invalid syntax',
    ),
    "raise SystemExit(3)": (
        "SystemExit",
        (
            'Traceback (most recent call last):\n  File "<console>", line 1, in <module>\n'
            "    raise SystemExit(3)\nSystemExit: 3"
        ),
    ),
    "raise KeyboardInterrupt": (
        "KeyboardInterrupt",
        (
            'Traceback (most recent call last):\n  File "<console>", line 1, in <module>\n'
            "    raise KeyboardInterrupt\nKeyboardInterrupt"
        ),
    ),
    "class E(Exception):\n    def __str__(self): raise self\nraise E": (
        "E",
        (
            'Traceback (most recent call last):\n  File "<console>", line 3, in <module>\n'
            "    raise E\n__console__.E: <exception str() failed>"
        ),
    ),
    "x\0": ("SyntaxError", "SyntaxError: source code string cannot contain null bytes"),
}


def plain(text: str) -> str:
    """Without the numbers of the session and the source."""
    return re.sub(r"<console \d+:\d+>", "<console>", text)


@pytest.mark.parametrize("source", FAILURES)
async def test_what_it_raises_is_text(client: Client, source: str) -> None:
    failed = await client.fails(source)
    assert (failed.kind, plain(failed.text)) == FAILURES[source]
    assert await client.run("1") == "1"


async def test_a_value_whose_repr_raises_is_a_failure(client: Client) -> None:
    failed = await client.fails("class C:\n    def __repr__(self): 1 / 0\nC()")
    assert failed.kind == "ZeroDivisionError"


async def test_functions_of_earlier_sources_show_their_lines(client: Client) -> None:
    await client.run("def f():\n    return 1 / 0")
    failed = await client.fails("f()")
    assert '"<console>", line 2, in f\n    return 1 / 0' in plain(failed.text)


async def test_the_sources_of_long_ago_are_forgotten(client: Client) -> None:
    await client.run("def f():\n    return 1 / 0")
    for _ in range(200):
        await client.run("1")
    failed = await client.fails("f()")
    assert '"<console>", line 2, in f\n' in plain(failed.text)
    assert "return 1 / 0" not in failed.text


async def test_an_exception_keeps_nothing_alive(client: Client) -> None:
    await client.run("""
import gc, weakref
class Thing: pass
async def crash():
    thing = Thing()
    globals()["seen"] = weakref.ref(thing)
    1 / 0
""")
    await client.fails("await crash()")
    assert await client.run("gc.collect() and None or seen()") is None


async def test_ctrl_c_ends_an_await_at_once(client: Client) -> None:
    number = await client.begin("import trio\nprint('on')\nawait trio.sleep_forever()")
    await client.printed(number, "on")
    await client.send(Interrupt(number))
    interrupted = Failed(number, "KeyboardInterrupt", "KeyboardInterrupt")
    assert await client.end(number) == ("", interrupted)
    assert await client.run("1") == "1"


async def test_ctrl_c_lets_clean_up_run(client: Client) -> None:
    source = """
import trio
try:
    print("on")
    await trio.sleep_forever()
finally:
    with trio.CancelScope(shield=True):
        await trio.sleep(0.01)
    print("clean")
"""
    number = await client.begin(source)
    await client.printed(number, "on")
    await client.send(Interrupt(number))
    printed, ended = await client.end(number)
    assert printed == "clean\n"
    assert isinstance(ended, Failed)


async def test_a_ctrl_c_the_loop_has_heard_of_does_not_strike_clean_up(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The thread that reads is held up between telling the loop and breaking."""

    def tell_and_dawdle(
        token: trio.lowlevel.TrioToken, call: Callable[[Unpack[A]], object], *args: *A
    ) -> None:
        told = threading.Event()
        tell_loop(token, call, *args)
        tell_loop(token, told.set)
        assert told.wait(LONG)

    monkeypatch.setattr(console, "tell_loop", tell_and_dawdle)
    source = """
import trio
try:
    print("on")
    await trio.sleep_forever()
finally:
    with trio.CancelScope(shield=True):
        for _ in range(200):
            print("clean")
            await trio.sleep(0.0001)
"""
    number = await client.begin(source)
    await client.printed(number, "on")
    await client.send(Interrupt(number))
    printed, ended = await client.end(number)
    assert printed == "clean\n" * 200
    assert isinstance(ended, Failed)


async def test_ctrl_c_of_another_number_does_nothing(client: Client) -> None:
    number = await client.begin("import trio\nprint('on')\nawait trio.sleep(0.05)\n'done'")
    await client.printed(number, "on")
    await client.send(Interrupt(number + 1))
    await client.send(Interrupt(0))
    assert await client.end(number) == ("", Done(number, "'done'"))


async def test_evaluations_of_one_client_run_one_after_the_other(client: Client) -> None:
    first = await client.begin("import trio\nprint('on')\nawait trio.sleep_forever()")
    second = await client.begin("'second'")
    third = await client.begin("'third'")
    await client.printed(first, "on")
    await client.send(Interrupt(second))
    assert (await client.end(second))[1] == Failed(second, "KeyboardInterrupt", "KeyboardInterrupt")
    await client.send(Interrupt(first))
    assert isinstance((await client.end(first))[1], Failed)
    assert (await client.end(third))[1] == Done(third, "'third'")


async def test_ctrl_c_that_overtakes_its_evaluation_is_not_lost(client: Client) -> None:
    number = client.number() + 1
    await client.stream.send_all(b"")
    begun = await client.begin("import trio\nawait trio.sleep_forever()")
    assert begun == number
    await client.send(Interrupt(begun))
    assert isinstance((await client.end(begun))[1], Failed)


# -- values -------------------------------------------------------------------------------


def test_long_values_take_several_lines_and_huge_ones_are_cut() -> None:
    assert shown({"b": 1, "a": 2}) == "{'b': 1, 'a': 2}"
    assert shown({"b" * 60: 1, "a" * 60: 2}) == f"{{'{'b' * 60}': 1,\n '{'a' * 60}': 2}}"
    text = shown("x" * (MAX_VALUE + 10))
    assert text == f"'{'x' * (MAX_VALUE - 1)}... ({MAX_VALUE + 12} characters)"


async def test_what_was_asked_is_awaited_once_or_never() -> None:
    async def answer() -> int:
        await trio.lowlevel.checkpoint()
        return 7

    asked = Asked("state", answer())
    assert repr(asked) == "<state(...): await it>"
    assert await asked == 7
    del asked
    never = Asked("state", answer())
    del never  # no warning that it was never awaited


def test_what_is_still_to_be_awaited_says_so() -> None:
    async def later() -> None: ...

    coroutine = later()
    assert shown(coroutine).endswith(": await it")
    coroutine.close()
