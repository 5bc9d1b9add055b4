"""Closers of entered context managers that fail, hang, or are killed; who may enter."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import pytest
import trio

from runtime import (
    CallExit,
    CleanupFailed,
    Crashed,
    ExitReason,
    GenServer,
    Killed,
    Node,
    Normal,
    OutsideProcess,
    Shutdown,
    exit,
    is_alive,
    kill,
    open_node,
    start,
    wait_exit,
)
from tests.conftest import Recorder
from tests.runtime.entering import BOOM, Resources, crash_now
from tests.support import Ask, Do, Scripted, end_of


class Bad:
    """A context manager whose exit raises."""

    def __init__(self, exc: BaseException) -> None:
        self.exc = exc

    async def __aenter__(self) -> None:
        """Nothing."""

    async def __aexit__(self, *details: object) -> None:
        await trio.lowlevel.checkpoint()
        raise self.exc


class BadPlain:
    def __init__(self, exc: BaseException) -> None:
        self.exc = exc

    def __enter__(self) -> None:
        """Nothing."""

    def __exit__(self, *details: object) -> None:
        raise self.exc


class Enters(Scripted):
    def __init__(self, *managers: Any, **script: Any) -> None:
        super().__init__(**script)
        self.managers = managers

    async def init(self) -> None:
        for manager in self.managers:
            await self.enter(manager)


@pytest.mark.parametrize("bad", [Bad, BadPlain])
async def test_a_closer_that_raises_keeps_no_other_open_and_is_the_crash(
    node: Node, events: Recorder, bad: Callable[[BaseException], Any]
) -> None:
    resources = Resources()
    first, last = KeyError("first"), ValueError("last")
    managers = [resources.plain("a"), bad(last), resources.slow("b"), bad(first)]
    server = await Enters.start(*managers)
    with pytest.raises(CallExit) as caught:
        await server.stop()
    assert caught.value.reason == Crashed(last)
    assert last.__context__ is first, "neither is lost"
    assert [entry for entry in resources.log if "saw" not in entry] == ["+a", "+b", "-b", "-a"]


async def test_a_closer_that_raises_from_what_another_raised_says_so_once(node: Node) -> None:
    first, last = KeyError("first"), ValueError("last")
    last.__context__ = first
    server = await Enters.start(BadPlain(last), BadPlain(first))
    with pytest.raises(CallExit) as caught:
        await server.stop()
    assert caught.value.reason == Crashed(last)
    assert last.__context__ is first
    assert first.__context__ is None


async def test_a_closer_that_raises_after_a_signal_is_reported(
    node: Node, events: Recorder
) -> None:
    """The signal's reason stands, and the error is not lost."""
    server = await Enters.start(Bad(BOOM))
    pid = server.pid
    exit(server, "signal")
    await trio.sleep(1)
    assert end_of(events, pid) == "signal"
    (failed,) = events.of(CleanupFailed)
    assert (failed.pid, failed.reason, failed.exception) == (pid, "signal", BOOM)


async def test_a_closer_cannot_swallow_a_crash(node: Node, events: Recorder) -> None:
    class Swallows:
        def __enter__(self) -> None: ...
        def __exit__(self, *details: object) -> bool:
            return True

    server = await Enters.start(Swallows())
    pid = server.pid
    await crash_now(server)
    await trio.sleep(1)
    assert end_of(events, pid) == Crashed(BOOM)


@pytest.mark.parametrize("reason", [Normal(), "boom"])
async def test_a_kill_during_a_closer_ends_it(node: Node, reason: ExitReason) -> None:
    """And the others are still closed, without waiting."""
    resources = Resources()
    server = await Enters.start(resources.plain("a"), resources.slow("b"), resources.slow("c", 50))
    async with trio.open_nursery() as nursery:

        @nursery.start_soon
        async def stopper() -> None:
            with pytest.raises(CallExit) as caught:
                await server.stop(reason)
            assert caught.value.reason == Killed()

        await trio.sleep(10)
        begun = trio.current_time()
        kill(server)
        await wait_exit(server)
        assert trio.current_time() == begun
    assert [entry for entry in resources.log if "saw" not in entry] == ["+a", "+b", "+c", "-a"]


async def test_a_closer_counts_towards_the_shutdown_budget(node: Node) -> None:
    """A parent waits for it as long as for ``terminate``."""
    resources = Resources()
    server = await Enters.start(resources.slow("b", 3))
    exit(server, Shutdown())
    await trio.sleep(2)
    assert is_alive(server)
    await trio.sleep(2)
    assert resources.log == ["+b", "-b"]


