"""Many children: ten thousand at once, and twenty thousand one after the other."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Awaitable, Callable, Iterator

import pytest
import trio

from runtime import (
    GenServer,
    Node,
    Shutdown,
    StartError,
    StartFailed,
    Stop,
    kill,
    open_node,
    processes,
    via,
)
from runtime.process import Process
from supervisors import DynamicSupervisorRef
from supervisors.dynamic_children import DynamicChild
from tests.supervisors.dynamic_parts import counts, kill_and_see, pids, start_dynamic
from tests.supervisors.tree_parts import settle, worker


class Brief(GenServer):
    """A child that ends by itself, or is ended."""


async def test_ten_thousand_children_start_and_stop() -> None:
    """Nobody waits for another."""
    async with open_node(instruments=[]):
        sup, spec = await start_dynamic(), Brief.child_spec()
        async with trio.open_nursery() as nursery:
            for _ in range(10_000):
                nursery.start_soon(sup.start_child, spec)
        assert await counts(sup) == (10_000, 10_000, 0, 10_000)
        await sup.stop(Shutdown())
        assert processes() == []


async def test_one_child_among_many_is_found_and_replaced(node: Node) -> None:
    sup = await start_dynamic()
    for _ in range(1000):
        await sup.start_child(worker([], "a"))
    everyone = await pids(sup)
    kill(everyone[500])
    await settle()
    now = await pids(sup)
    assert set(everyone) - set(now) == {everyone[500]}
    assert now[-1] not in everyone
    await sup.terminate_child(now[-1])
    assert len(await pids(sup)) == 999


@pytest.fixture
def no_gc() -> Iterator[None]:
    """What only the garbage collector would free stays."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


class Boom(Exception):
    """What is raised, and must not stay."""


def raises() -> bool:
    raise Boom


REFUSED: dict[str, Callable[[DynamicSupervisorRef], Awaitable[object]]] = {
    "a name that is taken": lambda sup: sup.start_child(Brief.child_spec().replace(name="taken")),
    "a directory that is not there": lambda sup: sup.start_child(
        Brief.child_spec().replace(name=via("nobody", 1))
    ),
    "what enabled raises": lambda sup: sup.start_child(Brief.child_spec().replace(enabled=raises)),
}


@pytest.mark.usefixtures("no_gc")
@pytest.mark.parametrize("what", REFUSED)
async def test_what_a_refused_start_raises_is_in_no_reference_cycle(node: Node, what: str) -> None:
    sup = await start_dynamic()
    await sup.start_child(Brief.child_spec().replace(name="taken"))
    with pytest.raises((StartError, Boom)) as raised:
        await REFUSED[what](sup)
    error = weakref.ref(raised.value)
    del raised
    assert await counts(sup) == (1, 1, 0, 1)
    assert error() is None


def left() -> int:
    """How many rows and processes there are."""
    return sum(isinstance(one, DynamicChild | Process) for one in gc.get_objects())


async def lives(sup: DynamicSupervisorRef, how_many: int) -> None:
    """One after the other: stopped, killed, crashed, not started at all."""
    spec = Brief.child_spec().replace(restart="temporary")
    for number in range(0, how_many, 4):
        await sup.terminate_child(await sup.start_child(spec))
        await (await sup.start_child(spec)).stop()
        kill(await sup.start_child(spec))
        with trio.move_on_after(0):
            await sup.start_child(spec)
        if number % 400 == 0:
            await settle()


async def test_twenty_thousand_short_lives_leave_nothing() -> None:
    async with open_node(instruments=[]):
        sup = await start_dynamic()
        await lives(sup, 2_000)
        gc.collect()
        before = len(gc.get_objects())
        await lives(sup, 20_000)
        await settle()
        gc.collect()
        assert len(gc.get_objects()) - before < 500
        assert await counts(sup) == (0, 0, 0, 0)
        assert processes() == [sup.pid]


async def test_what_has_ended_is_freed_without_the_garbage_collector(no_gc: None) -> None:
    async with open_node(instruments=[]):
        sup = await start_dynamic(max_restarts=10**6)
        before = left()
        await lives(sup, 1_000)
        for _ in range(200):
            try:
                await sup.start_child(worker([], "a", begin=lambda: Stop("no")))
            except StartFailed:
                pass
        child = await sup.start_child(worker([], "a"))
        for _ in range(200):
            await kill_and_see((await pids(sup))[0])
        await sup.terminate_child((await pids(sup))[0])
        await settle()
        assert child.whereis() is None
        assert left() - before <= 2
