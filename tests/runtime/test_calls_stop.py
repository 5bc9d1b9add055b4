"""``stop``: after what is queued, and until the server is gone."""

from __future__ import annotations

from typing import Any

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from runtime import (
    CallExit,
    CallTimeout,
    Crashed,
    ExitReason,
    Killed,
    Node,
    NoProcess,
    Normal,
    ProcessExit,
    Ref,
    Shutdown,
    is_alive,
    kill,
    ref,
    spawn,
    start,
    wait_exit,
)
from tests.support import Ask, Do, Note, Scripted

BOOM = ValueError("boom")


async def slow(server: object, reason: object = None) -> None:
    await trio.sleep(3)


async def stop_error(server: Ref, reason: ExitReason = "asked") -> CallExit:
    with pytest.raises(CallExit) as caught:
        await server.stop(reason)
    return caught.value


@pytest.mark.parametrize(
    "reason",
    [Normal(), Shutdown(), Shutdown("x"), "own", Killed(), "kill", NoProcess(), Crashed(BOOM), 0],
)
async def test_stop_with_a_reason(node: Node, reason: ExitReason) -> None:
    """GEN-079: ``Killed()`` as a plain reason is one like any other, so ``terminate`` runs."""
    log: list[Any] = []
    ended: list[ExitReason] = []
    server = await start(Scripted.child_spec(log))
    async with trio.open_nursery() as nursery:

        @nursery.start_soon
        async def watch() -> None:
            ended.append(await wait_exit(server))

        await trio.sleep(1)
        await server.stop(reason)
    assert log == [("terminate", reason)]
    assert ended == [reason]


async def test_its_errors_speak_of_stop(node: Node) -> None:
    server = await start(Scripted.child_spec(terminate=slow))
    with pytest.raises(CallTimeout) as late:
        await server.stop(timeout=1)
    assert str(late.value) == f"stop() to {server!r}: no reply within 1 s"
    await wait_exit(server)
    error = await stop_error(server)
    assert str(error) == f"stop() to {server!r}: it has ended; a handle by name follows restarts"


@pytest.mark.parametrize("junk", [None, Normal, Killed, BOOM])
async def test_what_is_no_reason_is_refused(node: Node, junk: Any) -> None:
    """DESIGN 3.9."""
    server = await start(Scripted.child_spec())
    with pytest.raises(TypeError, match="reason: got"):
        await server.stop(junk)
    assert is_alive(server)


@pytest.mark.parametrize("seconds", [-1, float("nan"), None, "5"])
async def test_a_wrong_timeout_is_refused(node: Node, seconds: Any) -> None:
    server = await start(Scripted.child_spec())
    with pytest.raises((TypeError, ValueError), match="timeout: got"):
        await server.stop(timeout=seconds)
    await trio.sleep(1)
    assert is_alive(server)


async def test_what_was_queued_before_is_handled_first(node: Node) -> None:
    """GEN-080. What came after it is not."""
    log: list[Any] = []
    server = await start(Scripted.child_spec(log))

    async def busy(one: object) -> None:
        await trio.sleep(2)

    server.cast(Do(busy))
    server.send(Note(text="before"))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(server.stop)
        await trio.sleep(1)
        server.send(Note(text="after"))
    assert log == [("info", Note(text="before")), ("terminate", Normal())]


@pytest.mark.parametrize("style", ["def", "async"])
@pytest.mark.parametrize(
    ("fault", "reason"),
    [(BOOM, Crashed(BOOM)), (ProcessExit("other"), "other"), (ProcessExit(Normal()), Normal())],
)
async def test_a_terminate_that_fails_is_the_exit(
    node: Node, style: str, fault: BaseException, reason: ExitReason
) -> None:
    """GEN-081, GEN-082."""

    def fail(one: object, why: object) -> None:
        raise fault

    async def fail_later(one: object, why: object) -> None:
        await trio.sleep(1)
        raise fault

    server = await start(Scripted.child_spec(terminate=fail if style == "def" else fail_later))
    error = await stop_error(server)
    assert error.reason == reason
    assert error.__cause__ is (BOOM if fault is BOOM else None)


async def test_a_stop_that_is_cancelled_stands(node: Node) -> None:
    server = await start(Scripted.child_spec(terminate=slow))
    with trio.move_on_after(1):
        await server.stop()
    assert is_alive(server)
    await trio.sleep(3)
    assert not is_alive(server)


async def test_a_stop_behind_a_busy_handler_times_out_too(node: Node) -> None:
    """The timeout covers the wait in the queue."""
    server = await start(Scripted.child_spec())
    server.cast(Do(slow))
    with pytest.raises(CallTimeout):
        await server.stop(timeout=1)
    await trio.sleep(5)
    assert not is_alive(server), "and it is in the queue still"


async def test_twenty_stops_in_one_tick_end_the_server_once(node: Node) -> None:
    log: list[Any] = []
    server = await start(Scripted.child_spec(log))
    await wait_all_tasks_blocked()
    async with trio.open_nursery() as nursery:
        for _ in range(20):
            nursery.start_soon(server.stop)
    assert log == [("terminate", Normal())]


async def test_a_server_killed_in_terminate(node: Node) -> None:
    """GEN-087."""
    log: list[Any] = []

    async def last_words(one: object, reason: object) -> None:
        await trio.sleep_forever()

    server = await start(Scripted.child_spec(log, terminate=last_words))
    async with trio.open_nursery() as nursery:

        @nursery.start_soon
        async def stopper() -> None:
            assert (await stop_error(server)).reason == Killed()

        await trio.sleep(1)
        kill(server)
    assert log == [("terminate", "asked")]


async def test_a_server_that_crashes_before_its_turn_to_stop(node: Node) -> None:
    server = await start(Scripted.child_spec())

    async def fail(one: object) -> None:
        await trio.sleep(1)
        raise BOOM

    server.cast(Do(fail))
    error = await stop_error(server, Normal())
    assert error.reason == Crashed(BOOM)
    assert error.__cause__ is BOOM


async def test_who_waits_behind_a_stop_gets_its_reason(node: Node) -> None:
    server = await start(Scripted.child_spec(terminate=slow))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(server.stop, "asked")
        await trio.sleep(1)
        with pytest.raises(CallExit) as caught:
            await server.call(Ask(lambda one, reply_to: "never"))
    assert caught.value.reason == "asked"


async def test_a_plain_process_is_stopped_by_a_signal(node: Node) -> None:
    """Documented: it has no queue that a stop could wait in."""
    pid = spawn(trio.sleep_forever)
    await ref(pid).stop()
    assert not is_alive(pid)

    async def lingers() -> None:
        with trio.CancelScope(shield=True):
            await trio.sleep(3)

    pid = spawn(lingers)
    await trio.sleep(1)
    with pytest.raises(CallTimeout):
        await ref(pid).stop("asked", timeout=1)
    with pytest.raises(CallExit) as caught:
        await ref(pid).stop("too late")
    assert caught.value.reason == "asked"


async def test_messages_that_arrive_in_terminate_vanish(node: Node) -> None:
    log: list[Any] = []
    server = await start(Scripted.child_spec(log, terminate=slow))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(server.stop)
        await trio.sleep(1)
        server.send("too late")
        server.cast(Do(lambda one: log.append("too late")))
    assert log == [("terminate", Normal())]