async def test_an_enter_that_fails_enters_nothing(node: Node) -> None:
    class NoEntry:
        async def __aenter__(self) -> None:
            raise BOOM

        async def __aexit__(self, *details: object) -> None:
            pytest.fail("it was never entered")

    async def enter(one: Any, reply_to: object) -> str:
        with pytest.raises(ValueError, match="boom"):
            await one.enter(NoEntry())
        return "caught"

    server = await start(Scripted.child_spec())
    assert await server.call(Ask(enter)) == "caught"
    await server.stop()


@pytest.mark.parametrize("junk", [None, 5, "file", object(), Scripted])
async def test_only_a_context_manager_can_be_entered(node: Node, junk: Any) -> None:
    """DESIGN 3.9."""

    async def enter(one: Any, reply_to: object) -> str:
        with pytest.raises(TypeError, match=r"manager: got .*, allowed is a context manager"):
            await one.enter(junk)
        return "refused"

    server = await start(Scripted.child_spec())
    assert await server.call(Ask(enter)) == "refused"


async def test_only_a_running_server_can_enter() -> None:
    for server in (Scripted(), GenServer()):
        with pytest.raises(OutsideProcess, match=r"enter was called outside a running server"):
            await server.enter(trio.open_nursery())


async def test_only_the_servers_own_task_can_enter(node: Node) -> None:
    """It is the one that closes what was entered."""
    resources = Resources()

    async def enter_in_a_helper(one: Any, reply_to: object) -> str:
        async def helper() -> None:
            with pytest.raises(OutsideProcess, match="outside the process's own task"):
                await one.enter(resources.plain("a"))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(helper)
        return "refused"

    server = await start(Scripted.child_spec())
    assert await server.call(Ask(enter_in_a_helper)) == "refused"
    assert resources.log == []


async def test_a_server_that_has_ended_enters_nothing(node: Node) -> None:
    kept: list[Any] = []
    server = await start(Scripted.child_spec())
    server.cast(Do(lambda one: kept.append(one)))
    await server.stop()
    with pytest.raises(OutsideProcess):
        await kept[0].enter(trio.open_nursery())


async def test_a_manager_that_is_both_is_entered_as_an_async_one(node: Node) -> None:
    log: list[str] = []

    class Both:
        def __enter__(self) -> None:
            log.append("plain")

        def __exit__(self, *details: object) -> None:
            log.append("plain")

        async def __aenter__(self) -> None:
            log.append("async")

        async def __aexit__(self, *details: object) -> None:
            log.append("async")

    server = await Enters.start(Both())
    await server.stop()
    assert log == ["async", "async"]


async def test_what_terminate_enters_is_closed_too(node: Node) -> None:
    resources = Resources()

    async def last_words(one: Any, reason: object) -> None:
        await one.enter(resources.slow("late"))

    server = await start(Scripted.child_spec(terminate=last_words))
    await server.stop()
    assert resources.log == ["+late", "-late"]


async def test_a_hundred_managers_are_closed_in_reverse(node: Node) -> None:
    resources = Resources()
    server = await Enters.start(*(resources.plain(str(number)) for number in range(100)))
    await server.stop()
    assert resources.log[100:] == [f"-{number}" for number in reversed(range(100))]


async def test_two_thousand_managers_are_closed_as_well(node: Node) -> None:
    """A connection pool's worth of them is no reason to run out of stack."""
    resources = Resources()
    server = await Enters.start(*(resources.plain(str(number)) for number in range(2000)))
    await server.stop()
    assert len(resources.log) == 4000


async def test_a_scope_left_open_by_hand_harms_only_its_own_server(
    node: Node, events: Recorder
) -> None:
    """``enter`` inside a shorter ``with`` cannot work; it is a crash of that server alone."""

    async def enter(one: Any) -> None:
        with trio.move_on_after(1):
            await one.enter(trio.open_nursery())

    bystander = await start(Scripted.child_spec())
    server = await start(Scripted.child_spec())
    pid = server.pid
    server.cast(Do(enter))
    await trio.sleep(5)
    reason = end_of(events, pid)
    assert isinstance(reason, Crashed)
    assert isinstance(reason.exception, RuntimeError)
    assert await bystander.call(Ask(lambda one, reply_to: "alive")) == "alive"


async def test_a_fatal_error_of_terminate_is_not_lost_behind_one_of_a_closer() -> None:
    """Python shows it as the context of the other only; the node must hear of it all the same."""

    class Fatal(Scripted):
        async def init(self) -> None:
            await self.enter(fails_to_close())

        def terminate(self, reason: object) -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        async with open_node(instruments=[]):
            await (await Fatal.start()).stop()


@contextmanager
def fails_to_close() -> Generator[None]:
    yield
    raise ValueError("closer")
