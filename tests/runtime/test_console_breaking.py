"""``console.breaking``: ctrl-C in code that does not await, and what it leaves alone."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from time import perf_counter

import pytest
import trio
from trio.lowlevel import enable_ki_protection

from runtime import Call, GenServer, Node, handles, open_node, start
from runtime.console.breaking import SIGNAL, Breakable, Breaker
from runtime.console.frames import Done, Evaluate, Failed, Interrupt
from runtime.console.wire import packed
from tests.consoles import Client, attached, open_console

pytestmark = pytest.mark.real_clock

LOOPS = {
    "a loop": "while True: pass",
    "a sleep": "import time\nwhile True: time.sleep(10)",
    "a task of its own": """
import trio
async def spin():
    while True: pass
async with trio.open_nursery() as nursery:
    nursery.start_soon(spin)
""",
    "a loop that prints": "while True: print('x')",
    "a loop in a library": """
import statistics
while True: statistics.multimode(range(100000))
""",
    "a library that does not end": """
import sched, time
scheduler = sched.scheduler(time.monotonic, lambda seconds: None)
scheduler.enter(1e9, 1, print)
scheduler.run()
""",
    "a loop of calls": "from runtime import named\nwhile True: named('nobody').cast(cast)",
}


@pytest.fixture
async def client(node: Node, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Client]:
    async with open_console(monkeypatch) as (_, path), attached(path) as client:
        await client.run("from runtime import Cast\nclass Nothing(Cast): pass\ncast = Nothing()")
        yield client


def interrupter(client: Client, number: int) -> threading.Thread:
    """ctrl-C from another thread: the loop of this one is stuck."""
    pause = threading.Event()

    def press() -> None:
        pause.wait(0.2)
        os.write(client.stream.socket.fileno(), packed(Interrupt(number)))

    thread = threading.Thread(target=press)
    thread.start()
    return thread


@pytest.mark.parametrize("name", LOOPS)
async def test_a_loop_is_broken(client: Client, name: str) -> None:
    number = client.number()
    await client.send(Evaluate(number, LOOPS[name]))
    thread = interrupter(client, number)
    begun = perf_counter()
    _, ended = await client.end(number)
    assert perf_counter() - begun < 5
    thread.join()
    assert isinstance(ended, Failed)
    assert "breaking.py" not in ended.text
    assert await client.run("1") == "1"


class Spin(Call[int]):
    """Block the loop for a while."""


class Spinner(GenServer):
    def __init__(self, until: threading.Event) -> None:
        self.until = until

    @handles(Spin)
    def spin(self, request: Spin) -> int:
        self.until.wait(1.0)
        return 1


async def test_the_handler_of_a_server_that_is_called_is_left_alone(client: Client) -> None:
    spinner = await start(Spinner.child_spec(threading.Event()).replace(name="spinner"))
    await client.run(
        "from runtime import named\nfrom tests.runtime.test_console_breaking import Spin"
    )
    number = client.number()
    await client.send(Evaluate(number, "await named('spinner').call(Spin())\n'done'"))
    thread = interrupter(client, number)
    _, ended = await client.end(number)
    thread.join()
    assert isinstance(ended, Failed | Done)
    assert spinner.whereis() is not None
    await spinner.stop()


# -- the handler by itself ----------------------------------------------------------------


def raised(run: Callable[[], object]) -> bool:
    try:
        run()
    except KeyboardInterrupt:
        return True
    return False


@asynccontextmanager
async def up() -> AsyncGenerator[Breaker]:
    breaker = Breaker()
    assert breaker.open()
    try:
        yield breaker
    finally:
        breaker.close()


def strike() -> None:
    signal.raise_signal(SIGNAL)


async def test_only_what_is_wanted_in_its_own_context_is_broken() -> None:
    target = Breakable()
    async with up():
        target.wanted = True
        assert not raised(strike)  # not in its context
        with target:
            assert raised(strike)
            assert not raised(strike)  # once
            target.wanted = True
            assert not raised(enable_ki_protection(lambda: strike()))
            assert target.wanted
        assert not target.wanted
        assert target.over.is_set()
    assert signal.getsignal(SIGNAL) is signal.SIG_DFL


async def test_the_handler_is_there_as_long_as_one_needs_it() -> None:
    first, second = Breaker(), Breaker()
    assert first.open()
    assert second.open()
    first.close()
    first.close()
    assert signal.getsignal(SIGNAL) is not signal.SIG_DFL
    second.close()
    assert signal.getsignal(SIGNAL) is signal.SIG_DFL


async def test_a_program_with_a_use_of_its_own_keeps_it() -> None:
    def mine(*_: object) -> None: ...

    before = signal.signal(SIGNAL, mine)
    try:
        breaker = Breaker()
        assert not breaker.open()
        target = Breakable()
        target.wanted = True
        breaker.interrupt(target)  # nothing happens
        assert not target.wanted
        breaker.close()
        assert signal.getsignal(SIGNAL) is mine
    finally:
        signal.signal(SIGNAL, before)


async def test_a_handler_that_was_replaced_stays() -> None:
    def mine(*_: object) -> None: ...

    breaker = Breaker()
    assert breaker.open()
    signal.signal(SIGNAL, mine)
    breaker.close()
    assert signal.signal(SIGNAL, signal.SIG_DFL) is mine


def test_outside_the_main_thread_only_awaits_can_be_interrupted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found: list[object] = []

    async def main() -> None:
        async with open_node(), open_console(monkeypatch) as (_, path), attached(path) as client:
            number = await client.begin("import trio\nprint('on')\nawait trio.sleep_forever()")
            await client.printed(number, "on")
            await client.send(Interrupt(number))
            found.append((await client.end(number))[1])

    thread = threading.Thread(target=trio.run, args=(main,))
    thread.start()
    thread.join()
    assert found == [Failed(1, "KeyboardInterrupt", "KeyboardInterrupt")]
    assert signal.getsignal(SIGNAL) is signal.SIG_DFL


async def test_an_evaluation_that_is_not_reached_is_given_up() -> None:
    target = Breakable()
    target.wanted = True
    target.over.set()
    async with up() as breaker:
        await trio.to_thread.run_sync(breaker.interrupt, target)
        assert target.wanted
        target = Breakable()
        target.wanted = True
        await trio.to_thread.run_sync(breaker.interrupt, target)
        assert not target.wanted
