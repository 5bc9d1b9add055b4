"""Messages sent later, on Trio's clock."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import trio
import trio.testing

from runtime import (
    Call,
    MailboxLimit,
    MessageDropped,
    Node,
    NoNode,
    Pid,
    ReceiveTimeout,
    cancel_timer,
    named,
    process_info,
    read_timer,
    receive,
    ref,
    self_,
    send_after,
    send_at,
    send_interval,
    spawn,
    start,
    wait_exit,
)
from tests.conftest import Recorder
from tests.support import Note, Scripted, in_process, stop_all


class Get(Call[int]):
    """A call, which cannot be sent."""


async def dead() -> Pid:
    async def nothing() -> None: ...

    pid = spawn(nothing)
    await wait_exit(pid)
    return pid


async def nothing_comes(seconds: float = 100) -> None:
    with pytest.raises(ReceiveTimeout):
        await receive(timeout=seconds)


async def test_a_message_comes_after_exactly_the_time_given(node: Node) -> None:
    """SYS-019."""

    async def body() -> None:
        before = trio.current_time()
        send_after(self_(), "message", 3)
        assert await receive() == "message"
        assert trio.current_time() - before == pytest.approx(3)
        await nothing_comes()

    await in_process(body)


async def test_equal_deadlines_fire_in_the_order_they_were_made(node: Node) -> None:
    """SYS-021."""

    async def body() -> None:
        at = trio.current_time() + 5
        for number in range(100):
            send_at(self_(), number, at)
        assert [await receive() for _ in range(100)] == list(range(100))

    await in_process(body)


async def test_a_timer_that_has_fired_cannot_be_recalled(node: Node) -> None:
    """SYS-023, and the trap: the return value tells which happened."""

    async def body() -> None:
        timer = send_after(self_(), "message", 1)
        await trio.sleep(2)
        assert cancel_timer(timer) is None
        assert await receive(timeout=0) == "message"

    await in_process(body)


async def test_a_timer_to_a_handle_of_one_process_is_over_when_that_is_dead(node: Node) -> None:
    """SYS-027."""
    server = await start(Scripted.child_spec())
    timers = [send_after(server, Note(), 100), send_interval(server, Note(), 2)]
    assert read_timer(timers[0]) == 100
    await server.stop()
    assert [read_timer(timer) for timer in timers] == [None, None]
    late = send_interval(ref(await dead()), Note(), 2)
    await trio.sleep(10)
    assert read_timer(late) is None


async def test_anybody_may_cancel_a_timer(node: Node) -> None:
    """SYS-028."""

    async def body() -> None:
        timer = send_after(self_(), "message", 10)
        answers: list[float | None] = []

        async def other() -> None:
            answers.append(cancel_timer(timer))

        await wait_exit(spawn(other))
        assert answers == [10]
        await nothing_comes()

    await in_process(body)
    timer = send_after(named("x"), "message", 5)
    assert cancel_timer(timer) == 5


@pytest.mark.parametrize(("ahead", "arrives"), [(5.0, 5.0), (0.0, 0.0), (-5.0, 0.0)])
async def test_an_absolute_deadline_fires_then_or_at_once(
    node: Node, ahead: float, arrives: float
) -> None:
    """SYS-029."""

    async def body() -> None:
        before = trio.current_time()
        timer = send_at(self_(), "message", before + ahead)
        assert read_timer(timer) == pytest.approx(arrives)
        assert await receive() == "message"
        assert trio.current_time() - before == pytest.approx(arrives)

    await in_process(body)


async def test_a_timer_of_minus_infinity_fires_at_once_and_of_infinity_never(node: Node) -> None:
    async def body() -> None:
        send_at(self_(), "at once", -math.inf)
        never = send_after(self_(), "never", math.inf)
        assert await receive() == "at once"
        await nothing_comes(1e6)
        assert cancel_timer(never) == math.inf

    await in_process(body)


@pytest.mark.parametrize(
    ("seconds", "error"),
    [(-1, ValueError), (-0.001, ValueError), (math.nan, ValueError), ("1", TypeError),
     (True, TypeError), (None, TypeError)],
)  # fmt: skip
async def test_a_negative_or_no_time_is_refused(
    node: Node, seconds: float, error: type[Exception]
) -> None:
    """SYS-030."""
    for function in (send_after, send_interval):
        with pytest.raises(error, match=r"^seconds: got "):
            function(named("x"), "message", seconds)


@pytest.mark.parametrize("deadline", [math.nan, "soon", None, False])
async def test_a_deadline_that_is_no_time_is_refused(node: Node, deadline: float) -> None:
    with pytest.raises((TypeError, ValueError), match=r"^deadline: got "):
        send_at(named("x"), "message", deadline)


async def test_an_interval_fires_without_drift_until_cancelled(node: Node) -> None:
    async def body() -> None:
        before = trio.current_time()
        timer = send_interval(self_(), "beat", 0.1)
        for number in range(1, 101):
            assert await receive() == "beat"
            assert trio.current_time() - before == pytest.approx(number * 0.1)
            await trio.sleep(0.03)
        assert read_timer(timer) == pytest.approx(0.07)
        assert cancel_timer(timer) == pytest.approx(0.07)
        assert cancel_timer(timer) is None
        await nothing_comes()

    await in_process(body)


async def test_an_interval_may_be_cancelled_by_the_very_message_it_sends(node: Node) -> None:
    def stop(_server: Scripted) -> None:
        beats.append(trio.current_time())
        cancel_timer(timer)

    beats: list[float] = []
    server = await start(Scripted.child_spec())
    timer = send_interval(server, Note(stop), 1)
    await trio.sleep(10)
    assert len(beats) == 1
    await server.stop()


async def test_an_interval_to_a_pid_ends_with_it_and_to_a_name_goes_on(node: Node) -> None:
    got: list[object] = []

    async def one_message() -> None:
        got.append(await receive())

    pid = spawn(one_message, name="holder")
    to_pid = send_interval(pid, "to pid", 2)
    to_name = send_interval(named("holder"), "to name", 5)
    await trio.sleep(3)
    assert read_timer(to_pid) is None
    spawn(one_message, name="holder")
    await trio.sleep(10)
    spawn(one_message, name="holder")
    await trio.sleep(5)
    assert got == ["to pid", "to name", "to name"]
    assert cancel_timer(to_name) is not None


async def test_beats_that_were_missed_are_left_out(node: Node) -> None:
    """A clock that jumps, as after a suspended machine, brings no burst."""

    async def body() -> None:
        send_interval(self_(), "beat", 1)
        await receive()
        clock = trio.lowlevel.current_clock()
        assert isinstance(clock, trio.testing.MockClock)
        clock.jump(1000)
        await trio.testing.wait_all_tasks_blocked()
        info = process_info(self_())
        assert info is not None
        assert info.mailbox_length <= 1

    await in_process(body)


@pytest.mark.parametrize("seconds", [0, 1e-30, math.inf])
async def test_an_interval_that_can_be_none_is_refused(node: Node, seconds: float) -> None:
    with pytest.raises(ValueError, match=r"^seconds: got "):
        send_interval(named("x"), "message", seconds)


async def test_a_full_mailbox_drops_the_message_counted_and_reported(
    node: Node, events: Recorder
) -> None:
    pid = spawn(trio.sleep_forever, mailbox=MailboxLimit(2))
    send_interval(pid, "beat", 1)
    await trio.sleep(5.5)
    info = process_info(pid)
    assert info is not None
    assert (info.mailbox_length, info.dropped) == (2, 3)
    assert events.of(MessageDropped) == [
        MessageDropped(pid, "'beat'", n, "sleep_forever") for n in (1, 2, 3)
    ]
    await stop_all(pid)


@pytest.mark.parametrize("function", [send_after, send_at, send_interval])
async def test_garbage_is_refused_at_the_edge(
    node: Node, function: Callable[[object, object, float], object]
) -> None:
    with pytest.raises(TypeError, match=r"^target: got 7, allowed are a Pid and a Ref"):
        function(7, "message", 1)
    with pytest.raises(TypeError, match=r"^message: got Get, a Call, which needs an answer"):
        function(named("x"), Get(), 1)


@pytest.mark.parametrize("function", [cancel_timer, read_timer])
async def test_what_is_no_timer_is_refused(
    node: Node, function: Callable[[object], object]
) -> None:
    with pytest.raises(TypeError, match=r"^timer: got None, allowed is what send_after\(\)"):
        function(None)


async def test_without_a_node_there_are_no_timers() -> None:
    for function in (send_after, send_at, send_interval):
        with pytest.raises(NoNode):
            function(named("x"), "message", 1)


async def test_a_timer_to_a_handle_of_the_dead_is_no_error(node: Node) -> None:
    timer = send_after(ref(await dead()), "message", 1)
    await trio.sleep(2)
    assert read_timer(timer) is None
