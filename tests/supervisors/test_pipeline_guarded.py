"""What a callback did: it returned, or why not; a cancellation is nobody's failure."""

from __future__ import annotations

import pytest
import trio
import trio.testing

from runtime import (
    Crashed,
    Exited,
    ExitReason,
    Node,
    Ok,
    ProcessExit,
    Shutdown,
    exit,
    spawn,
    wait_exit,
)
from supervisors.pipeline.guarded import guarded, is_cancellation
from tests.support import a_cancelled, in_process


async def double(number: int) -> int:
    await trio.sleep(1)
    return number * 2


async def test_what_is_returned_by_def_and_async_def() -> None:
    assert await guarded(lambda number: number + 1, 2) == Ok(3)
    assert await guarded(double, 2) == Ok(4)


async def test_what_is_raised_by_def_and_async_def() -> None:
    error = ValueError("no")

    def at_once() -> int:
        raise error

    async def later() -> int:
        await trio.sleep(1)
        raise error

    assert await guarded(at_once) == Exited(Crashed(error))
    assert await guarded(later) == Exited(Crashed(error))


async def test_a_group_of_errors_is_one_reason() -> None:
    async def fails() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.sleep_forever)
            raise ValueError("no")

    outcome = await guarded(fails)
    assert isinstance(outcome, Exited)
    assert isinstance(outcome.reason, Crashed)
    assert isinstance(outcome.reason.exception, ExceptionGroup)


async def test_an_exit_within_a_callback_is_the_reason_it_gives(node: Node) -> None:
    def leaves() -> None:
        raise ProcessExit(Shutdown("enough"))

    async def body() -> Ok[None] | Exited[None]:
        return await guarded(leaves)

    assert await in_process(body) == Exited(Shutdown("enough"))


async def test_a_cancellation_goes_on() -> None:
    outcomes: list[object] = []
    with trio.move_on_after(1) as scope:
        outcomes.append(await guarded(trio.sleep_forever))
    assert scope.cancelled_caught
    assert outcomes == []


async def test_a_cancellation_goes_on_with_the_errors_that_came_of_it() -> None:
    async def with_an_error() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.sleep_forever)
            try:
                await trio.sleep_forever()
            finally:
                raise ValueError("while it is cancelled")

    outcomes: list[object] = []
    with pytest.RaisesGroup(ValueError), trio.move_on_after(1):
        outcomes.append(await guarded(with_an_error))
    assert outcomes == []


@pytest.mark.parametrize("fatal", [KeyboardInterrupt, SystemExit])
async def test_what_ends_the_program_goes_on(fatal: type[BaseException]) -> None:
    def at_once() -> None:
        raise fatal

    with pytest.raises(fatal):
        await guarded(at_once)


async def test_a_cancellation_beside_errors_is_one() -> None:
    cancelled = await a_cancelled()
    assert is_cancellation(cancelled)
    assert is_cancellation(BaseExceptionGroup("", [ValueError(), cancelled]))
    assert not is_cancellation(ExceptionGroup("", [ValueError()]))
    reason: ExitReason = Crashed(ValueError())
    assert not is_cancellation(ValueError(reason))


async def test_whatever_is_raised_by_who_is_told_to_end_goes_on(node: Node) -> None:
    """A cancellation that a callback turns into an error is still a cancellation."""
    outcomes: list[object] = []

    async def turns() -> None:
        try:
            await trio.sleep_forever()
        except trio.Cancelled:
            raise ValueError("turned") from None

    async def body() -> None:
        outcomes.append(await guarded(turns))

    pid = spawn(body)
    await trio.testing.wait_all_tasks_blocked()
    exit(pid, Shutdown("told"))
    assert await wait_exit(pid) == Shutdown("told")
    assert outcomes == []
