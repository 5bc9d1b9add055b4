"""When a server may be called at once: only while it sleeps and nothing else could wake it."""

from __future__ import annotations

import trio
import trio.testing

from runtime import (
    Call,
    Continue,
    GenServer,
    Idle,
    InitResult,
    Node,
    handles,
    receive,
    resume,
    spawn,
    suspend,
)
from runtime.process import Process, table_var
from tests.runtime.inlining import Doer, inline
from tests.support import stop_all

pytestmark = inline


def process_of(pid: object) -> Process:
    (process,) = (one for one in table_var.get().by_pid.values() if one.pid is pid)
    return process


class Nap(Call[None]):
    """Sleep in the handler."""


class Napper(GenServer):
    @handles(Nap)
    async def nap(self, request: Nap) -> None:
        await trio.sleep(1)


class Waiting(GenServer):
    def __init__(self, first: InitResult) -> None:
        self.first = first

    def init(self) -> InitResult:
        return self.first

    async def handle_continue(self, arg: object) -> None:
        await trio.sleep(1)


async def test_a_server_that_sleeps_can_be_called_at_once(node: Node) -> None:
    doer = await Doer.start()
    await trio.testing.wait_all_tasks_blocked()
    inlet = process_of(doer.pid).inlet
    assert inlet is not None
    assert isinstance(inlet.callee, Doer)


async def test_a_dead_one_has_no_inlet(node: Node) -> None:
    doer = await Doer.start()
    await trio.testing.wait_all_tasks_blocked()
    process = process_of(doer.pid)
    await stop_all(doer)
    assert process.inlet is None


async def test_nor_has_one_that_is_suspended(node: Node) -> None:
    doer = await Doer.start()
    process = process_of(doer.pid)
    await suspend(doer)
    await trio.testing.wait_all_tasks_blocked()
    assert process.inlet is None
    await resume(doer)
    await trio.testing.wait_all_tasks_blocked()
    assert process.inlet is not None


async def test_nor_one_that_handles_a_message(node: Node) -> None:
    napper = await Napper.start()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(napper.call, Nap())
        await trio.testing.wait_all_tasks_blocked()
        assert process_of(napper.pid).inlet is None
    await trio.testing.wait_all_tasks_blocked()
    assert process_of(napper.pid).inlet is not None


async def test_nor_one_with_an_idle_time_or_in_its_continue(node: Node) -> None:
    idle, going_on = await Waiting.start(Idle(5)), await Waiting.start(Continue())
    await trio.testing.wait_all_tasks_blocked()
    assert process_of(idle.pid).inlet is None
    assert process_of(going_on.pid).inlet is None
    await trio.sleep(6)
    assert process_of(idle.pid).inlet is not None
    assert process_of(going_on.pid).inlet is not None


async def test_nor_a_process_that_is_no_server(node: Node) -> None:
    pid = spawn(receive)
    await trio.testing.wait_all_tasks_blocked()
    process = process_of(pid)
    assert (process.parked, process.inlet) == (True, None)
