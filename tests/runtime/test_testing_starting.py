"""``assert_up``: waiting for whoever bears a name."""

from __future__ import annotations

import re

import pytest
import trio
import trio.testing

from runtime import (
    Cast,
    GenServer,
    Node,
    Shutdown,
    Stop,
    exit,
    handles,
    kill,
    named,
    ref,
    register,
    self_,
    spawn,
    start,
    wait_exit,
)
from runtime.testing import assert_up, crash
from supervisors import Backoff, open_supervisor


class Worker(GenServer):
    """Does nothing."""


class Leave(Cast):
    """End."""


class LongGoodbye(GenServer):
    @handles(Leave)
    def leave(self, message: Leave) -> Stop:
        return Stop("left")

    async def terminate(self, reason: object) -> None:
        await trio.sleep(0.5)


class Slow(GenServer):
    async def init(self) -> None:
        await trio.sleep(0.5)


async def test_who_is_up_is_found_at_once(node: Node) -> None:
    server = await start(Worker.child_spec().replace(name="w"))
    assert await assert_up(named("w")) == server.pid
    assert await assert_up(server) == server.pid
    assert await assert_up(ref(server.pid), timeout=0) == server.pid


async def test_the_successor_is_waited_for_until_it_is_up(node: Node) -> None:
    backoff = Backoff(initial=0.25, jitter=0.0)
    async with open_supervisor([Slow.child_spec().replace(name="w")], backoff=backoff):
        first = named("w").pid
        await crash(named("w"))
        began = trio.current_time()
        second = await assert_up(named("w"))
        assert second != first
        assert trio.current_time() - began >= 0.5
        assert named("w").pid == second


async def test_one_that_is_about_to_end_is_not_up(node: Node) -> None:
    async with open_supervisor([LongGoodbye.child_spec().replace(name="w")]):
        first = named("w").pid
        exit(named("w"), Shutdown())
        assert named("w").pid == first
        second = await assert_up(named("w"))
        assert second != first
        assert named("w").pid == second


async def test_one_that_has_decided_to_end_is_not_up(node: Node) -> None:
    async with open_supervisor([LongGoodbye.child_spec().replace(name="w")]):
        first = named("w").pid
        named("w").cast(Leave())
        await trio.testing.wait_all_tasks_blocked()
        assert named("w").pid == first
        assert await assert_up(named("w")) != first


async def test_one_that_takes_its_name_later_by_hand_is_found(node: Node) -> None:
    async def late() -> None:
        await trio.sleep(0.5)
        register("late", self_())
        await trio.sleep_forever()

    pid = spawn(late)
    assert await assert_up(named("late")) == pid
    assert trio.current_time() == pytest.approx(0.5, abs=0.011)
    kill(pid)
    await wait_exit(pid)


async def test_nobody_in_time_fails(node: Node) -> None:
    with pytest.raises(
        AssertionError, match=r"^named\('w'\) leads to nobody who is up, after 1 s$"
    ):
        await assert_up(named("w"))


async def test_the_dead_are_not_waited_for_but_whoever_takes_their_name(node: Node) -> None:
    server = await start(Worker.child_spec().replace(name="w"))
    kill(server)
    await wait_exit(server)
    began = trio.current_time()
    said = re.escape(f"{server!r}: it has ended; a handle by name follows restarts")
    with pytest.raises(AssertionError, match=f"^{said}$"), trio.testing.assert_checkpoints():
        await assert_up(server)
    with pytest.raises(AssertionError, match=r"^ref.*: it has ended"):
        await assert_up(ref(server.pid), timeout=0)
    assert trio.current_time() == began


async def test_one_that_dies_while_it_is_waited_for_is_not_waited_for_longer(node: Node) -> None:
    server = await start(LongGoodbye.child_spec())
    exit(server, Shutdown())
    with pytest.raises(AssertionError, match="it has ended"):
        await assert_up(server, timeout=5)
    assert trio.current_time() == pytest.approx(0.5, abs=0.011)


async def test_it_is_a_checkpoint_also_when_there_is_nothing_to_wait_for(node: Node) -> None:
    server = await start(Worker.child_spec())
    with trio.testing.assert_checkpoints():
        await assert_up(server)


@pytest.mark.parametrize("timeout", [None, "1", True, -1, float("nan")])
async def test_the_timeout_is_seconds(node: Node, timeout: float) -> None:
    server = await start(Worker.child_spec())
    with pytest.raises((TypeError, ValueError), match=r"^timeout: got "):
        await assert_up(server, timeout=timeout)


async def test_it_wants_a_handle(node: Node) -> None:
    with pytest.raises(TypeError, match="target: got 'w', allowed is a Ref"):
        await assert_up("w")  # type: ignore[arg-type]
