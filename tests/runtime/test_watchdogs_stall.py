"""The thread that notices a loop that stands still: when it tells, and what."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable
from types import SimpleNamespace

import pytest
import trio
import trio.testing

from runtime import Event, Instrument, LoopStalled, Node, open_node, spawn, start, wait_exit
from runtime.process import Process, table_var
from runtime.process_table import ProcessTable
from runtime.watchdogs import stall as module
from runtime.watchdogs.stacks import Doing, what_runs
from runtime.watchdogs.stall import StallWatch
from tests.conftest import Recorder
from tests.runtime.stalling import elsewhere
from tests.support import Ask, Scripted, stop_all

PATIENCE = 60.0


@pytest.fixture
def told() -> list[LoopStalled]:
    return []


@pytest.fixture
async def watch(node: Node, told: list[LoopStalled]) -> StallWatch:
    """One that is asked to look by the test, and puts up with nothing."""
    return StallWatch(table_var.get(), 0.0, told.append)


def stalls(events: Recorder) -> list[LoopStalled]:
    return [event for event in events if isinstance(event, LoopStalled)]


async def handle(fn: Callable[[], object]) -> object:
    """Run ``fn`` in a handler of the server ``shop``."""
    ref = await start(Scripted.child_spec().replace(name="shop"))
    try:
        return await ref.call(Ask(lambda *_: fn()))
    finally:
        await stop_all(ref)


async def test_a_stall_is_told_once_with_process_handler_and_line(
    watch: StallWatch, events: Recorder, told: list[LoopStalled]
) -> None:
    def stuck() -> object:
        elsewhere(watch.look)  # asks
        assert stalls(events) == []
        elsewhere(watch.look)
        elsewhere(watch.look)
        assert told == []  # the loop cannot
        return stalls(events)

    found = await handle(stuck)
    await trio.testing.wait_all_tasks_blocked()
    assert found == told == stalls(events)
    (event,) = told
    assert event.pid is not None
    assert (event.pid.label, event.name) == ("shop", "shop")
    assert event.handler == "Scripted.handle_call"
    assert event.seconds > 0
    first = inspect.getsourcelines(Scripted.handle_call)[1] + 1
    assert event.stack.startswith(
        f"{inspect.getfile(Scripted)}:{first} Scripted.handle_call\n{__file__}:"
    )
    file, _, line = (event.line or "").rpartition(":")
    assert file == inspect.getfile(elsewhere)
    assert int(line) == inspect.getsourcelines(elsewhere)[1] + 4


async def test_the_next_stall_is_told_again(watch: StallWatch, told: list[LoopStalled]) -> None:
    for _ in range(3):
        await handle(lambda: [elsewhere(watch.look) for _ in range(4)])
        await trio.testing.wait_all_tasks_blocked()
    assert len(told) == 3


async def test_a_loop_that_turns_is_only_asked(watch: StallWatch, events: Recorder) -> None:
    for _ in range(5):
        elsewhere(watch.look)
        await trio.testing.wait_all_tasks_blocked()
    assert stalls(events) == []


async def test_what_takes_less_than_the_limit_is_not_told(
    node: Node, events: Recorder, told: list[LoopStalled]
) -> None:
    watch = StallWatch(table_var.get(), PATIENCE, told.append)
    await handle(lambda: [elsewhere(watch.look) for _ in range(4)])
    assert stalls(events) == []


async def test_one_that_is_over_while_it_is_looked_at_is_not_told(
    watch: StallWatch, events: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the loop does by then may be something else."""

    def too_late(table: ProcessTable[Process]) -> Doing:
        doing = what_runs(table)
        assert doing.places
        table.pulse.asked_at = None
        return doing

    monkeypatch.setattr(module, "what_runs", too_late)
    await handle(lambda: [elsewhere(watch.look) for _ in range(2)])
    assert stalls(events) == []


