"""Rows of SYS about timers: when they fire, where to, and what cancelling says."""

from __future__ import annotations

import math

import pytest
import trio

from runtime import (
    Killed,
    Normal,
    TimerRef,
    cancel_timer,
    kill,
    named,
    read_timer,
    receive,
    self_,
    send_after,
    send_at,
    spawn,
    unregister,
    wait_exit,
)
from tests.conformance.scenarios import row
from tests.conformance.sys.parts import dead, scripted
from tests.conftest import Recorder
from tests.runtime.tasking import drained
from tests.support import Do, Note, Scripted, in_process


@row("SYS-019")
async def a_message_comes_to_a_pid_or_to_whoever_has_the_name_then() -> None:
    came: list[tuple[str, object, float]] = []

    async def holder(tag: str) -> None:
        came.append((tag, await receive(), trio.current_time()))

    first = spawn(holder, "first", name="holder")
    send_after(named("holder"), "by name", 3)
    send_after(first, "by pid", 4)
    await trio.sleep(1)
    unregister("holder")
    spawn(holder, "second", name="holder")
    await trio.sleep(10)
    assert came == [("second", "by name", 3), ("first", "by pid", 4)]


@row("SYS-020")
async def a_name_nobody_has_then_is_no_error(events: Recorder) -> None:
    timer = send_after(named("nobody"), "message", 1)
    assert read_timer(timer) == 1
    await trio.sleep(2)
    assert read_timer(timer) is None
    assert events == []


@row("SYS-021")
async def timers_fire_by_their_deadlines_and_equal_ones_as_they_were_made() -> None:
    async def body() -> None:
        for seconds in (30, 10, 20):
            send_after(self_(), seconds, seconds)
        assert [await receive() for _ in range(3)] == [10, 20, 30]
        deadline = trio.current_time() + 5
        for number in range(100):
            send_at(self_(), number, deadline)
        await trio.sleep(5)
        assert [await receive() for _ in range(100)] == list(range(100))

    await in_process(body)


@row("SYS-022")
async def cancelled_in_time_a_timer_says_what_was_left_and_never_fires() -> None:
    async def body() -> None:
        timer = send_after(self_(), "message", 10)
        await trio.sleep(4)
        assert cancel_timer(timer) == 6
        assert cancel_timer(timer) is None
        await trio.sleep(100)
        assert await drained() == []

    await in_process(body)


@row("SYS-023")
async def cancelled_too_late_a_timer_has_left_its_message() -> None:
    async def body() -> None:
        timer = send_after(self_(), "message", 1)
        await trio.sleep(2)
        assert cancel_timer(timer) is None
        assert await drained() == ["message"]

    await in_process(body)


@row("SYS-024")
async def the_answer_of_a_cancellation_need_not_be_looked_at() -> None:
    async def body() -> None:
        cancel_timer(send_after(self_(), "message", 5))
        await trio.sleep(100)
        assert await drained() == []

    await in_process(body)


@row("SYS-025")
async def a_cancellation_answers_at_once() -> None:
    """differs: there is no asynchronous one, whose answer would be a message."""

    async def body() -> None:
        pending, fired = send_after(self_(), "never", 5), send_after(self_(), "message", 1)
        await trio.sleep(2)
        assert (cancel_timer(pending), cancel_timer(fired)) == (3, None)
        await trio.sleep(100)
        assert await drained() == ["message"]

    await in_process(body)


@row("SYS-026")
async def reading_a_timer_says_what_is_left_until_it_has_fired_or_was_cancelled() -> None:
    async def body() -> None:
        fires, cancelled = send_after(self_(), "message", 10), send_after(self_(), "never", 10)
        await trio.sleep(4)
        assert (read_timer(fires), read_timer(cancelled)) == (6, 6)
        cancel_timer(cancelled)
        assert (read_timer(fires), read_timer(cancelled)) == (6, None)
        await trio.sleep(6)
        assert (await receive(), read_timer(fires)) == ("message", None)

    await in_process(body)


@row("SYS-027")
async def a_timer_to_a_pid_is_over_with_the_pid() -> None:
    pid = spawn(trio.sleep_forever)
    timer, late = send_after(pid, "message", 10), send_after(await dead(), "message", 10)
    assert (read_timer(timer), read_timer(late)) == (10, None)
    kill(pid)
    await wait_exit(pid)
    assert (read_timer(timer), cancel_timer(timer)) == (None, None)
    await trio.sleep(20)


@row("SYS-028")
async def who_did_not_make_a_timer_may_cancel_it() -> None:
    async def cancel(timer: TimerRef) -> None:
        assert cancel_timer(timer) == 10

    async def body() -> None:
        timer = send_after(self_(), "message", 10)
        await in_process(lambda: cancel(timer))
        assert read_timer(timer) is None
        await trio.sleep(100)
        assert await drained() == []

    await in_process(body)


@row("SYS-029")
async def a_timer_may_be_set_to_a_point_in_time() -> None:
    async def body() -> None:
        await trio.sleep(2)
        timer = send_at(self_(), "message", 7)
        assert read_timer(timer) == 5
        assert (await receive(), trio.current_time()) == ("message", 7)

    await in_process(body)


@row("SYS-030")
async def a_negative_time_is_refused() -> None:
    async def body() -> None:
        with pytest.raises(ValueError, match=r"^seconds: got -1, allowed is 0 or more seconds"):
            send_after(self_(), "message", -1)
        await trio.sleep(100)
        assert await drained() == []

    await in_process(body)


@row("SYS-031")
async def a_timer_brings_its_message_as_it_was_given() -> None:
    """differs: nothing is put around it; who wants the timer in the message puts it there."""

    async def body() -> None:
        message: list[object] = ["payload"]
        timer = send_after(self_(), message, 1)
        message.append(timer)
        got = await receive()
        assert got is message
        assert got == ["payload", timer]

    await in_process(body)


@row("SYS-032")
async def of_two_timers_of_a_server_the_one_that_is_not_cancelled_reaches_it() -> None:
    def arm(_server: Scripted) -> None:
        cancelled = send_after(self_(), Note(text="cancelled"), 5)
        send_after(self_(), Note(text="kept"), 5)
        cancel_timer(cancelled)

    log: list[object] = []
    server = await scripted(log)
    server.cast(Do(arm))
    await trio.sleep(100)
    assert log == [("info", Note(text="kept"))]


@row("SYS-033")
async def a_process_may_sleep_not_at_all_and_for_ever() -> None:
    log: list[float] = []

    async def body(seconds: float) -> None:
        await trio.sleep(seconds)
        log.append(trio.current_time())

    begun = trio.current_time()
    assert await wait_exit(spawn(body, 0.0)) == Normal()
    assert log == [begun]
    for seconds in (1e9, math.inf):
        pid = spawn(body, seconds)
        await trio.sleep(3600)
        kill(pid)
        assert await wait_exit(pid) == Killed()
    assert log == [begun]
