"""``crash`` and ``assert_down``: how a process ends, made to happen and asserted."""

from __future__ import annotations

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
