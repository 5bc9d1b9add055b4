"""What an exception that leaves a process means."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import trio

from runtime import (
    Crashed,
    NoProcess,
    Pid,
    ProcessExit,
    exit,
    is_alive,
    open_node,
    spawn,
    wait_exit,
)
from runtime.crash_reasons import fatal_in, foreign_cancelled, leaves, reason_of, without_cancelled
from tests.support import a_cancelled


def nested(exc: BaseException, depth: int) -> BaseException:
    for _ in range(depth):
        exc = BaseExceptionGroup("one more", [exc])
    return exc


def test_an_exception_is_a_crash_and_a_process_exit_its_reason() -> None:
    """PROC-009, PROC-011."""
    error = ValueError("boom")
    assert reason_of(error) == Crashed(error)
    assert reason_of(ProcessExit("out")) == "out"


def test_a_group_is_kept_as_it_is() -> None:
    group = ExceptionGroup("x", [ValueError(), ExceptionGroup("y", [KeyError()])])
    assert without_cancelled(group) is group
    assert reason_of(group) == Crashed(group)


async def test_no_cancelled_is_left_however_deep_it_is() -> None:
    """Contract 4."""
    error = ValueError("kept")
    inner = BaseExceptionGroup("inner", [await a_cancelled(), error])
    kept = without_cancelled(BaseExceptionGroup("outer", [await a_cancelled(), inner]))
    assert kept is not None
    assert leaves(kept) == [error]


async def test_nothing_but_cancelled_is_the_crash_of_a_foreign_cancelled() -> None:
    cancelled = await a_cancelled()
    for exc in (cancelled, nested(cancelled, 3)):
        assert without_cancelled(exc) is None
        reason = reason_of(exc)
        assert isinstance(reason, Crashed)
        assert str(reason) == str(foreign_cancelled())


@pytest.mark.parametrize("depth", [0, 1, 5, 10_000])
def test_what_ends_the_program_is_found_however_deep_it_is(depth: int) -> None:
    for fatal in (KeyboardInterrupt(), SystemExit(3)):
        assert fatal_in(nested(fatal, depth)) is fatal
    assert fatal_in(nested(ValueError(), depth)) is None


def test_of_several_the_first_ends_the_program() -> None:
    first, second = SystemExit(1), KeyboardInterrupt()
    group = BaseExceptionGroup("x", [ValueError(), BaseExceptionGroup("y", [first]), second])
    assert fatal_in(group) is first


def test_the_leaves_of_a_group_come_in_order() -> None:
    one, two, three = ValueError(1), ValueError(2), ValueError(3)
    assert leaves(ExceptionGroup("x", [one, ExceptionGroup("y", [two]), three])) == [
        one,
        two,
        three,
    ]


class LyingGroup(ExceptionGroup[Exception]):
    """A group that does not let anybody see what is in it."""

    @property
    def exceptions(self) -> Any:
        raise ZeroDivisionError


class LyingError(ValueError):
    """An error that raises when it is asked what it is."""

    @property  # type: ignore[misc]
    def __class__(self) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        raise ZeroDivisionError

    def __eq__(self, other: object) -> bool:
        raise ZeroDivisionError

    def __hash__(self) -> int:
        raise ZeroDivisionError

    def __repr__(self) -> str:
        raise ZeroDivisionError


class LyingExit(ProcessExit):
    """An exit that does not say why."""

    def __init__(self) -> None:
        """Without a reason."""

    def __getattribute__(self, name: str) -> Any:
        raise ZeroDivisionError


ODD: Sequence[type[BaseException]] = (LyingGroup, LyingError, LyingExit)


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("in_finally", [False, True])
async def test_an_exception_that_lies_about_itself_hurts_its_own_process_only(
    monkeypatch: pytest.MonkeyPatch, odd: Any, in_finally: bool
) -> None:
    monkeypatch.setattr("sys.excepthook", lambda *_details: None)
    seen: list[object] = []

    async def body() -> None:
        try:
            if in_finally:
                await trio.sleep_forever()
        finally:
            raise odd("x", [ValueError()]) if odd is LyingGroup else odd()

    async def watches(pid: Pid) -> None:
        seen.append(type(await wait_exit(pid)))

    async def run() -> None:
        async with open_node(instruments=[]), trio.open_nursery() as nursery:
            sibling, pid = spawn(trio.sleep_forever), spawn(body)
            nursery.start_soon(watches, pid)
            await trio.sleep(1)
            exit(pid, "the signal")
            await trio.sleep(1)
            seen.append(is_alive(sibling))

    try:
        await run()
    except BaseException as exc:  # not shown: it lies to the test's report as well
        seen.append(f"{type(exc).__name__} left the node")
    assert seen in ([str if in_finally else Crashed, True], [NoProcess, True])
