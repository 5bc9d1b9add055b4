"""Rows of SYS about looking into a server: its state, its status, its statistics."""

from __future__ import annotations

from typing import Any

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from runtime import (
    CallExit,
    CallTimeout,
    Idle,
    IdleTimeout,
    NoProcess,
    ServerStatus,
    Statistics,
    get_state,
    get_status,
    is_alive,
    kill,
    named,
    replace_state,
    self_,
    start,
    start_link,
    statistics,
    suspend,
    wait_exit,
)
from supervisors import Supervisor
from tests.conformance.scenarios import row
from tests.conformance.sys.parts import busy_for, dead, scripted
from tests.runtime.counting import Add, Counter, Get
from tests.support import Scripted, in_process


@row("SYS-001")
async def the_state_by_pid_and_by_name_is_the_current_one() -> None:
    server = await start(Counter.child_spec(7).replace(name="counter"))
    for count, target in ((7, server.pid), (8, named("counter"))):
        assert await get_state(target) == {"count": count}
        server.cast(Add())


@row("SYS-002")
async def the_state_is_that_after_all_that_was_sent_before() -> None:
    server = await Counter.start()
    for _ in range(50):
        server.cast(Add())
    assert await get_state(server) == {"count": 50}


@row("SYS-003")
async def a_replaced_state_is_returned_and_kept() -> None:
    server = await Counter.start(7)
    new = await replace_state(server, lambda state: {"count": state["count"] * 2})
    assert new == {"count": 14} == await get_state(server)
    assert await server.call(Get()) == 14


@row("SYS-004")
async def a_change_that_raises_is_the_callers_error_and_changes_nothing() -> None:
    server = await Counter.start(7)
    error = RuntimeError("no")

    def change(state: dict[str, Any]) -> dict[str, Any]:
        state["count"] = 0
        raise error

    with pytest.raises(RuntimeError) as caught:
        await replace_state(server, change)
    assert caught.value is error
    assert await server.call(Get()) == 7


@row("SYS-005")
async def a_status_has_all_but_what_is_not_there() -> None:
    """differs: there are no process dictionary and no debug options to be shown."""

    async def parent() -> None:
        server = await start_link(Counter.child_spec(7))
        for status in ("running", "suspended"):
            assert await get_status(server) == ServerStatus(
                pid=server.pid,
                behaviour="Counter",
                status=status,
                parent=self_(),
                state={"count": 7},
            )
            await suspend(server)

    await in_process(parent)


@row("SYS-009")
async def the_dead_and_the_unknown_have_no_state() -> None:
    for target in (await dead(), named("nobody")):
        with pytest.raises(CallExit) as caught:
            await get_state(target)
        assert caught.value.reason == NoProcess()


@row("SYS-010")
async def a_busy_server_shows_its_state_too_late() -> None:
    server = await scripted([])
    busy_for(server, 10)
    with pytest.raises(CallTimeout):
        await get_state(server, timeout=1)
    assert trio.current_time() == 1
    assert is_alive(server)


@row("SYS-014")
async def statistics_count_what_came_in() -> None:
    """differs: always on; what goes out is not counted, and there are no reductions."""
    server = await Counter.start()
    await server.call(Get())
    server.cast(Add())
    await server.call(Get())
    await trio.sleep(3)
    assert await statistics(server) == Statistics(
        started_at=0, now=3, messages_in=3, mailbox_length=0
    )


@row("SYS-017")
async def a_supervisor_shows_its_state_and_goes_on() -> None:
    spec = Supervisor.child_spec([Counter.child_spec(7).replace(name="counter")])
    supervisor = await start(spec)
    assert await get_state(supervisor) != {}
    first = named("counter").pid
    kill(first)
    await wait_exit(first)
    await wait_all_tasks_blocked()
    assert named("counter").pid is not first
    assert await named("counter").call(Get()) == 7


@row("SYS-018")
async def a_look_does_not_call_off_a_pending_idle_timeout() -> None:
    """differs: it fires at its own time; in OTP a look starts that anew."""
    log: list[tuple[object, float]] = []

    class Watching(Scripted):
        def handle_info(self, message: object) -> None:
            log.append((message, trio.current_time()))

    server = await Watching.start(init=lambda _server: Idle(3))
    await trio.sleep(2)
    await get_state(server)
    await trio.sleep(10)
    assert log == [(IdleTimeout(), 3)]
