"""``await self.enter(cm)``: closed in reverse order when the process ends, however it ends."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trio

from runtime import (
    ChildSpec,
    Continue,
    Crashed,
    ExitReason,
    Ignore,
    Killed,
    Node,
    Normal,
    ProcessExit,
    Ref,
    Shutdown,
    StartError,
    Stop,
    exit,
    is_alive,
    kill,
    start,
    wait_exit,
)
from tests.conftest import Recorder
from tests.runtime.entering import BOOM, Resources, crash_now
from tests.support import Ask, Do, Note, Scripted, end_of


class Holder(Scripted):
    """Enters one of each kind: a file's likes, a client's likes, a nursery with a task in it."""

    def __init__(self, resources: Resources, result: object = None, **script: Any) -> None:
        super().__init__(**script)
        self.resources = resources
        self.result = result

    async def init(self) -> Any:
        assert await self.enter(self.resources.plain("file")) == "file"
        assert await self.enter(self.resources.slow("client")) == "client"
        nursery = await self.enter(trio.open_nursery())
        nursery.start_soon(self.resources.worker)
        assert await self.enter(self.resources.slow("pool")) == "pool"
        await trio.sleep(1)
        if isinstance(self.result, BaseException):
            raise self.result
        return self.result

    def terminate(self, reason: ExitReason) -> None:
        self.resources.log.append("terminate")


class DefHolder(Holder):
    """The same, but its ``init`` is a ``def`` that returns a coroutine."""

    def init(self) -> Any:
        return super().init()


HOLDERS = pytest.mark.parametrize("style", ["async def", "def that returns a coroutine"])


def holder(style: str, resources: Resources, result: object = None) -> ChildSpec:
    make = Holder if style == "async def" else DefHolder
    return make.child_spec(resources, result)


OPENED = ["+file", "+client", "+pool", "+worker"]
CLOSED = ["-pool", "-worker", "-client", "-file"]


def started_with(log: list[str], opened: list[str]) -> list[str]:
    assert sorted(log[: len(opened)]) == sorted(opened)
    return log[len(opened) :]


async def crash_async(server: Ref) -> None:
    async def crash(one: object) -> None:
        await trio.sleep(1)
        raise BOOM

    server.cast(Do(crash))


async def stop_by_call(server: Ref) -> None:
    await server.stop()


async def stop_by_itself(server: Ref) -> None:
    server.send(Note(lambda one: Stop("own")))


async def leave(server: Ref) -> None:
    def go(one: object) -> None:
        raise ProcessExit("left")

    server.cast(Do(go))


async def signal(server: Ref) -> None:
    exit(server, "signal")


async def signal_in_a_handler(server: Ref) -> None:
    async def busy(one: object) -> None:
        await trio.sleep(100)

    server.cast(Do(busy))
    await trio.sleep(1)
    exit(server, Shutdown())


@HOLDERS
@pytest.mark.parametrize(
    ("end", "reason", "seen"),
    [
        (stop_by_call, Normal(), None),
        (stop_by_itself, "own", None),
        (crash_now, Crashed(BOOM), "ValueError"),
        (crash_async, Crashed(BOOM), "ValueError"),
        (leave, "left", "ProcessExit"),
        (signal, "signal", "Cancelled"),
        (signal_in_a_handler, Shutdown(), "Cancelled"),
    ],
)
async def test_what_was_entered_is_closed_in_reverse_after_terminate(
    node: Node,
    events: Recorder,
    style: str,
    end: Callable[[Ref], Awaitable[None]],
    reason: ExitReason,
    seen: str | None,
) -> None:
    """With the exception the process ends by, and with time for a slow closer."""
    resources = Resources()
    server = await start(holder(style, resources))
    await trio.sleep(1)
    await end(server)
    await trio.sleep(10)
    assert end_of(events, server.pid) == reason
    log = started_with(resources.log, OPENED)
    assert log.index("-worker") < log.index("-client"), "the nursery was closed in its turn"
    if seen != "Cancelled":  # a signal interrupts every task of the process at once
        assert log.index("-pool") < log.index("-worker")
    log.remove("-worker")
    saw = [] if seen is None else [f"file saw {seen}"]
    assert log == ["terminate", "-pool", "-client", *saw, "-file"]


@HOLDERS
async def test_a_kill_closes_too_but_waits_for_nothing(
    node: Node, events: Recorder, style: str
) -> None:
    """``terminate`` does not run, and what waits in a closer is cancelled at once."""
    resources = Resources()
    server = await start(holder(style, resources))
    await trio.sleep(1)
    begun = trio.current_time()
    kill(server)
    assert await wait_exit(server) == Killed()
    assert trio.current_time() == begun
    assert started_with(resources.log, OPENED) == ["-worker", "file saw Cancelled", "-file"]


@HOLDERS
@pytest.mark.parametrize("result", [Stop("no"), Ignore(), BOOM, "junk"])
async def test_an_init_that_fails_closes_what_it_has_entered(
    node: Node, style: str, result: object
) -> None:
    """And ``terminate`` does not run."""
    resources = Resources()
    with pytest.raises(StartError):
        await start(holder(style, resources, result))
    closed = started_with(resources.log, OPENED)
    assert [entry for entry in closed if "saw" not in entry] == CLOSED
    assert [entry for entry in closed if "saw" in entry] == (
        [] if isinstance(result, Stop | Ignore)
        else [f"file saw {'BadResult' if result == 'junk' else 'ValueError'}"]
    )  # fmt: skip


@HOLDERS
async def test_an_init_that_is_cancelled_closes_what_it_has_entered(node: Node, style: str) -> None:
    resources = Resources()
    with trio.move_on_after(0.5):
        await start(holder(style, resources))
    assert "terminate" not in resources.log
    assert resources.log[-1] == "-file"
    assert "-worker" in resources.log


async def test_a_real_file_is_closed(node: Node, tmp_path: Path) -> None:
    class Writer(Scripted):
        async def init(self) -> None:
            self.file = await self.enter((tmp_path / "log").open("w"))

        def terminate(self, reason: ExitReason) -> None:
            self.file.write(f"ended {reason!r}")

    server = await Writer.start()
    await server.call(Ask(lambda one, reply_to: one.file.write("begun; ")))
    exit(server, "boom")
    await trio.sleep(1)
    assert (tmp_path / "log").read_text() == "begun; ended 'boom'"


@pytest.mark.parametrize("where", ["call", "cast", "info", "continue"])
async def test_every_callback_may_enter(node: Node, where: str) -> None:
    resources = Resources()

    async def enter(one: Any, *args: object) -> Any:
        return await one.enter(resources.plain("file"))

    async def enter_and_go_on(one: Any) -> None:
        await enter(one)

    server = await start(Scripted.child_spec())
    match where:
        case "call":
            assert await server.call(Ask(enter)) == "file"
        case "cast":
            server.cast(Do(enter_and_go_on))
        case "info":
            server.send(Note(enter_and_go_on))
        case _:
            server.cast(Do(lambda one: Continue(enter_and_go_on)))
    await trio.sleep(1)
    assert resources.log == ["+file"]
    assert is_alive(server)
    await server.stop()
    assert resources.log == ["+file", "-file"]


# -- nurseries -------------------------------------------------------------------------------


class WithNursery(Scripted):
    """Has a nursery, and tasks that misbehave in it."""

    async def init(self) -> None:
        self.nursery = await self.enter(trio.open_nursery())


async def test_a_task_that_crashes_ends_its_server_and_nobody_else(
    node: Node, events: Recorder
) -> None:
    """DESIGN 3.4: the group is a crash of that process and of nothing else."""
    log: list[Any] = []
    bystander = await start(Scripted.child_spec())
    server = await WithNursery.start(log)
    pid = server.pid

    async def crash() -> None:
        raise BOOM

    server.cast(Do(lambda one: one.nursery.start_soon(crash)))
    await trio.sleep(1)
    reason = end_of(events, pid)
    assert isinstance(reason, Crashed)
    assert isinstance(reason.exception, ExceptionGroup)
    assert reason.exception.exceptions == (BOOM,)
    assert [entry[0] for entry in log] == ["terminate"]
    assert await bystander.call(Ask(lambda one, reply_to: "alive")) == "alive"


async def test_a_nursery_cancelled_by_hand_ends_its_server(node: Node, events: Recorder) -> None:
    server = await WithNursery.start()
    pid = server.pid
    server.cast(Do(lambda one: one.nursery.cancel_scope.cancel()))
    await trio.sleep(1)
    reason = end_of(events, pid)
    assert isinstance(reason, Crashed)
    assert isinstance(reason.exception, RuntimeError)


async def test_a_task_that_takes_long_to_end_is_waited_for(node: Node, events: Recorder) -> None:
    """However the server ends: a kill does not leave it behind."""
    for end in (lambda one: exit(one, "boom"), kill):
        done: list[str] = []

        async def stubborn(done: list[str] = done) -> None:
            with trio.CancelScope(shield=True):
                await trio.sleep(3)
            done.append("ended")

        server = await WithNursery.start()
        server.cast(Do(lambda one, stubborn=stubborn: one.nursery.start_soon(stubborn)))  # type: ignore[misc]
        await trio.sleep(1)
        end(server)
        await wait_exit(server)
        assert done == ["ended"]


async def test_a_nursery_inside_a_manager_of_the_users_own(node: Node) -> None:
    """It opened a scope, so it is closed without a shield, and closes itself in order."""
    log: list[str] = []

    @asynccontextmanager
    async def serving() -> AsyncGenerator[trio.Nursery, None]:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.sleep_forever)
            try:
                yield nursery
            finally:
                log.append("closing")
                nursery.cancel_scope.cancel()
        log.append("closed")

    async def enter(one: Any) -> None:
        await one.enter(serving())

    for end in (stop_by_call, signal, crash_now):
        server = await start(Scripted.child_spec())
        server.cast(Do(enter))
        await trio.sleep(1)
        await end(server)
        await trio.sleep(1)
        assert not is_alive(server)
        assert log.pop(0) == "closing"
        log.clear()
