"""A start that takes too long, is cancelled, or whose starter ends meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import trio

from runtime import (
    ChildSpec,
    Exit,
    Node,
    ProcessStarted,
    StartError,
    StartTimeout,
    is_alive,
    processes,
    start,
    start_link,
)
from tests.conftest import Recorder
from tests.runtime.starting import exits, slow
from tests.support import Scripted, in_process


async def test_a_start_that_takes_too_long_is_killed_and_leaves_no_message(node: Node) -> None:
    """GEN-015."""
    log: list[Any] = []

    async def starter() -> None:
        with pytest.raises(StartTimeout, match=r"Scripted was not up within 0.02 s") as caught:
            await start_link(Scripted.child_spec(log, init=slow(0.3)), timeout=0.02)
        assert caught.value.timeout == 0.02
        assert isinstance(caught.value, TimeoutError | StartError)
        assert len(processes()) == 1, "it is gone when the error arrives"
        assert await exits() == []

    await in_process(starter, trap=True)
    assert log == ["init begins"]


async def test_an_init_that_is_done_in_time_beats_the_timeout(node: Node) -> None:
    server = await start(Scripted.child_spec(init=slow(0.01)), timeout=0.02)
    await trio.sleep(1)
    assert is_alive(server)


async def test_init_and_timeout_in_the_same_tick_end_in_one_of_the_two(node: Node) -> None:
    """Never a server that nobody knows of, and never a starter that hears of neither."""
    for _ in range(50):
        before = len(processes())
        try:
            server = await start(Scripted.child_spec(init=slow(1)), timeout=1)
        except StartTimeout:
            assert len(processes()) == before
        else:
            assert is_alive(server)


@pytest.mark.parametrize("how", [start, start_link])
async def test_a_cancelled_start_leaves_nothing_behind(
    node: Node, how: Callable[[ChildSpec], Any]
) -> None:
    """DESIGN 3.6: the cancellation arrives when the process is really gone."""
    log: list[Any] = []

    async def init(server: Scripted) -> None:
        try:
            await trio.sleep_forever()
        finally:
            log.append("cleaned up")

    async def starter() -> list[Exit]:
        with trio.move_on_after(1) as scope:
            await how(Scripted.child_spec(init=init).replace(name="late"))
        assert scope.cancelled_caught
        assert (log, len(processes())) == (["cleaned up"], 1)
        return await exits()

    assert await in_process(starter, trap=True) == []


async def test_a_start_in_a_cancelled_scope_starts_nothing(node: Node, events: Recorder) -> None:
    with trio.CancelScope() as scope:
        scope.cancel()
        await Scripted.start()
    assert scope.cancelled_caught
    assert events.of(ProcessStarted) == []


@pytest.mark.parametrize("seconds", [-1, float("nan"), "5", None, True])
async def test_a_wrong_timeout_is_refused_before_anything_starts(node: Node, seconds: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="timeout: got"):
        await start(Scripted.child_spec(), timeout=seconds)
    assert processes() == []
