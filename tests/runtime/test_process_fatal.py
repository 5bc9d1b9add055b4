"""KeyboardInterrupt and SystemExit in a process: the whole node stops, in order."""

from __future__ import annotations

import pytest
import trio

from runtime import (
    Crashed,
    ExitReason,
    ProcessEnded,
    Shutdown,
    exit,
    open_node,
    spawn,
    start,
    wait_exit,
)
from runtime.introspection import processes
from tests.conftest import Recorder
from tests.support import Do, Scripted

FATAL = [KeyboardInterrupt(), SystemExit(3)]


async def leaves_node(error: BaseException, *, log: list[object], wrap: bool = False) -> None:
    """Open a node with two servers, and raise ``error`` in a process of it."""

    async def fatal() -> None:
        await trio.sleep(1)
        if wrap:
            raise BaseExceptionGroup("inner", [ValueError(), BaseExceptionGroup("x", [error])])
        raise error

    async def slow_end(server: Scripted, _reason: ExitReason) -> None:
        await trio.sleep(1)
        log.append(server.log)

    async with open_node(instruments=[]):
        for name in ("first", "second"):
            await start(Scripted.child_spec([name], terminate=slow_end))
        spawn(fatal)
        try:
            await trio.sleep_forever()
        finally:
            log.append("body cancelled")
            log.append(len(processes()))


@pytest.mark.parametrize("wrap", [False, True])
@pytest.mark.parametrize("error", FATAL, ids=["KeyboardInterrupt", "SystemExit"])
async def test_it_stops_the_node_in_order_and_leaves_it_as_itself(
    error: BaseException, wrap: bool
) -> None:
    log: list[object] = []
    with pytest.raises(type(error)) as raised:
        await leaves_node(error, log=log, wrap=wrap)
    assert raised.value is error
    stopped = ("terminate", Shutdown())
    assert log == ["body cancelled", 2, ["second", stopped], ["first", stopped]]


@pytest.mark.parametrize("error", FATAL, ids=["KeyboardInterrupt", "SystemExit"])
async def test_for_links_and_monitors_it_is_a_crash(error: BaseException, events: Recorder) -> None:
    async def fatal() -> None:
        await trio.sleep(1)
        raise error

    with pytest.raises(type(error)):
        async with open_node(instruments=[events.instrument]):
            pid = spawn(fatal)
            assert await wait_exit(pid) == Crashed(error)
    assert [event.reason for event in events.of(ProcessEnded)] == [Crashed(error)]


async def test_the_first_of_several_leaves_the_node() -> None:
    async def fatal(error: BaseException, seconds: float) -> None:
        try:
            await trio.sleep(seconds)
        finally:
            raise error

    with pytest.raises(SystemExit) as raised:
        async with open_node(instruments=[]):
            spawn(fatal, SystemExit("second"), 2)
            spawn(fatal, SystemExit("first"), 1)
            await trio.sleep_forever()
    assert raised.value.code == "first"


async def test_it_counts_also_in_a_finally_during_an_exit_signal(events: Recorder) -> None:
    async def fatal() -> None:
        try:
            await trio.sleep_forever()
        finally:
            raise SystemExit(5)

    with pytest.raises(SystemExit) as raised:
        async with open_node(instruments=[events.instrument]):
            pid = spawn(fatal)
            await trio.sleep(1)
            exit(pid, "the signal")
            await trio.sleep_forever()
    assert raised.value.code == 5
    assert [event.reason for event in events.of(ProcessEnded)] == ["the signal"]


async def test_it_counts_also_in_a_handler() -> None:
    def fatal(_server: Scripted) -> None:
        raise KeyboardInterrupt

    log: list[tuple[str, ExitReason]] = []
    with pytest.raises(KeyboardInterrupt):
        async with open_node(instruments=[]):
            server = await start(Scripted.child_spec(log))
            server.cast(Do(fatal))
            await trio.sleep_forever()
    assert [type(reason) for _, reason in log] == [Crashed]


async def test_nothing_new_starts_in_a_node_that_stops_this_way() -> None:
    started: list[str] = []

    async def never() -> None:
        started.append("never")

    async def starts_another() -> None:
        try:
            await trio.sleep_forever()
        finally:
            spawn(never)

    async def fatal() -> None:
        raise SystemExit(1)

    with pytest.raises(SystemExit):
        async with open_node(instruments=[]):
            spawn(starts_another)
            await trio.sleep(1)
            spawn(fatal)
            await trio.sleep_forever()
    assert started == []
