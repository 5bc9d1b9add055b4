from __future__ import annotations

import math
from functools import partial

import pytest
import trio

from runtime import (
    Crashed,
    Down,
    Exit,
    Exited,
    Killed,
    Node,
    Normal,
    Ok,
    ReceiveTimeout,
    Shutdown,
    Task,
    TaskDone,
    TaskTimeout,
    exit,
    kill,
    receive,
    result_many,
    spawn,
    trap_exits,
    wait_exit,
)
from tests.runtime.tasking import after, crash, drained, end_as, forever, give, pid_of
from tests.support import in_process


async def test_waiting_tells_how_it_ended_or_that_it_has_not(node: Node) -> None:
    """TASK-018."""

    async def owner() -> None:
        assert await (await Task.start(give, 5)).wait() == Ok(5)
        assert await (await Task.start(end_as, Normal())).wait() == Exited(Normal())
        crashed = await (await Task.start(crash)).wait()
        assert isinstance(crashed, Exited)
        assert isinstance(crashed.reason, Crashed)
        running = await Task.start(after, 10.0, 6)
        began = trio.current_time()
        assert await running.wait(timeout=2) is None
        assert trio.current_time() - began == 2
        assert await running.wait(timeout=math.inf) == Ok(6)

    await in_process(owner, trap=True)


async def test_who_waits_in_vain_still_gets_the_message(node: Node) -> None:
    """TASK-019. A ``wait`` may be asked again, so unlike a ``result`` it mutes nothing."""

    async def owner() -> None:
        task = await Task.start_nolink(after, 5.0, "late")
        failing = await Task.start_nolink(end_as, "bad", 6.0)
        assert await task.wait(timeout=1) is None
        assert await failing.wait(timeout=1) is None
        await trio.sleep(10)
        assert await drained() == [TaskDone(task, "late"), Down(failing.ref, failing.pid, "bad")]

    await in_process(owner)


async def test_a_stranger_that_loses_patience_takes_nothing_from_the_owner(node: Node) -> None:
    """Only the owner's own ``result`` mutes the message."""
    tasks: list[Task[int]] = []

    async def owner() -> None:
        tasks.append(await Task.start_nolink(after, 2.0, 5))
        await trio.sleep(4)
        assert await drained() == [TaskDone(tasks[0], 5)]

    pid = spawn(owner)
    await trio.sleep(1)
    for ask in (tasks[0].result, partial(result_many, tasks)):
        with pytest.raises(TaskTimeout):
            await in_process(partial(ask, timeout=0.25))
    assert await wait_exit(pid) == Normal()


async def test_a_wait_without_time_only_looks(node: Node) -> None:
    async def owner() -> None:
        task = await Task.start(after, 1.0, 5)
        assert await task.wait(timeout=0) is None
        await trio.sleep(2)
        assert await task.wait(timeout=0) == Ok(5)
        assert trio.current_time() == 2
        assert await drained() == []

    await in_process(owner)


async def test_a_loop_that_only_looks_lets_the_task_run(node: Node) -> None:
    task = await Task.start_nolink(give, 5)
    while await task.wait(timeout=0) is None:
        pass
    assert trio.current_time() == 0


@pytest.mark.parametrize("timeout", [0.0, 1.0])
@pytest.mark.parametrize("ended", [True, False])
async def test_a_cancelled_wait_is_cancelled_also_when_the_task_has_ended(
    node: Node, timeout: float, ended: bool
) -> None:
    """And the owner has its message still."""

    async def owner() -> None:
        task = await Task.start_nolink(after, 1.0, 5)
        await trio.sleep(2 if ended else 0)
        with trio.CancelScope() as scope:
            scope.cancel()
            await task.wait(timeout=timeout)
        assert scope.cancelled_caught
        await trio.sleep(2)
        assert await drained() == [TaskDone(task, 5)]

    await in_process(owner)


