"""``crash`` and ``assert_down``: how a process ends, made to happen and asserted."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import trio

from runtime import (
    Call,
    CallExit,
    CallTimeout,
    Cast,
    Crashed,
    ExitReason,
    GenServer,
    Killed,
    Node,
    NoProcess,
    Normal,
    ProcessExit,
    Ref,
    Shutdown,
    exit,
    handles,
    is_alive,
    kill,
    named,
    spawn,
    start,
    trap_exits,
)
from runtime.testing import CrashedByTest, assert_down, crash, remember_deaths


class Add(Cast):
    by: int = 1


class Burn(Call[None]):
    """Crash."""


class Log(GenServer):
    def __init__(self, log: list[object], trap: bool = False) -> None:
        self.log = log
        self.trap = trap

    def init(self) -> None:
        trap_exits(self.trap)

    @handles(Add)
    def add(self, message: Add) -> None:
        self.log.append(message.by)

    @handles(Burn)
    def burn(self, request: Burn) -> None:
        raise ValueError("ash")

    def terminate(self, reason: ExitReason) -> None:
        self.log.append(reason)


@pytest.mark.parametrize("trap", [False, True])
async def test_a_server_crashes_after_what_it_has_and_says_its_last_words(
    node: Node, trap: bool
) -> None:
    log: list[object] = []
    server = await start(Log.child_spec(log, trap))
    server.cast(Add(1))
    oops = ValueError("oops")
    await crash(server, oops)
    assert not is_alive(server)
    assert log == [1, Crashed(oops)]


@pytest.mark.parametrize("trap", [False, True])
async def test_a_plain_process_is_interrupted_where_it_waits(node: Node, trap: bool) -> None:
    cleaned: list[bool] = []

    async def waits() -> None:
        trap_exits(trap)
        try:
            await trio.sleep_forever()
        finally:
            cleaned.append(True)

    pid = spawn(waits)
    await trio.testing.wait_all_tasks_blocked()
    with remember_deaths():
        await crash(pid)
        ended = await assert_down(pid, CrashedByTest)
    assert isinstance(ended, Crashed)
    assert str(ended.exception) == "crashed by the test"
    assert cleaned == [True]


async def test_there_must_be_somebody_to_crash(node: Node) -> None:
    with pytest.raises(CallExit) as failed:
        await crash(named("nobody"))
    assert failed.value.reason == NoProcess()
    with pytest.raises(TypeError, match="exception: got 'oops'"):
        await crash(named("nobody"), "oops")  # type: ignore[arg-type]


@pytest.mark.parametrize("target", [None, "name", Log])
async def test_what_crashes_is_said_by_pid_or_handle(node: Node, target: Ref) -> None:
    with pytest.raises(TypeError, match=r"^target: got .+, allowed are a Pid and a Ref such as"):
        await crash(target)


@pytest.mark.parametrize("exception", [ValueError, ProcessExit(Normal()), "oops"])
async def test_a_crash_is_with_an_exception(node: Node, exception: Exception) -> None:
    with pytest.raises(TypeError, match=r", allowed are an instance of Exception and None$"):
        await crash(named("nobody"), exception)


async def test_a_crash_that_takes_too_long_is_a_call_that_does(node: Node) -> None:
    class Slow(GenServer):
        async def terminate(self, reason: ExitReason) -> None:
            await trio.sleep(10)

    server = await start(Slow.child_spec())
    with pytest.raises(CallTimeout):
        await crash(server)
    await assert_down(server, CrashedByTest, timeout=6)


@pytest.mark.parametrize(
    "reason", [Killed, Killed(), (Normal, Killed), lambda ended: ended == Killed(), object]
)
async def test_a_death_is_waited_for(node: Node, reason: object) -> None:
    pid = spawn(trio.sleep_forever)
    kill(pid)
    assert await assert_down(pid, reason) == Killed()
    assert not is_alive(pid)


async def test_the_wrong_reason_fails(node: Node) -> None:
    server = await start(Log.child_spec([]))
    exit(server, Shutdown("bye"))
    with pytest.raises(AssertionError) as failed:
        await assert_down(server, Killed)
    assert str(failed.value) == (
        f"{server!r} was to end with Killed, but ended with Shutdown(detail='bye')"
    )


async def test_a_class_of_exceptions_means_a_crash_with_one(node: Node) -> None:
    server = await start(Log.child_spec([]))
    with remember_deaths():
        with pytest.raises(CallExit):
            await server.call(Burn())
        await assert_down(server, ValueError)
        await assert_down(server, (Killed, Crashed))
        with pytest.raises(AssertionError, match="was to end with OSError, but ended with Cr"):
            await assert_down(server, OSError)


@pytest.mark.parametrize(
    "reason",
    [
        (ValueError, OSError),
        ValueError | OSError,
        (Killed, OSError),
        Killed | OSError,
        (Killed, (OSError, ValueError)),
    ],
)
async def test_several_classes_may_be_of_exceptions(node: Node, reason: object) -> None:
    async def disk() -> None:
        raise OSError("disk")

    assert isinstance(await assert_down(spawn(disk), reason), Crashed)
    pid = spawn(trio.sleep, 0)
    with pytest.raises(AssertionError, match=r" was to end with \w+ or .+ ended with Normal\(\)$"):
        await assert_down(pid, reason)


async def test_exceptions_are_equal_only_to_themselves(node: Node) -> None:
    oops = OSError("x")
    with remember_deaths():
        server = await start(Log.child_spec([]))
        await crash(server, oops)
        await assert_down(server, Crashed(oops))
        with pytest.raises(AssertionError) as failed:
            await assert_down(server, Crashed(OSError("x")))
        with pytest.raises(
            TypeError, match=r"^reason: got OSError\('x'\), allowed is .+ exception: OSError$"
        ):
            await assert_down(server, oops)
    assert str(failed.value) == (
        f"{server!r} was to end with Crashed(exception=OSError('x')), "
        "but ended with another Crashed(exception=OSError('x'))"
    )


async def never(reason: object) -> bool:
    return False


@pytest.mark.parametrize("reason", [list[int], never, lambda: True])
async def test_a_reason_that_tells_nothing_is_refused(node: Node, reason: object) -> None:
    with pytest.raises(TypeError, match=r"^reason: got "):
        await assert_down(spawn(trio.sleep, 0), reason)


@pytest.mark.parametrize("timeout", [None, "1", True, -1, float("nan")])
async def test_the_timeout_is_seconds(node: Node, timeout: float) -> None:
    pid = spawn(trio.sleep, 0)
    with remember_deaths():
        await assert_down(pid)
        with pytest.raises((TypeError, ValueError), match=r"^timeout: got "):
            await assert_down(pid, timeout=timeout)


async def test_it_is_a_checkpoint_also_when_there_is_nothing_to_wait_for(node: Node) -> None:
    with remember_deaths():
        pid = spawn(trio.sleep, 0)
        await assert_down(pid)
        with trio.testing.assert_checkpoints():
            await assert_down(pid)
    with trio.testing.assert_checkpoints(), pytest.raises(AssertionError, match="nobody noted"):
        await assert_down(pid)


async def test_what_lives_on_fails(node: Node) -> None:
    server = await start(Log.child_spec([]))
    with pytest.raises(AssertionError, match=r"is still alive after 1 s$"):
        await assert_down(server, Normal)


async def test_a_death_before_is_known_only_if_somebody_noted_it(node: Node) -> None:
    server = await start(Log.child_spec([]).replace(name="log"))
    await server.stop()
    with pytest.raises(AssertionError, match="was dead already, and nobody noted why"):
        await assert_down(server, Normal)
    with pytest.raises(AssertionError, match="nobody holds the name"):
        await assert_down(named("log"), Normal)


async def test_deaths_are_forgotten_with_the_block(node: Node) -> None:
    server = await start(Log.child_spec([]))
    with remember_deaths():
        await server.stop()
        assert await assert_down(server) == Normal()
    with pytest.raises(AssertionError, match="nobody noted why"):
        await assert_down(server)


OPTIMISED = """
import trio
from runtime import *
from runtime.testing import *

async def failure(of):
    try:
        await of
    except AssertionError as failed:
        print(failed)

async def main():
    async with open_node(instruments=[]):
        with remember_deaths():
            dead, alive = spawn(trio.sleep, 0), spawn(trio.sleep_forever)
            await failure(assert_down(dead, Killed))
            await failure(assert_down(alive))
            await failure(assert_down(named("x")))
        await failure(assert_down(dead))
        await failure(assert_up(named("x")))

run_in_virtual_time(main)
"""


def test_assertions_fail_also_where_python_leaves_out_its_own() -> None:
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-O", "-c", OPTIMISED],
        cwd=root,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    unknown = "was dead already, and nobody noted why: take the `node` fixture, or put"
    assert done.stdout.splitlines() == [
        "<Pid 1 sleep> was to end with Killed, but ended with Normal()",
        "<Pid 2 sleep_forever> is still alive after 1 s",
        "nobody holds the name named('x'): ask by the pid or the Ref",
        f"<Pid 1 sleep> {unknown} `with remember_deaths():` around",
        "named('x') leads to nobody who is up, after 1 s",
    ]
