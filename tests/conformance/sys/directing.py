"""Rows of SYS about directing a server: suspend, resume, terminate."""

from __future__ import annotations

import pytest
import trio

from runtime import (
    CallTimeout,
    get_state,
    get_status,
    is_alive,
    replace_state,
    resume,
    statistics,
    suspend,
)
from tests.conformance.scenarios import row
from tests.conformance.sys.parts import noting, scripted
from tests.conftest import Recorder
from tests.runtime.counting import Add, Counter, Get, Tick
from tests.support import Ask, Do, Note, end_of


@row("SYS-006")
async def a_suspended_server_lets_everything_wait_but_answers_the_runtime() -> None:
    server = await Counter.start(7)
    await suspend(server)
    server.send(Tick())
    server.cast(Add())
    with pytest.raises(CallTimeout):
        await server.call(Get(), timeout=1)
    await trio.sleep(100)
    assert await get_state(server) == {"count": 7}
    assert await replace_state(server, lambda _state: {"count": 8}) == {"count": 8}
    assert (await get_status(server)).status == "suspended"
    found = await statistics(server)
    assert (found.messages_in, found.mailbox_length) == (0, 3)


@row("SYS-007")
async def a_resumed_server_handles_what_has_queued_in_order() -> None:
    log: list[object] = []
    server = await scripted(log)
    await suspend(server)
    noting(server, "first")
    server.cast(Do(lambda _server: log.append("second")))
    noting(server, "third")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(server.call, Ask(lambda _server, _reply_to: log.append("fourth")))
        await trio.sleep(1)
        assert log == []
        await resume(server)
    assert log == [("info", Note(text="first")), "second", ("info", Note(text="third")), "fourth"]


@row("SYS-008")
async def one_resume_is_enough() -> None:
    server = await Counter.start(7)
    await suspend(server)
    await suspend(server)
    await resume(server)
    assert await server.call(Get()) == 7


@row("SYS-011")
async def a_server_is_told_to_terminate(events: Recorder) -> None:
    for suspended in (False, True):
        log: list[object] = []
        server = await scripted(log)
        if suspended:
            await suspend(server)
        noting(server, "before")
        await server.stop("why")
        handled = [] if suspended else [("info", Note(text="before"))]
        assert log == [*handled, ("terminate", "why")]
        assert end_of(events, server.pid) == "why"
        assert not is_alive(server)
