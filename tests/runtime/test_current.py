"""Where code runs, and what leads to a process."""

from __future__ import annotations

import pytest
import trio

from runtime import (
    Node,
    NoNode,
    OutsideProcess,
    Pid,
    is_alive,
    named,
    open_node,
    ref,
    self_,
    send,
    spawn,
    wait_exit,
)
from runtime.current import (
    current_process,
    current_table,
    find_process,
    node_is_open,
    require_process,
)
from tests.support import in_process, stop_all


async def test_in_a_node_there_is_a_table_and_outside_there_is_none() -> None:
    assert not node_is_open()
    with pytest.raises(NoNode, match=r"open_supervisor\(...\) or open_node\(\)"):
        current_table()
    async with open_node(instruments=[]):
        assert node_is_open()
        assert current_table().by_pid == {}
    assert not node_is_open()
    with pytest.raises(NoNode):
        current_table()


def test_outside_trio_there_is_no_node() -> None:
    with pytest.raises(NoNode, match=r"called outside trio\.run"):
        current_table()
    with pytest.raises(NoNode, match=r"called outside trio\.run"):
        send(Pid(1, "x"), "message")


async def test_a_plain_task_is_in_no_process(node: Node) -> None:
    assert current_process() is None
    with pytest.raises(OutsideProcess, match="sing needs a process: it was called from a plain"):
        require_process("sing")


async def test_a_process_and_its_helpers_are_in_it_only_its_own_task_owns_it(node: Node) -> None:
    async def body() -> None:
        mine = require_process("sing", own_task=True)
        assert mine.pid is self_()

        async def helper() -> None:
            assert current_process() is mine
            assert require_process("sing") is mine
            with pytest.raises(OutsideProcess, match="sing was called in a helper task of <Pid"):
                require_process("sing", own_task=True)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(helper)

    await in_process(body)


async def test_a_task_that_outlives_the_process_it_came_from_is_in_none(node: Node) -> None:
    """A process may hand a task to a nursery that is not its own."""
    seen: list[object] = []

    async def stray() -> None:
        seen.append(current_process() is not None)
        await trio.sleep(5)
        seen.append(current_process())
        with pytest.raises(OutsideProcess):
            self_()

    async with trio.open_nursery() as nursery:

        async def body() -> None:
            nursery.start_soon(stray)
            await trio.sleep(1)

        await wait_exit(spawn(body))
    assert seen == [True, None]


async def test_pid_handle_and_name_lead_to_the_same_process(node: Node) -> None:
    pid = spawn(trio.sleep_forever, name="x")
    process = find_process(pid)
    assert process is not None
    for target in (ref(pid), named("x")):
        assert find_process(target) is process
    await stop_all(pid)
    for gone in (pid, ref(pid), named("x")):
        assert find_process(gone) is None
        assert not is_alive(gone)


@pytest.mark.parametrize("garbage", [None, "x", 1, object, Pid])
async def test_anything_else_leads_nowhere_and_says_so(node: Node, garbage: object) -> None:
    with pytest.raises(TypeError, match=r"allowed are a Pid and a Ref such as named\('x'\)$"):
        find_process(garbage)  # type: ignore[arg-type]


@pytest.mark.real_clock
async def test_a_run_in_a_worker_thread_of_a_process_does_not_see_that_process() -> None:
    """Trio copies the context variables into the thread; the process stays in its own run."""
    seen: list[object] = []

    async def inner() -> None:
        async with open_node(instruments=[]):
            seen.append(current_process())
            with pytest.raises(OutsideProcess):
                self_()

    async def outer() -> None:
        await trio.to_thread.run_sync(trio.run, inner)
        seen.append(self_())

    async with open_node(instruments=[]):
        pid = spawn(outer)
        await wait_exit(pid)
        assert seen == [None, pid]
