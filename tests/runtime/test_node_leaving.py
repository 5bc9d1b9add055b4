"""How a node is left: by an exception, a cancellation, or a fatal error in a process."""

from __future__ import annotations

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from runtime import Crashed, ProcessEnded, open_node, spawn
from runtime.current import node_is_open
from tests.conftest import Recorder
from tests.runtime.ending import note_end


async def test_an_exception_of_the_body_leaves_as_itself_after_the_shutdown() -> None:
    """Contract 6: unwrapped."""
    log: list[str] = []
    error = ValueError("mine")
    with pytest.raises(ValueError, match="mine") as caught:
        async with open_node():
            spawn(note_end, log, "a", 1)
            await wait_all_tasks_blocked()
            raise error
    assert caught.value is error
    assert (error.__cause__, error.__context__) == (None, None)
    assert log == ["a"]


async def test_a_cancelled_body_stops_the_processes_in_order_then_propagates() -> None:
    log: list[str] = []
    steps: list[str] = []
    with trio.move_on_after(1) as patience:
        try:
            async with open_node():
                for tag in "ab":
                    spawn(note_end, log, tag, 2)
                await trio.sleep_forever()
        except trio.Cancelled:
            steps.append("cancelled")
            raise
    assert patience.cancelled_caught
    assert (log, steps) == (["b", "a"], ["cancelled"])
    assert trio.current_time() == 5


async def test_a_cancellation_while_it_stops_does_not_hurry_it() -> None:
    log: list[str] = []
    with trio.move_on_after(1):
        async with open_node():
            for tag in "ab":
                spawn(note_end, log, tag, 2)
            await wait_all_tasks_blocked()
    assert log == ["b", "a"]
    assert trio.current_time() == 4


async def test_an_error_of_the_body_survives_a_cancellation_while_it_stops() -> None:
    error = ValueError("mine")
    with trio.move_on_after(1):
        with pytest.raises(ValueError, match="mine") as caught:
            async with open_node():
                spawn(note_end, [], "a", 2)
                await wait_all_tasks_blocked()
                raise error
        assert caught.value is error


async def test_one_entered_when_cancelled_is_not_opened() -> None:
    with trio.CancelScope() as scope:
        scope.cancel()
        async with open_node():
            pytest.fail("the body ran")
    assert scope.cancelled_caught
    assert not node_is_open()


@pytest.mark.parametrize("ticks", range(6))
async def test_one_cancelled_at_any_step_of_its_start_leaves_nothing(ticks: int) -> None:
    scope = trio.CancelScope()

    async def canceller() -> None:
        for _ in range(ticks):
            await trio.lowlevel.checkpoint()
        scope.cancel()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(canceller)
        with scope:
            async with open_node():
                await trio.sleep_forever()
    assert scope.cancelled_caught
    assert not node_is_open()


@pytest.mark.parametrize("error", [KeyboardInterrupt("stop"), SystemExit(3)])
async def test_a_fatal_error_in_a_process_ends_the_node_in_order_and_leaves_as_itself(
    error: BaseException,
) -> None:
    """Contract 4."""
    log: list[str] = []
    events = Recorder()

    async def rogue() -> None:
        await trio.sleep(1)
        raise error

    with pytest.raises(type(error)) as caught:
        async with open_node(instruments=[events.instrument]):
            spawn(note_end, log, "a", 1)
            spawn(rogue)
            spawn(note_end, log, "b", 1)
            await trio.sleep_forever()
    assert caught.value is error
    assert log == ["b", "a"]
    assert Crashed(error) in [one.reason for one in events.of(ProcessEnded)]
    assert trio.current_time() == 3


async def test_the_first_fatal_error_is_the_one_that_leaves() -> None:
    first, second = KeyboardInterrupt("first"), SystemExit("second")

    async def late() -> None:
        try:
            await trio.sleep_forever()
        finally:
            raise second

    async def rogue() -> None:
        raise first

    with pytest.raises(KeyboardInterrupt) as caught:
        async with open_node(instruments=[]):
            spawn(late)
            await wait_all_tasks_blocked()
            spawn(rogue)
            await trio.sleep_forever()
    assert caught.value is first


async def test_a_fatal_error_while_the_node_stops_is_not_lost() -> None:
    error = KeyboardInterrupt()

    async def late() -> None:
        try:
            await trio.sleep_forever()
        finally:
            raise error

    with pytest.raises(KeyboardInterrupt) as caught:
        async with open_node(instruments=[]):
            spawn(late)
            await wait_all_tasks_blocked()
    assert caught.value is error
