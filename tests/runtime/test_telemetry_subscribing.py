"""Instruments that come and go while a node runs."""

from __future__ import annotations

import pytest
import trio

from runtime import (
    Event,
    Instrument,
    Node,
    NoNode,
    ProcessEnded,
    ProcessStarted,
    add_instrument,
    log_reports,
    open_node,
    remove_instrument,
    spawn,
    wait_exit,
)
from tests.support import captured_logs


async def one_process() -> None:
    await wait_exit(spawn(trio.lowlevel.checkpoint))


async def test_it_hears_what_happens_from_then_on_until_it_is_removed(node: Node) -> None:
    told: list[Event] = []
    instrument = Instrument(told.append, (ProcessStarted, ProcessEnded))
    await one_process()
    add_instrument(instrument)
    await one_process()
    assert [type(event) for event in told] == [ProcessStarted, ProcessEnded]
    assert remove_instrument(instrument)
    await one_process()
    assert len(told) == 2
    assert not remove_instrument(instrument)


async def test_one_that_was_added_twice_is_told_twice_and_removed_once(node: Node) -> None:
    told: list[Event] = []
    instrument = Instrument(told.append, (ProcessStarted,))
    add_instrument(instrument)
    add_instrument(instrument)
    await one_process()
    assert len(told) == 2
    assert remove_instrument(instrument)
    await one_process()
    assert len(told) == 3


async def test_the_log_can_be_turned_off_and_on() -> None:
    async def crash() -> None:
        raise ValueError("meant")

    with captured_logs() as logs:
        async with open_node():
            assert remove_instrument(log_reports)
            await wait_exit(spawn(crash))
            assert logs == []
            add_instrument(log_reports)
            await wait_exit(spawn(crash))
    assert [line["event"] for line in logs] == ["process crashed"]


async def test_without_a_node_there_is_nothing_to_add_to() -> None:
    instrument = Instrument(print, ())
    with pytest.raises(NoNode):
        add_instrument(instrument)
    with pytest.raises(NoNode):
        remove_instrument(instrument)


async def test_what_is_no_instrument_is_refused(node: Node) -> None:
    with pytest.raises(TypeError, match=r"^instrument: got <built-in function print>, allowed is "):
        add_instrument(print)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
