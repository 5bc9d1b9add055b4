"""What a process awaits can be interrupted; a cancel scope is made when that happens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import trio

from runtime import Killed, Node, _trio, exit, kill, self_, spawn, start, wait_exit
from runtime.current import find_process
from tests.support import Ask, Do, Scripted

Signal = Callable[[Any], None]


def boom(target: Any) -> None:
    exit(target, "boom")


def is_open(server: Any) -> bool:
    process = find_process(server)
    assert process is not None
    assert process.scope is None, "nobody has interrupted it"
    return process.surroundings is not None


async def test_a_server_can_be_interrupted_from_its_first_coroutine_on(node: Node) -> None:
    async def later(*args: object) -> None:
        await trio.sleep(1)

    server = await start(Scripted.child_spec())
    await server.call(Ask(lambda one, reply_to: 1))
    assert not is_open(server)
    await server.call(Ask(later))
    assert is_open(server)
    await server.call(Ask(lambda one, reply_to: 1))
    assert is_open(server)


@pytest.mark.parametrize("names", [True, False])
@pytest.mark.parametrize("signal", [kill, boom])
async def test_the_scope_is_round_everything_that_is_open(
    node: Node, signal: Signal, names: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also without Trio's private names, by which it need not be entered before there is a need."""
    log: list[str] = []
    if not names:
        monkeypatch.setattr(_trio, "surroundings", lambda task: None)

    async def body() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(helper)
            with trio.CancelScope(shield=True) as shield:
                await trio.sleep(3)
            log.append(f"shielded until {trio.current_time() - began:.0f}")
            assert not shield.cancel_called
            await trio.sleep_forever()

    async def helper() -> None:
        try:
            await trio.sleep_forever()
        finally:
            log.append(f"helper until {trio.current_time() - began:.0f}")

    began = trio.current_time()
    pid = spawn(body)
    await trio.sleep(1)
    process = find_process(pid)
    assert process is not None
    assert (process.scope is None) is names
    signal(pid)
    await wait_exit(pid)
    assert log == ["helper until 1", "shielded until 3"]
    assert trio.current_time() - began == 3


@pytest.mark.parametrize("opened", [True, False])
@pytest.mark.parametrize(("signal", "reason"), [(kill, Killed()), (boom, "boom")])
async def test_a_signal_ends_a_waiting_server_with_it_or_without(
    node: Node, opened: bool, signal: Signal, reason: object
) -> None:
    async def later(*args: object) -> None:
        await trio.lowlevel.checkpoint()

    server = await start(Scripted.child_spec())
    if opened:
        await server.call(Ask(later))
    async with trio.open_nursery() as nursery:

        @nursery.start_soon
        async def watch() -> None:
            assert await wait_exit(server) == reason

        await trio.sleep(1)
        signal(server)


@pytest.mark.parametrize("opened", [True, False])
@pytest.mark.parametrize("signal", [kill, boom])
async def test_a_coroutine_that_comes_after_the_signal_ends_at_its_first_checkpoint(
    node: Node, opened: bool, signal: Signal
) -> None:
    """A ``def`` ends its own process and then returns a coroutine."""
    log: list[str] = []

    async def rest() -> None:
        log.append("begun")
        await trio.lowlevel.checkpoint()
        log.append("went on")

    def handler(one: object) -> Any:
        signal(self_())
        return rest()

    async def nothing(*args: object) -> None:
        """So that the scope is open."""

    server = await start(Scripted.child_spec())
    if opened:
        await server.call(Ask(nothing))
    server.cast(Do(handler))
    await trio.sleep(1)
    assert find_process(server) is None
    assert log == ["begun"]


async def test_terminate_after_an_interrupted_handler_is_shielded_from_the_signal(
    node: Node,
) -> None:
    """The scope that the signal has cancelled is still open; a second signal is nothing."""
    log: list[Any] = []

    async def last_words(server: object, reason: object) -> None:
        await trio.sleep(3)
        log.append("finished")

    async def work(*args: object) -> None:
        await trio.sleep_forever()

    server = await start(Scripted.child_spec(log, terminate=last_words))
    server.cast(Do(work))
    await trio.sleep(1)
    assert is_open(server)
    boom(server)
    await trio.sleep(1)
    exit(server, "second")
    began = trio.current_time()
    assert await wait_exit(server) == "boom"
    assert trio.current_time() - began == 2
    assert log == [("terminate", "boom"), "finished"]