async def test_several_may_wait_at_once(node: Node) -> None:
    """Tasks of the owner, other processes, plain Trio tasks."""
    got: list[object] = []

    async def owner() -> None:
        task = await Task.start_nolink(after, 2.0, 5)

        async def ask() -> None:
            got.append(await task.wait())

        async with trio.open_nursery() as nursery:
            for _ in range(3):
                nursery.start_soon(ask)
            spawn(ask)
            node_tasks.start_soon(ask)
        await trio.sleep(1)
        assert await drained() == []

    async with trio.open_nursery() as node_tasks:
        node_tasks.start_soon(in_process, owner)
    assert got == [Ok(5)] * 5
    assert trio.current_time() == 3


async def test_one_helper_that_gives_up_does_not_bring_a_message_to_the_others(node: Node) -> None:
    async def owner() -> None:
        task = await Task.start_nolink(after, 3.0, 5)
        async with trio.open_nursery() as nursery:
            scope = trio.CancelScope()

            @nursery.start_soon
            async def gives_up() -> None:
                with scope:
                    await task.wait()

            @nursery.start_soon
            async def stays() -> None:
                assert await task.wait() == Ok(5)

            await trio.sleep(1)
            scope.cancel()
        assert await drained() == []

    await in_process(owner)


async def test_while_a_helper_asks_the_process_finds_no_message(node: Node) -> None:
    """Although it looks at every moment; whichever of the two Trio runs first."""

    async def owner() -> None:
        for _ in range(30):
            task = await Task.start_nolink(after, 1.0, 5)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(task.result)
                with pytest.raises(ReceiveTimeout):
                    await receive(timeout=2)

    await in_process(owner)


async def test_a_helper_asks_for_the_process_and_takes_its_message(node: Node) -> None:
    """Whoever asks in the owner's name: the owner has asked."""

    async def owner() -> None:
        task = await Task.start_nolink(give, 5)
        await trio.sleep(1)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(task.result)
        assert await drained() == []

    await in_process(owner)


async def test_the_owner_may_start_it_in_a_helper_and_find_the_message(node: Node) -> None:
    tasks: list[Task[int]] = []

    async def owner() -> None:
        async def helper() -> None:
            tasks.append(await Task.start(give, 5))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(helper)
        await trio.sleep(1)
        assert await drained() == [TaskDone(tasks[0], 5)]

    await in_process(owner)


@pytest.mark.parametrize("way", ["exit", "kill"])
async def test_an_end_from_outside_is_the_outcome(node: Node, way: str) -> None:
    task = await Task.start_nolink(forever)
    if way == "exit":
        exit(pid_of(task), Shutdown("now"))
        assert await task.wait() == Exited(Shutdown("now"))
    else:
        kill(pid_of(task))
        assert await task.wait() == Exited(Killed())


async def test_a_task_ended_before_its_first_step_has_no_value(node: Node) -> None:
    task = await Task.start_nolink(give, 5)
    kill(pid_of(task))
    assert await task.wait() == Exited(Killed())


async def test_the_value_of_a_task_that_was_told_to_end_is_no_outcome(node: Node) -> None:
    """The first accepted signal is the reason, whatever the body then returns."""

    async def body() -> str:
        with trio.CancelScope(shield=True):
            await trio.sleep(2)
        return "too late"

    task = await Task.start_nolink(body)
    await trio.sleep(1)
    exit(pid_of(task), "bad")
    assert await task.wait() == Exited("bad")
    assert trio.current_time() == 2


async def test_a_task_that_traps_exits_has_a_value_in_spite_of_a_signal(node: Node) -> None:
    async def body() -> list[object]:
        trap_exits()
        await trio.sleep(2)
        return await drained()

    task = await Task.start_nolink(body)
    await trio.sleep(1)
    exit(pid_of(task), "bad")
    assert await task.result() == [Exit(None, "bad")]


async def test_two_owners_never_get_each_others_messages(node: Node) -> None:
    async def owner(value: int) -> None:
        task = await Task.start_nolink(give, value)
        await trio.sleep(1)
        assert await drained() == [TaskDone(task, value)]

    async with trio.open_nursery() as nursery:
        for value in range(5):
            nursery.start_soon(in_process, partial(owner, value))
