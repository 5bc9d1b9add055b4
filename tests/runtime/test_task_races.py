"""Cancel, kill or end at every single step of a task's life: nothing is left, nobody is misled."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import trio

from runtime import (
    Down,
    Exited,
    Killed,
    Node,
    Normal,
    Ok,
    Task,
    TaskDone,
    TaskExit,
    exit,
    is_alive,
    kill,
    processes,
    race,
    result_many,
    spawn,
    trap_exits,
    wait_exit,
    wait_many,
)
from runtime.process import Process
from tests.runtime.tasking import crash, drained, end_as, forever, give, gone, pid_of
from tests.support import in_process

STEPS = range(15)
STARTS = pytest.mark.parametrize("start", [Task.start, Task.start_nolink])


async def steps(count: int) -> None:
    for _ in range(count):
        await trio.lowlevel.checkpoint()


@STARTS
async def test_a_start_cancelled_at_any_step_starts_nothing_or_a_task(
    node: Node, start: Callable[..., Any]
) -> None:
    seen: set[str] = set()

    async def owner() -> None:
        for count in [*STEPS] * 5:  # Trio runs what is ready in any order
            tasks: list[Task[None]] = []
            before = set(processes())
            with trio.CancelScope() as scope:
                async with trio.open_nursery() as nursery:

                    async def begin(tasks: list[Task[None]] = tasks) -> None:
                        await steps(3)
                        tasks.append(await start(forever))

                    nursery.start_soon(begin)
                    await steps(count)
                    scope.cancel()
            assert set(processes()) - before == {pid_of(task) for task in tasks}
            seen.add("started" if tasks else "nothing")
            for task in tasks:
                assert await task.shutdown() is None
        assert await drained() == []

    await in_process(owner)
    assert seen == {"started", "nothing"}


@STARTS
async def test_a_cancelled_start_starts_nothing(node: Node, start: Callable[..., Any]) -> None:
    async def owner() -> None:
        before = processes()
        with trio.CancelScope() as scope:
            scope.cancel()
            await start(forever)
        assert scope.cancelled_caught
        assert processes() == before

    await in_process(owner)


@STARTS
@pytest.mark.parametrize("end", ["kill", "signal", "normal"])
async def test_an_owner_that_ends_at_any_step_leaves_no_linked_task(
    node: Node, start: Callable[..., Any], end: str
) -> None:
    """An unlinked one runs to its end."""
    for count in STEPS:
        tasks: list[Task[str]] = []

        async def body() -> str:
            await trio.sleep(1)
            return "value"

        async def owner(tasks: list[Task[str]] = tasks) -> None:
            await steps(2)
            tasks.append(await start(body))
            await tasks[0].result()
            await trio.sleep(10)

        pid = spawn(owner)
        await steps(count)
        if end == "kill":
            kill(pid)
        else:
            exit(pid, "ended" if end == "signal" else Normal())
        ended = await wait_exit(pid)
        for task in tasks:
            if start is Task.start and end != "normal":
                assert await task.wait() == Exited(ended)
            else:
                assert await task.wait() == Ok("value")
        assert processes() == []


@pytest.mark.parametrize("trap", [True, False])
@pytest.mark.parametrize("end", ["kill", "signal"])
async def test_a_task_ended_at_any_step_is_told_once(node: Node, end: str, trap: bool) -> None:
    async def body() -> str:
        if trap:
            trap_exits()
        await steps(5)
        return "value"

    async def owner() -> None:
        for count in STEPS:
            for ask in (True, False):
                task = await Task.start_nolink(body)
                await steps(count)
                if end == "kill":
                    kill(pid_of(task))
                else:
                    exit(pid_of(task), "ended")
                if ask:
                    outcome = await task.wait()
                    assert outcome in (Ok("value"), Exited(Killed()), Exited("ended"))
                    assert await drained() == []
                else:
                    await gone(task)
                    await trio.sleep(1)
                    (message,) = await drained()
                    if isinstance(message, TaskDone):
                        assert message == TaskDone(task, "value")
                    else:
                        assert isinstance(message, Down)
                        assert message.ref is task.ref

    await in_process(owner)


@pytest.mark.parametrize("how", ["wait", "result", "shutdown"])
async def test_an_ask_cancelled_at_any_step_gives_the_outcome_or_leaves_the_message(
    node: Node, how: str
) -> None:
    """A ``shutdown`` leaves none: who asked for the end does not want to hear of it."""
    seen: set[str] = set()

    async def owner() -> None:
        for count in STEPS:
            for fn in (give, end_as):
                await once(count, fn)

    async def once(count: int, fn: Callable[[str], Any]) -> None:
        async def body() -> str:
            await steps(5)
            return await fn("end")  # type: ignore[no-any-return]

        task = await Task.start_nolink(body)
        told: list[object] = []

        async def ask() -> None:
            try:
                told.append(await getattr(task, how)())
            except TaskExit as exc:
                told.append(exc.reason)

        begun = trio.current_time()
        with trio.CancelScope() as scope:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(ask)
                await steps(count)
                scope.cancel()
        assert trio.current_time() == begun
        await gone(task)
        messages = await drained()
        if how != "shutdown" or not told:
            assert len(told) + len(messages) <= 1
        seen.add("told" if told else "message" if messages else "neither")
        if how != "shutdown":
            assert len(told) + len(messages) == 1
        assert (await task.wait()) is not None

    await in_process(owner)
    assert seen >= ({"told", "message"} if how != "shutdown" else {"told"})


@pytest.mark.parametrize("how", ["wait", "kill", "result", "race"])
async def test_a_group_cancelled_at_any_step_loses_nobody(node: Node, how: str) -> None:
    """Each task is told by the group, or by its message, or was ended by the group."""
    seen: set[bool] = set()

    async def owner() -> None:
        for count in range(25):
            await once(count)

    async def once(count: int) -> None:
        async def body(value: int) -> int:
            await steps(3 * value)
            return value

        tasks = [await Task.start_nolink(body, value) for value in (1, 3, 5)]
        told: list[object] = []

        async def ask() -> None:
            match how:
                case "wait":
                    told.append(await wait_many(tasks))
                case "kill":
                    told.append(await wait_many(tasks, timeout=0, on_timeout="kill_task"))
                case "result":
                    told.append(await result_many(tasks))
                case _:
                    told.append(await race(tasks))

        with trio.CancelScope() as scope:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(ask)
                await steps(count)
                scope.cancel()
        for task in tasks:
            await gone(task)
        messages = await drained()
        seen.add(bool(told))
        if told or how == "race":
            assert messages == []
        elif how == "kill":
            heard = {one.task for one in messages if isinstance(one, TaskDone)}
            for task in set(tasks) - heard:
                assert await task.wait() == Exited(Killed())
        else:
            assert {one.task for one in messages if isinstance(one, TaskDone)} == set(tasks)
            assert len(messages) == len(tasks)

    await in_process(owner)
    assert seen == {True, False}


async def test_a_plain_trio_task_may_give_up_at_any_step(node: Node) -> None:
    for count in STEPS:
        with trio.CancelScope() as scope:
            async with trio.open_nursery() as nursery:

                @nursery.start_soon
                async def client() -> None:
                    await (await Task.start_nolink(give, 5)).result()

                await steps(count)
                scope.cancel()
        await trio.sleep(1)
        assert processes() == []


# ---------------------------------------------------------------------- what it leaves


@pytest.fixture
def no_gc() -> Iterator[None]:
    """No collections, so that only counting references frees anything."""
    gc.collect()
    gc.disable()
    yield
    gc.set_debug(0)
    gc.garbage.clear()
    gc.enable()


async def ask_one(task: Task[None]) -> None:
    try:  # not pytest.raises, which keeps what was raised
        await task.result()
    except TaskExit:
        return
    pytest.fail("it was to raise")


async def ask_all(task: Task[None]) -> None:
    try:
        await result_many([task])
    except TaskExit:
        return
    pytest.fail("it was to raise")


async def ask_first(task: Task[None]) -> None:
    try:
        await race([task])
    except ExceptionGroup:
        return
    pytest.fail("it was to raise")


async def test_what_has_ended_is_freed_without_the_garbage_collector(
    no_gc: None, node: Node
) -> None:
    async def owner() -> None:
        trap_exits()
        for start in (Task.start, Task.start_nolink):
            for fn in (crash, forever):
                await (await start(fn)).shutdown()
                await wait_many([await start(fn)], timeout=1, on_timeout="kill_task")
                for ask in (ask_one, ask_all, ask_first):
                    await ask(await start(crash))
        await trio.sleep(1)

    await in_process(owner)
    await trio.sleep(1)
    gc.set_debug(gc.DEBUG_SAVEALL)
    gc.collect()
    gc.set_debug(0)
    assert [one for one in gc.garbage if isinstance(one, Task | Process)] == []


async def test_a_handle_that_nobody_keeps_is_no_reason_to_stop(node: Node) -> None:
    async def owner() -> None:
        pid = (await Task.start_nolink(forever)).pid
        assert pid is not None
        gc.collect()
        await trio.sleep(1)
        assert is_alive(pid)
        kill(pid)
        await wait_exit(pid)

    await in_process(owner)
