"""Steps: run at once as long as callbacks are plain, and a coroutine for the rest."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, cast

import pytest
import trio
from trio.lowlevel import currently_ki_protected

from runtime import Stop
from runtime.stages.steps import Performed, Steps, perform
from runtime.user_code import call_user


async def later(value: object) -> object:
    await trio.lowlevel.checkpoint()
    return value


async def fails() -> object:
    await trio.lowlevel.checkpoint()
    raise OSError("disk")


async def performed(steps: Steps) -> Stop | None:
    """What comes of the steps, at once or not."""
    result = perform(steps)
    if result is None or isinstance(result, Stop):
        return result
    return await cast("Coroutine[Any, Any, Stop | None]", result)


def summed(log: list[Any], *values: Any) -> Steps:
    try:
        for value in values:
            sent = yield value
            log.append(sent)
    finally:
        log.append("closed")
    return Stop(sum(log[:-1]))


def test_plain_results_are_sent_back_at_once() -> None:
    log: list[Any] = []
    assert perform(summed(log, 1, 2)) == Stop(3)
    assert log == [1, 2, "closed"]


def test_no_steps_at_all() -> None:
    log: list[Any] = []
    assert perform(summed(log)) == Stop(0)


@pytest.mark.parametrize("at", [(0,), (1,), (2,), (0, 2), (0, 1, 2)])
async def test_what_must_be_awaited_is_awaited_in_its_place(at: tuple[int, ...]) -> None:
    log: list[Any] = []
    values = [later(number) if number in at else number for number in range(3)]
    result = perform(summed(log, *values))
    assert log == list(range(at[0])), "up to there it has run"
    assert await cast("Coroutine[Any, Any, Stop | None]", result) == Stop(3)
    assert log == [0, 1, 2, "closed"]


def test_what_is_raised_between_the_callbacks_goes_on() -> None:
    def steps() -> Steps:
        yield 1
        raise OSError("disk")

    with pytest.raises(OSError, match=r"^disk$"):
        perform(steps())


async def test_what_is_raised_by_what_is_awaited_goes_on_and_closes_the_steps() -> None:
    log: list[Any] = []
    with pytest.raises(OSError, match=r"^disk$"):
        await performed(summed(log, 1, fails(), 2))
    assert log == [1, "closed"]


async def test_so_does_a_cancellation() -> None:
    log: list[Any] = []
    with trio.CancelScope() as scope:
        scope.cancel()
        await performed(summed(log, later(1)))
    assert (log, scope.cancelled_caught) == (["closed"], True)


@pytest.mark.parametrize("awaits", [False, True])
async def test_ctrl_c_strikes_in_the_users_code_alone(awaits: bool) -> None:
    seen: list[bool] = []

    def asked() -> object:
        seen.append(currently_ki_protected())
        return asked_later() if awaits else None

    async def asked_later() -> None:
        seen.append(currently_ki_protected())
        await trio.lowlevel.checkpoint()
        seen.append(currently_ki_protected())

    def steps() -> Steps:
        seen.append(currently_ki_protected())
        yield call_user(asked)
        seen.append(currently_ki_protected())
        yield call_user(asked)
        return None

    result: Performed = await performed(steps())
    assert result is None
    theirs = [False] * (3 if awaits else 1)
    assert seen == [True, *theirs, True, *theirs]
