"""Starts that get no task, and starts of classes that raise when they are looked at."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import TypeVar

import pytest
import trio

from runtime import GenServer, Node, Pid, ProcessCrashed, is_alive, processes, spawn, start, whereis
from runtime.current import current_table
from runtime.spawning import FunctionBody, spawn_process
from supervisors import DynamicSupervisor, DynamicSupervisorRef
from tests.conftest import Recorder
from tests.runtime.inlining import in_both_modes

pytestmark = in_both_modes

T = TypeVar("T")


def at_depth(depth: int, fn: Callable[[], T]) -> T:
    """Call ``fn`` so many frames deeper."""
    return fn() if depth == 0 else at_depth(depth - 1, fn)


def depths() -> Iterable[int]:
    """From where there is just room for ``spawn`` to where there is none for ``at_depth``."""
    return range(sys.getrecursionlimit() - 200, sys.getrecursionlimit())


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # Trio may have a coroutine, and no task
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_a_spawn_without_room_on_the_stack_leaves_nothing(
    node: Node, events: Recorder
) -> None:
    spawned: list[Pid] = []
    refused = 0
    for depth in depths():
        try:
            spawned.append(at_depth(depth, lambda: spawn(trio.sleep_forever)))
        except RecursionError:
            refused += 1
    assert spawned
    assert refused
    assert processes() == spawned
    assert [event for event in events if isinstance(event, ProcessCrashed)] == []


async def test_nor_does_one_that_trio_refuses(node: Node) -> None:
    async with trio.open_nursery() as closed:
        pass
    body = FunctionBody(trio.sleep_forever)
    with pytest.raises(RuntimeError, match="closed"):
        spawn_process(current_table(), body, label="refused", name="free", nursery=closed)
    assert processes() == []
    assert whereis("free") is None


class Lazy:
    """An attribute that cannot be read from the class."""

    def __get__(self, instance: object, owner: type) -> Callable[[], None]:
        if instance is None:
            raise ValueError("not from the class")
        return lambda: None


Shy: type[GenServer] = type("Shy", (GenServer,), {"init": Lazy()})


async def test_an_init_that_cannot_be_looked_at_runs_in_its_own_task(node: Node) -> None:
    server = await start(Shy.child_spec())
    assert is_alive(server)
    assert processes() == [server.pid]


async def test_an_init_deep_in_the_stack_of_its_starter_has_a_stack_of_its_own(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    tasks: list[trio.lowlevel.Task] = []

    class Here(GenServer):
        def init(self) -> None:
            tasks.append(trio.lowlevel.current_task())

    async def start_at(depth: int) -> None:
        if depth:
            await start_at(depth - 1)
        else:
            await start(Here.child_spec())

    with monkeypatch.context() as patch:
        patch.setattr(sys, "getrecursionlimit", lambda: 200)
        await start_at(100)
    assert tasks[0] is not trio.lowlevel.current_task()


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # a coroutine that there is no room for
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_who_asks_a_supervisor_from_the_end_of_the_stack_hurts_only_itself(
    node: Node,
) -> None:
    supervisor = DynamicSupervisorRef(await DynamicSupervisor.start())
    spec = GenServer.child_spec()
    started = refused = 0
    limit = sys.getrecursionlimit()

    async def ask_at(depth: int) -> None:
        if depth:
            await ask_at(depth - 1)
        else:
            await supervisor.start_child(spec)

    for depth in (*range(100, limit, 50), *range(limit - 60, limit)):
        try:
            await ask_at(depth)
            started += 1
        except RecursionError:
            refused += 1
    assert started
    assert refused
    assert (await supervisor.count_children()).active >= started
