from __future__ import annotations

import math
from functools import partial
from typing import Any

import pytest
import trio

from runtime import (
    Exited,
    Node,
    Pid,
    Ref,
    Task,
    async_stream,
    async_stream_nolink,
    callers,
    kill,
    process_info,
    race,
    self_,
    spawn,
    start,
    wait_exit,
)
from runtime.task_body import callers_of, task_call
from supervisors import Supervisor, TaskSupervisor, TaskSupervisorRef, open_supervisor
from tests.runtime.tasking import after, forever, give, pid_of
from tests.support import Ask, Scripted, in_process


async def who() -> tuple[Pid, ...]:
    """Who asked for the task this runs in."""
    return callers()


async def test_a_task_knows_who_asked_for_it(node: Node) -> None:
    """TASK-049."""

    async def owner() -> None:
        for begin in (Task.start, Task.start_nolink):
            assert await (await begin(who)).result() == (self_(),)

    await in_process(owner)


async def test_the_chain_goes_through_supervisors_and_streams(node: Node) -> None:
    """TASK-049. None of them is a caller: nobody of them asked."""
    supervisor = TaskSupervisorRef(await start(TaskSupervisor.child_spec()))
    seen: list[Pid] = []

    async def innermost(_item: int) -> tuple[Pid, ...]:
        return callers()

    async def streams() -> list[tuple[Pid, ...]]:
        seen.append(self_())
        found: list[tuple[Pid, ...]] = []
        for build in (
            async_stream,
            async_stream_nolink,
            supervisor.async_stream,
            supervisor.async_stream_nolink,
        ):
            async with build([1], innermost) as results:
                async for result in results:
                    assert not isinstance(result, Exited)
                    found.append(result.value)
        return found

    async def supervised() -> list[tuple[Pid, ...]]:
        seen.append(self_())
        return await (await Task.start_nolink(streams)).result()

    async def owner() -> None:
        task = await supervisor.start(supervised)
        chains = await task.result()
        outer, inner = seen
        assert chains == [(inner, outer, self_())] * 4

    await in_process(owner)
    await supervisor.stop()


async def test_a_helper_task_and_a_thread_of_a_task_are_the_task(node: Node) -> None:
    async def helped() -> tuple[Pid, ...]:
        found: list[tuple[Pid, ...]] = []

        async def helper() -> None:
            found.append(callers())

        async with trio.open_nursery() as nursery:
            nursery.start_soon(helper)
        return found[0]

    async def owner() -> None:
        assert await (await Task.start(helped)).result() == (self_(),)

    await in_process(owner)


async def test_what_is_no_task_has_no_callers(node: Node) -> None:
    assert callers() == ()
    assert await in_process(who) == ()
    assert await (await Task.start_nolink(who)).result() == (), "nobody that is a process"

    async def in_server(one: object, reply_to: object) -> tuple[Pid, ...]:
        return callers()

    async def in_task(server: Ref) -> Any:
        return await server.call(Ask(in_server))

    server = await start(Scripted.child_spec())
    assert await (await Task.start_nolink(in_task, server)).result() == ()
    await server.stop()


async def test_a_task_of_a_server_has_the_server_as_its_caller(node: Node) -> None:
    """Not whoever called the server."""

    async def handler(one: object, reply_to: object) -> tuple[Pid, ...]:
        return await (await Task.start_nolink(who)).result()

    async def owner() -> None:
        server = await start(Scripted.child_spec())
        task = await Task.start(partial(server.call, Ask(handler)))
        assert await task.result() == (server.pid,)
        await server.stop()

    await in_process(owner)


async def test_callers_are_pids_also_when_they_are_gone(node: Node) -> None:
    tasks: list[Task[tuple[Pid, ...]]] = []

    async def later() -> tuple[Pid, ...]:
        await trio.sleep(2)
        return callers()

    async def owner() -> None:
        tasks.append(await Task.start_nolink(later))

    pid = spawn(owner)
    await wait_exit(pid)
    assert await tasks[0].result() == (pid,)


async def test_the_chain_has_an_end(node: Node) -> None:
    """However deep tasks start tasks."""

    async def deeper(depth: int) -> int:
        if depth == 0:
            return len(callers())
        return await (await Task.start_nolink(deeper, depth - 1)).result(timeout=math.inf)

    async def owner() -> None:
        assert await deeper(31) == 31
        assert await deeper(100) == 32

    await in_process(owner)


async def test_a_child_of_a_tree_has_ancestors_and_no_callers(node: Node) -> None:
    found: list[tuple[Pid, ...]] = []

    async def child() -> None:
        found.append(callers())

    supervisor = await start(Supervisor.child_spec([Task.child_spec(child)]))
    await trio.sleep(1)
    assert found == [()]
    await supervisor.stop()


async def test_a_static_child_may_start_tasks(node: Node) -> None:
    found: list[tuple[Pid, ...]] = []

    async def child() -> None:
        found.append((self_(), *await (await Task.start(who)).result()))

    async with open_supervisor([Task.child_spec(child)]):
        await trio.sleep(1)
    ((me, caller),) = found
    assert me is caller


def test_nobody_has_no_callers() -> None:
    assert callers_of(None) == ()


async def test_a_call_keeps_its_arguments() -> None:
    async def fn(a: int, *, b: int) -> tuple[int, int]:
        return a, b

    assert await task_call(fn, (1,), {"b": 2})() == (1, 2)


async def test_functions_of_all_kinds_will_do(node: Node) -> None:
    class Adder:
        async def add(self, a: int, b: int) -> int:
            return a + b

        async def __call__(self, a: int) -> int:
            return a + 1

        @classmethod
        async def double(cls, a: int) -> int:
            return 2 * a

    assert await (await Task.start_nolink(Adder().add, 1, b=2)).result() == 3
    assert await (await Task.start_nolink(Adder(), 1)).result() == 2
    assert await (await Task.start_nolink(Adder.double, 4)).result() == 8
    assert await (await Task.start_nolink(partial(after, 1.0), "later")).result() == "later"
    assert repr(await Task.start_nolink(Adder(), 1)).endswith(" Adder>")


async def test_a_task_is_up_at_once_and_shows_its_function(node: Node) -> None:
    task = await Task.start_nolink(forever)
    await trio.sleep(1)
    info = process_info(pid_of(task))
    assert info is not None
    assert (info.status, str(info.pid)) == ("running", f"<Pid {info.pid.number} forever>")
    kill(info.pid)
    assert await wait_exit(info.pid)


@pytest.mark.parametrize("value", [None, 0, (), NotImplemented, Exception("no"), Task])
async def test_any_value_is_a_value(node: Node, value: object) -> None:
    assert await (await Task.start_nolink(give, value)).result() is value
    assert await race([await Task.start_nolink(give, value)]) is value
