"""How a process ends, and that its end hurts nobody it is not linked to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest
import trio

from runtime import (
    Call,
    CallExit,
    CleanupFailed,
    Down,
    Instrument,
    Killed,
    Node,
    Normal,
    ProcessCrashed,
    ProcessEnded,
    ProcessExit,
    Shutdown,
    exit,
    is_alive,
    kill,
    monitor,
    receive,
    self_,
    send,
    spawn,
    trap_exits,
    wait_exit,
    whereis,
)
from runtime.process import table_var
from tests.conftest import Recorder
from tests.support import end_of, in_process, reason_of


class Get(Call[int]):
    """Asked of nobody."""


async def test_process_exit_passes_except_exception(node: Node) -> None:
    """PROC-011."""

    async def body() -> None:
        try:
            raise ProcessExit("out")
        except Exception:
            pytest.fail("ProcessExit is no Exception")

    assert await reason_of(body) == "out"


async def test_process_exit_can_be_caught_by_name_and_the_process_lives_on(node: Node) -> None:
    """PROC-012."""

    async def body() -> str:
        with pytest.raises(ProcessExit, match="out"):
            raise ProcessExit("out")
        await trio.sleep(1)
        return "alive"

    assert await in_process(body) == "alive"


@pytest.mark.parametrize("slip", [None, ValueError("x"), Shutdown])
async def test_process_exit_refuses_what_is_no_reason(node: Node, slip: object) -> None:
    with pytest.raises(TypeError, match=r"^reason: got "):
        ProcessExit(slip)


async def test_the_death_is_told_when_the_task_has_really_ended(node: Node) -> None:
    """PROC-013 and the trap about clean-up. differs: clean-up runs, and dead means ended."""
    log: list[str] = []

    async def body() -> None:
        try:
            await trio.sleep_forever()
        finally:
            with trio.CancelScope(shield=True):
                await trio.sleep(3)
            assert whereis("slow") == self_()
            assert is_alive(self_())
            log.append("cleaned up")

    async def watcher() -> None:
        monitor(pid)
        await receive(Down, timeout=10)
        log.append("down")

    pid = spawn(body, name="slow")
    watching = spawn(watcher)
    await trio.sleep(1)
    exit(pid, Shutdown())
    await trio.sleep(1)
    assert is_alive(pid)
    await wait_exit(watching)
    assert log == ["cleaned up", "down"]
    assert not is_alive(pid)


async def swallow() -> None:
    with suppress(trio.Cancelled):
        await trio.sleep_forever()


async def raise_something_else() -> None:
    try:
        await trio.sleep_forever()
    finally:
        raise ValueError("in finally")


async def exit_with_something_else() -> None:
    try:
        await trio.sleep_forever()
    finally:
        raise ProcessExit("other")


@pytest.mark.parametrize("body", [swallow, raise_something_else, exit_with_something_else])
async def test_the_signal_is_the_reason_whatever_the_body_does_with_its_cancellation(
    node: Node, body: Callable[[], Awaitable[None]]
) -> None:
    """PROC-019, contract 4."""
    pid = spawn(body)
    await trio.sleep(1)
    exit(pid, "the signal")
    assert await wait_exit(pid) == "the signal"


async def test_an_error_in_finally_during_an_exit_signal_is_reported(
    node: Node, events: Recorder
) -> None:
    pid = spawn(raise_something_else)
    await trio.sleep(1)
    exit(pid, "the signal")
    await wait_exit(pid)
    (failed,) = events.of(CleanupFailed)
    assert (failed.pid, failed.reason, str(failed.exception)) == (pid, "the signal", "in finally")


async def test_of_several_signals_the_first_counts_but_a_kill_overrides(
    node: Node, events: Recorder
) -> None:
    """PROC-039."""

    async def stubborn() -> None:
        with trio.CancelScope(shield=True):
            await trio.sleep(10)

    first, killed = spawn(stubborn), spawn(stubborn)
    await trio.sleep(1)
    for pid in (first, killed):
        exit(pid, "first")
        exit(pid, "second")
    kill(killed)
    kill(killed)
    exit(killed, "third")
    await trio.sleep(20)
    assert [end_of(events, first), end_of(events, killed)] == ["first", Killed()]


async def test_a_process_signalled_before_its_first_step_never_runs(
    node: Node, events: Recorder
) -> None:
    ran: list[str] = []

    async def body() -> None:
        ran.append("ran")

    pids = [spawn(body) for _ in range(3)]
    exit(pids[0], "early")
    kill(pids[1])
    exit(pids[2], Normal())
    await trio.sleep(1)
    assert [end_of(events, pid) for pid in pids] == ["early", Killed(), Normal()]
    assert ran == ["ran"]


async def test_a_process_that_is_cancelled_from_inside_by_its_own_scope_lives_on(
    node: Node,
) -> None:
    async def body() -> str:
        with trio.move_on_after(1):
            await trio.sleep_forever()
        with pytest.raises(trio.TooSlowError):
            with trio.fail_after(1):
                await receive()
        return "alive"

    assert await in_process(body) == "alive"


async def test_names_are_free_before_anybody_hears_of_the_death(
    node: Node, events: Recorder
) -> None:
    """PROC-063, and the trap about the name table."""
    seen: list[tuple[str, object]] = []

    async def holder() -> None:
        await receive()
        raise ValueError("boom")

    async def watcher() -> None:
        trap_exits()
        monitor(pid)
        await receive(Down)
        seen.append(("down", whereis("holder")))

    def hook(event: object) -> None:
        if isinstance(event, ProcessEnded) and event.name == "holder":
            seen.append(("event", table_var.get().by_name.get("holder")))

    pid = spawn(holder, name="holder")
    watching = spawn(watcher)
    await trio.sleep(1)
    node.instruments.add(Instrument(hook, (ProcessEnded,)))
    send(pid, "go")
    await wait_exit(watching)
    assert seen == [("event", None), ("down", None)]


async def test_a_dead_process_is_told_once_and_completely(node: Node, events: Recorder) -> None:
    async def body() -> None:
        await receive()
        send(self_(), "left over")
        raise ValueError("boom")

    pid = spawn(body, name="victim")
    send(pid, "go")
    await wait_exit(pid)
    (crashed,) = events.of(ProcessCrashed)
    (ended,) = events.of(ProcessEnded)
    assert (crashed.pid, crashed.name, crashed.handled) == (pid, "victim", 1)
    assert (crashed.last_message, crashed.mailbox_length) == ("'go'", 1)
    assert crashed.state is None
    assert ended == ProcessEnded(pid, "victim", crashed.reason)
    assert events[-2:] == [crashed, ended]


async def test_normal_and_shutdown_are_no_crash(node: Node, events: Recorder) -> None:
    async def body() -> None:
        raise ProcessExit(Shutdown("done"))

    await reason_of(body)
    assert events.of(ProcessCrashed) == []
    assert [event.reason for event in events.of(ProcessEnded)] == [Shutdown("done")]


async def test_a_reason_that_cannot_be_compared_and_a_call_exit_in_the_clean_up(
    node: Node, events: Recorder
) -> None:
    class Incomparable:
        __hash__ = None  # type: ignore[assignment]

        def __eq__(self, other: object) -> bool:
            raise ValueError("no truth value")

    async def body() -> None:
        try:
            await trio.sleep_forever()
        finally:
            raise CallExit("elsewhere", None, Get())

    reason = Incomparable()
    pid, bystander = spawn(body), spawn(trio.sleep_forever)
    await trio.testing.wait_all_tasks_blocked()
    exit(pid, reason)
    assert await wait_exit(pid) is reason
    assert is_alive(bystander)
    (failed,) = events.of(CleanupFailed)
    assert failed.reason is reason
    kill(bystander)