async def test_a_loop_that_is_about_to_wake_up_is_not_told_but_looked_at_again(
    watch: StallWatch, events: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [Doing(None, ())]
    monkeypatch.setattr(
        module, "what_runs", lambda table: found.pop() if found else what_runs(table)
    )
    await handle(lambda: [elsewhere(watch.look) for _ in range(2)])
    assert stalls(events) == []
    await handle(lambda: [elsewhere(watch.look) for _ in range(3)])
    assert len(stalls(events)) == 1


def test_a_loop_that_has_ended_by_then_is_not_told() -> None:
    told: list[LoopStalled] = []
    watches: list[StallWatch] = []

    async def main() -> None:
        async with open_node(instruments=[]):
            watches.append(StallWatch(table_var.get(), 0.0, told.append))

    trio.run(main)
    for _ in range(2):
        watches[0].look()
    assert told == []


# ---------------------------------------------------------------------- the thread


@pytest.mark.real_clock
async def test_the_thread_tells_while_the_loop_is_still_stuck(node: Node) -> None:
    heard, told = threading.Event(), trio.Event()
    events: list[Event] = []

    def hear(event: Event) -> None:
        events.append(event)
        heard.set()

    node.instruments.add(Instrument(hear, (LoopStalled,)))
    watch = StallWatch(table_var.get(), 0.02, lambda event: told.set())

    async def stuck() -> None:
        assert heard.wait(PATIENCE)

    async with watch.running():
        pid = spawn(stuck)
        await wait_exit(pid)
        await told.wait()
    event = events[0]
    assert isinstance(event, LoopStalled)
    assert event.pid is pid
    assert (event.handler or "").endswith("stuck")
    assert event.seconds >= 0.02


@pytest.mark.real_clock
async def test_the_thread_has_ended_when_the_block_has(node: Node) -> None:
    inside: list[str] = []
    running = trio.Event()
    token = trio.lowlevel.current_trio_token()

    class Noting(StallWatch):
        def look(self) -> None:
            inside.append(threading.current_thread().name)
            token.run_sync_soon(running.set)

    watch = Noting(table_var.get(), 0.02, lambda event: None)
    async with watch.running():
        await running.wait()
    seen = len(inside)
    assert set(inside) == {"trio-otp watchdog"}
    assert watch._closing.is_set()
    await trio.to_thread.run_sync(threading.Event().wait, 0.05)
    assert len(inside) == seen


@pytest.mark.real_clock
async def test_a_cancelled_block_ends_its_thread_as_well(node: Node) -> None:
    watch = StallWatch(table_var.get(), 30.0, lambda event: None)
    with trio.CancelScope() as scope:
        async with watch.running():
            await trio.testing.wait_all_tasks_blocked()
            scope.cancel()
            await trio.sleep_forever()
    assert scope.cancelled_caught
    assert watch._closing.is_set()


class Hand:
    """The clocks of the thread, and its sleep: each entry is how long it overslept, and how much
    the loop has computed meanwhile."""

    def __init__(self, naps: list[tuple[float, float]], *, has_cpu_clock: bool = True) -> None:
        self.naps = naps
        self.at = self.used = 0.0
        if has_cpu_clock:
            self.pthread_getcpuclockid = lambda thread: thread
            self.clock_gettime = lambda thread: self.used

    def monotonic(self) -> float:
        return self.at

    def wait(self, timeout: float) -> bool:
        if not self.naps:
            return True
        overslept, used = self.naps.pop(0)
        self.at += timeout + overslept
        self.used += used
        return False


SLEPT: dict[str, tuple[list[tuple[float, float]], int]] = {
    "in time": ([(0.0, 0.0), (0.4, 0.0)], 2),
    "the machine stood still": ([(3.0, 0.1), (0.0, 0.0)], 1),
    "something held the interpreter": ([(3.0, 2.9), (0.0, 0.0)], 2),
    "the machine stood still twice": ([(3.0, 0.0), (3.0, 0.0), (0.0, 0.0)], 1),
}


@pytest.mark.parametrize("case", SLEPT)
async def test_it_looks_unless_it_was_the_machine_that_stood_still(
    node: Node, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    naps, expected = SLEPT[case]
    assert looks(monkeypatch, Hand(list(naps))) == expected


async def test_where_nobody_tells_what_a_thread_computes_it_always_looks(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    hand = Hand([(3.0, 0.0), (0.0, 0.0)], has_cpu_clock=False)
    assert looks(monkeypatch, hand) == 2


def looks(monkeypatch: pytest.MonkeyPatch, hand: Hand) -> int:
    """How often the thread looks; with its limit of 1 second it means to do so every half."""
    looked: list[float] = []

    class Noting(StallWatch):
        def look(self) -> None:
            looked.append(hand.at)

    watch = Noting(table_var.get(), 1.0, lambda event: None)
    monkeypatch.setattr(module, "time", hand)
    monkeypatch.setattr(watch, "_closing", SimpleNamespace(wait=hand.wait))
    watch._run()
    return len(looked)
