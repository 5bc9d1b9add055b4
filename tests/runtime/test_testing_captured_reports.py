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
from runtime.testing import Reports, capture_reports
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


@pytest.mark.parametrize("first", [0, 1])
async def test_the_log_is_back_when_the_last_block_is_left(first: int) -> None:
    with captured_logs() as logged:
        async with open_node():
            blocks = [capture_reports(), capture_reports()]
            reports = [block.__enter__() for block in blocks]
            blocks.pop(first).__exit__(None, None, None)
            await wait_exit(spawn(burn))
            assert logged == []
            assert [len(one.of(ProcessCrashed)) for one in reports] == [first, 1 - first]
            blocks.pop().__exit__(None, None, None)
            await wait_exit(spawn(burn))
            assert [line["event"] for line in logged] == ["process crashed"]


async def test_a_node_without_a_log_has_none_after_blocks_within_each_other() -> None:
    with captured_logs() as logged:
        async with open_node(instruments=[]):
            with capture_reports(), capture_reports():
                pass
            await wait_exit(spawn(burn))
    assert logged == []


async def test_the_log_is_back_after_an_error() -> None:
    with captured_logs() as logged:
        async with open_node():
            with pytest.raises(OSError, match="x"), capture_reports():
                raise OSError("x")
            await wait_exit(spawn(burn))
            await trio.lowlevel.checkpoint()
    assert len(logged) == 1


@pytest.mark.parametrize("kind", [None, "ProcessCrashed", ValueError, ProcessCrashed | None])
def test_only_a_class_of_events_can_be_asked_for(kind: type[ProcessCrashed]) -> None:
    with pytest.raises(TypeError, match=r"^kind: got .+, allowed is a class of events such as"):
        Reports().of(kind)
