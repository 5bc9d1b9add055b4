"""End a server, or give a call up, at every single step of a call: exactly one outcome each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import trio

from runtime import (
    CallExit,
    Killed,
    Node,
    NoProcess,
    NoReply,
    Normal,
    Ref,
    ReplyTo,
    StartFailed,
    exit,
    is_alive,
    kill,
    named,
    processes,
    spawn,
    start,
    suspend,
)
from tests.support import Ask, Scripted

STEPS = range(25)


async def by_stop(server: Ref) -> None:
    await server.stop("ended")


async def by_signal(server: Ref) -> None:
    exit(server, "ended")


async def by_kill(server: Ref) -> None:
    kill(server)


async def by_suspending_and_kill(server: Ref) -> None:
    try:
        await suspend(server)
    except CallExit:
        pytest.fail("it was alive")
    kill(server)


def at_once(server: Any, reply_to: object) -> str:
    return "reply"


async def in_steps(server: Any, reply_to: object) -> str:
    for _ in range(5):
        await trio.lowlevel.checkpoint()
    return "reply"


def by_a_worker(server: Any, reply_to: ReplyTo[str]) -> NoReply:
    async def worker() -> None:
        for _ in range(5):
            await trio.lowlevel.checkpoint()
        reply_to.reply("reply")

    spawn(worker)
    return NoReply()


HANDLERS = pytest.mark.parametrize("handler", [at_once, in_steps, by_a_worker])


@HANDLERS
@pytest.mark.parametrize("end", [by_stop, by_signal, by_kill, by_suspending_and_kill])
async def test_each_caller_gets_its_reply_or_the_exit(
    node: Node, handler: Callable[..., Any], end: Callable[[Ref], Any]
) -> None:
    """Those in hand, those in the queue, and those that come too late."""
    bystander = await start(Scripted.child_spec())
    for steps in STEPS:
        server = await start(Scripted.child_spec())
        outcomes: list[object] = []

        async def client(server: Ref = server, outcomes: list[object] = outcomes) -> None:
            try:
                outcomes.append(await server.call(Ask(handler), timeout=1000))
            except CallExit as exc:
                outcomes.append(exc.reason)

        begun = trio.current_time()
        async with trio.open_nursery() as nursery:
            for _ in range(4):
                nursery.start_soon(client)
            for _ in range(steps):
                await trio.lowlevel.checkpoint()
            await end(server)
        assert trio.current_time() == begun, "nobody had to wait for a timeout"
        assert len(outcomes) == 4
        ended = Killed() if end in (by_kill, by_suspending_and_kill) else "ended"
        assert [one for one in outcomes if one not in ("reply", ended, NoProcess())] == []
        await trio.sleep(1)
        assert processes() == [bystander.pid]
    assert await bystander.call(Ask(at_once)) == "reply"


@HANDLERS
async def test_a_call_cancelled_at_any_step_is_given_up_or_answered(
    node: Node, handler: Callable[..., Any]
) -> None:
    """And the server answers the next one."""
    server = await start(Scripted.child_spec())
    seen: set[str] = set()
    for steps in STEPS:
        outcomes: list[object] = []
        with trio.CancelScope() as scope:
            async with trio.open_nursery() as nursery:

                async def client(outcomes: list[object] = outcomes) -> None:
                    outcomes.append(await server.call(Ask(handler)))

                nursery.start_soon(client)
                for _ in range(steps):
                    await trio.lowlevel.checkpoint()
                scope.cancel()
        assert outcomes in ([], ["reply"])
        seen.add("answered" if outcomes else "given up")
        assert await server.call(Ask(at_once)) == "reply"
        await trio.sleep(1)
        assert is_alive(server)
    assert seen == {"answered", "given up"}


@pytest.mark.parametrize("how", ["cancel", "kill", "signal"])
async def test_a_start_ended_at_any_step_leaves_nothing_behind_or_a_server(
    node: Node, how: str
) -> None:
    async def init(server: object) -> None:
        for _ in range(5):
            await trio.lowlevel.checkpoint()

    for steps in range(15):
        outcomes: list[object] = []
        with trio.CancelScope() as scope:
            async with trio.open_nursery() as nursery:

                async def starter(outcomes: list[object] = outcomes) -> None:
                    try:
                        spec = Scripted.child_spec(init=init).replace(name="new")
                        outcomes.append(await start(spec))
                    except StartFailed as exc:
                        outcomes.append(exc.reason)

                nursery.start_soon(starter)
                for _ in range(steps):
                    await trio.lowlevel.checkpoint()
                if how == "cancel":
                    scope.cancel()
                elif how == "kill":
                    kill(named("new"))
                else:
                    exit(named("new"), "ended")
        await trio.sleep(1)
        left = processes()
        started = [one for one in outcomes if isinstance(one, Ref)]
        if how == "cancel":
            assert left == [server.pid for server in started]
        else:
            reasons = [one for one in outcomes if not isinstance(one, Ref)]
            assert all(one in (Killed(), "ended") for one in reasons)
            assert len(outcomes) == 1
        for pid in left:
            kill(pid)
        await trio.sleep(1)
        assert processes() == []


async def slow(server: object) -> None:
    await trio.sleep(2)


async def test_a_call_during_init_waits_for_it(node: Node) -> None:
    """By name a server can be called before it is up."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(start, Scripted.child_spec(init=slow).replace(name="late"))
        await trio.sleep(1)
        begun = trio.current_time()
        assert await named("late").call(Ask(at_once)) == "reply"
        assert trio.current_time() - begun == 1


async def test_a_call_during_an_init_that_fails_fails_with_it(node: Node) -> None:
    async def fails(server: object) -> None:
        await trio.sleep(2)
        raise ValueError("boom")

    async with trio.open_nursery() as nursery:

        @nursery.start_soon
        async def starter() -> None:
            with pytest.raises(StartFailed):
                await start(Scripted.child_spec(init=fails).replace(name="late"))

        await trio.sleep(1)
        with pytest.raises(CallExit) as caught:
            await named("late").call(Ask(at_once))
        assert isinstance(caught.value.__cause__, ValueError)


async def test_a_stop_during_init_waits_for_it_too(node: Node) -> None:
    log: list[Any] = []
    async with trio.open_nursery() as nursery:
        nursery.start_soon(start, Scripted.child_spec(log, init=slow).replace(name="late"))
        await trio.sleep(1)
        await named("late").stop()
    assert log == [("terminate", Normal())]
