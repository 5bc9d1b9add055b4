"""Exception groups and foreign ``Cancelled`` that leave a process."""

from __future__ import annotations

import pytest
import trio

from runtime import (
    CleanupFailed,
    Crashed,
    ExitReason,
    Node,
    ProcessCrashed,
    Shutdown,
    exit,
    is_alive,
    spawn,
    start,
    wait_exit,
)
from tests.conftest import Recorder
from tests.support import Scripted, a_cancelled, end_of, reason_of, stop_all


async def test_a_group_from_a_nursery_is_a_crash_of_that_process_and_of_nothing_else(
    node: Node,
) -> None:
    async def raises(error: Exception) -> None:
        raise error

    async def body() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(raises, ValueError("one"))
            nursery.start_soon(raises, KeyError("two"))

    sibling = spawn(trio.sleep_forever)
    reason = await reason_of(body)
    assert isinstance(reason, Crashed)
    assert isinstance(reason.exception, ExceptionGroup)
    assert {type(exc) for exc in reason.exception.exceptions} == {ValueError, KeyError}
    assert is_alive(sibling)
    await stop_all(sibling)


async def test_a_nursery_that_is_interrupted_is_no_crash(node: Node, events: Recorder) -> None:
    async def body() -> None:
        async with trio.open_nursery() as nursery:
            for _ in range(5):
                nursery.start_soon(trio.sleep_forever)

    pid = spawn(body)
    await trio.sleep(1)
    exit(pid, Shutdown())
    assert await wait_exit(pid) == Shutdown()
    assert events.of(CleanupFailed) == []
    assert events.of(ProcessCrashed) == []


async def test_a_foreign_cancelled_is_a_crash_and_is_not_stored(node: Node) -> None:
    """Contract 4: ``trio.Cancelled`` is never stored and never re-raised elsewhere."""

    async def body() -> None:
        raise await a_cancelled()

    sibling = spawn(trio.sleep_forever)
    reason = await reason_of(body)
    assert isinstance(reason, Crashed)
    assert isinstance(reason.exception, RuntimeError)
    assert is_alive(sibling)
    await stop_all(sibling)


async def test_a_group_of_nothing_but_foreign_cancelled_is_not_stored_either(node: Node) -> None:
    async def body() -> None:
        inner = BaseExceptionGroup("inner", [await a_cancelled()])
        raise BaseExceptionGroup("outer", [await a_cancelled(), inner])

    reason = await reason_of(body)
    assert isinstance(reason, Crashed)
    assert isinstance(reason.exception, RuntimeError)


async def test_a_foreign_cancelled_in_a_group_is_left_out_of_the_reason(node: Node) -> None:
    error = ValueError("the error")

    async def body() -> None:
        raise BaseExceptionGroup("mixed", [await a_cancelled(), error])

    reason = await reason_of(body)
    assert isinstance(reason, Crashed)
    assert isinstance(reason.exception, BaseExceptionGroup)
    assert reason.exception.exceptions == (error,)


@pytest.mark.parametrize("grouped", [False, True])
async def test_a_foreign_cancelled_during_an_exit_signal_changes_nothing(
    node: Node, events: Recorder, grouped: bool
) -> None:
    async def body() -> None:
        try:
            await trio.sleep_forever()
        finally:
            cancelled = await a_cancelled()
            raise BaseExceptionGroup("only", [cancelled]) if grouped else cancelled

    pid = spawn(body)
    await trio.sleep(1)
    exit(pid, "the signal")
    assert await wait_exit(pid) == "the signal"
    assert events.of(CleanupFailed) == []


async def test_a_foreign_cancelled_in_terminate_is_not_reported_as_one(
    node: Node, events: Recorder
) -> None:
    cancelled = await a_cancelled()

    def terminate(_server: Scripted, _reason: ExitReason) -> None:
        raise BaseExceptionGroup("only", [cancelled])

    server = await start(Scripted.child_spec(terminate=terminate))
    pid = server.pid
    exit(server, "the signal")
    await trio.sleep(1)
    assert end_of(events, pid) == "the signal"
    assert events.of(CleanupFailed) == []
