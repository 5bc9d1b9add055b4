"""CPU time by process, measured only while somebody looks. The thread's clock is a made one."""

from __future__ import annotations

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from runtime import Node, kill, open_node, spawn, start, wait_exit
from runtime.current import current_table
from runtime.inspection.cpu import measure_cpu, meter_of, stop_measuring
from runtime.inspection.sampling import sampler_of
from runtime.inspection.snapshot import snapshot
from tests.support import Note, Scripted


class Thread:
    """A thread that has used as much as it was told."""

    def __init__(self) -> None:
        self.used = 0.0

    def __call__(self) -> float:
        return self.used


@pytest.fixture
def thread(monkeypatch: pytest.MonkeyPatch) -> Thread:
    made = Thread()
    monkeypatch.setattr("time.thread_time", made)
    return made


def seconds() -> dict[str, float]:
    """What each process has used so far."""
    meter = meter_of(current_table())
    assert meter is not None
    return {pid.label: used for pid, used in meter.seconds.items() if used}


async def test_time_goes_to_the_process_whose_step_it_is(node: Node, thread: Thread) -> None:
    def work(used: float) -> Note:
        def use(_one: object) -> None:
            thread.used += used

        return Note(use)

    one = await start(Scripted.child_spec().replace(name="one"))
    two = await start(Scripted.child_spec().replace(name="two"))
    measure_cpu()
    thread.used += 100  # of the test, which is no process
    for server, used in ((one, 1), (two, 2), (one, 4)):
        server.send(work(used))
        await wait_all_tasks_blocked()
    assert seconds() == {"one": 5, "two": 2}
    stop_measuring()
    assert meter_of(current_table()) is None


async def test_helper_tasks_are_their_processs(node: Node, thread: Thread) -> None:
    async def helper() -> None:
        await trio.sleep(1)
        thread.used += 3

    async def body() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(helper)
        await trio.sleep_forever()

    measure_cpu()
    spawn(body)
    await trio.sleep(2)
    assert seconds() == {"body": 3}
    stop_measuring()


async def test_it_is_measured_as_long_as_anybody_looks(node: Node, thread: Thread) -> None:
    measure_cpu()
    measure_cpu()
    meter = meter_of(current_table())
    stop_measuring()
    assert meter_of(current_table()) is meter
    stop_measuring()
    assert meter_of(current_table()) is None
    with pytest.raises(RuntimeError, match="nobody measures"):
        stop_measuring()


async def test_what_was_used_while_nobody_looked_is_not_counted(node: Node, thread: Thread) -> None:
    server = await start(Scripted.child_spec().replace(name="one"))

    def use(_one: object) -> None:
        thread.used += 1

    for _ in range(2):
        measure_cpu()
        server.send(Note(use))
        await wait_all_tasks_blocked()
        assert seconds() == {"one": 1}
        stop_measuring()
        server.send(Note(use))
        await wait_all_tasks_blocked()


async def test_the_node_takes_it_away_when_it_ends(
    thread: Thread, monkeypatch: pytest.MonkeyPatch
) -> None:
    removed: list[object] = []
    remove = trio.lowlevel.remove_instrument

    def note(instrument: trio.abc.Instrument) -> None:
        removed.append(instrument)
        remove(instrument)

    monkeypatch.setattr("trio.lowlevel.remove_instrument", note)
    meters: list[object] = []
    async with open_node(instruments=[]):
        measure_cpu()
        meters.append(meter_of(current_table()))
    async with open_node(instruments=[]):
        pass
    assert removed == meters


async def test_shares_are_of_the_time_since_a_look(
    node: Node, thread: Thread, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.perf_counter", trio.current_time)
    one = await start(Scripted.child_spec().replace(name="one"))
    two = await start(Scripted.child_spec().replace(name="two"))
    sampler = sampler_of()
    sampler.sample()

    def shares() -> list[float | None]:
        return [seen.cpu for seen in snapshot(sort="pid").processes]

    def use(_one: object) -> None:
        thread.used += 1

    await trio.sleep(1)
    measure_cpu()
    assert shares() == [None, None]
    sampler.sample()
    await trio.sleep(1)
    two.send(Note(use))
    await trio.sleep(1)
    assert shares() == [0, 0.5]
    assert [seen.name for seen in snapshot(sort="cpu", limit=1).processes] == ["two"]
    sampler.sample()
    await trio.sleep(1)
    assert shares() == [0, 0]
    stop_measuring()
    assert shares() == [None, None]
    measure_cpu()
    assert shares() == [None, None]
    stop_measuring()
    kill(one)


async def test_those_that_have_ended_are_forgotten_at_the_next_look(
    node: Node, thread: Thread
) -> None:
    def use(_one: object) -> None:
        thread.used += 1

    measure_cpu()
    server = await start(Scripted.child_spec().replace(name="one"))
    server.send(Note(use))
    await wait_all_tasks_blocked()
    assert seconds() == {"one": 1}
    kill(server)
    await wait_exit(server)
    sampler_of().sample()
    assert seconds() == {}
    stop_measuring()
