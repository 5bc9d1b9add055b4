"""Reports as typed events, and the log's silence meanwhile."""

from __future__ import annotations

import pytest
import trio

from runtime import (
    Instrument,
    ProcessCrashed,
    ProcessEnded,
    ProcessStarted,
    open_node,
    spawn,
    wait_exit,
)
from runtime.testing import capture_reports
from tests.support import captured_logs


async def burn() -> None:
    raise ValueError("ash")


async def test_a_crash_is_an_event_and_not_logged() -> None:
    with captured_logs() as logged:
        async with open_node():
            with capture_reports() as reports:
                pid = spawn(burn)
                await wait_exit(pid)
            (crashed,) = reports.of(ProcessCrashed)
            assert crashed.pid is pid
            assert [type(event) for event in reports] == [
                ProcessStarted, ProcessCrashed, ProcessEnded,
            ]  # fmt: skip
            assert logged == []
            await wait_exit(spawn(burn))
            assert [line["event"] for line in logged] == ["process crashed"]
            assert len(reports) == 3


async def test_other_instruments_go_on() -> None:
    seen: list[object] = []
    async with open_node(instruments=[Instrument(seen.append, (ProcessCrashed,))]):
        with capture_reports() as reports:
            await wait_exit(spawn(burn))
        assert reports.of(ProcessCrashed) == seen
        with captured_logs() as logged:
            await wait_exit(spawn(burn))
            assert len(seen) == 2
            assert logged == []  # a log that was not there is not added


async def test_the_log_is_back_after_an_error() -> None:
    with captured_logs() as logged:
        async with open_node():
            with pytest.raises(OSError, match="x"), capture_reports():
                raise OSError("x")
            await wait_exit(spawn(burn))
            await trio.lowlevel.checkpoint()
    assert len(logged) == 1
