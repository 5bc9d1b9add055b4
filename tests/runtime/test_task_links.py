"""How a task and its owner feel each other's ends; tasks in trees."""

from __future__ import annotations

import pytest
import trio

from runtime import (
    ChildSpec,
    Down,
    Exit,
    Exited,
    Killed,
    Node,
    Normal,
    Ok,
    ProcessExit,
    Shutdown,
    Task,
    TaskDone,
    child_spec,
    is_alive,
    kill,
    link,
    open_node,
    spawn,
    start,
    trap_exits,
    wait_exit,
)
from runtime.current import find_process
from supervisors import Supervisor, SupervisorRef
from tests.runtime.tasking import (
    after,
    drained,
    end_as,
    forever,
    give,
    last_words,
    pid_of,
)
from tests.support import in_process, reason_of


async def test_an_unlinked_one_is_linked_to_nobody(node: Node) -> None:
    async def owner() -> None:
        task = await Task.start_nolink(forever)
        process = find_process(pid_of(task))
        assert process is not None
        assert process.links.linked() == ()
        await task.shutdown()

    await in_process(owner)


async def test_a_linked_task_ends_with_its_owner(node: Node) -> None:
    """TASK-016."""
    tasks: list[Task[None]] = []

    async def owner() -> None:
        tasks.append(await Task.start(forever))
        tasks.append(await Task.start_nolink(forever))
        await trio.sleep(1)
        raise ProcessExit("owner is gone")

    assert await reason_of(owner) == "owner is gone"
    assert await tasks[0].wait() == Exited("owner is gone")
    assert is_alive(pid_of(tasks[1]))
    await tasks[1].shutdown()


async def test_a_killed_owner_takes_its_linked_tasks_with_it(node: Node) -> None:
    tasks: list[Task[None]] = []

    async def owner() -> None:
        tasks.extend([await Task.start(forever) for _ in range(3)])
        await trio.sleep_forever()

    pid = spawn(owner)
    await trio.sleep(1)
    kill(pid)
    assert [await task.wait() for task in tasks] == [Exited(Killed())] * 3


async def test_a_trapping_task_hears_of_its_owners_end(node: Node) -> None:
    tasks: list[Task[list[object]]] = []

    async def owner() -> None:
        async def body() -> list[object]:
            trap_exits()
            await trio.sleep(5)
            return await drained()

        tasks.append(await Task.start(body))
        await trio.sleep(1)
        raise ProcessExit("bye")

    pid = spawn(owner)
    assert await wait_exit(pid) == "bye"
    assert await tasks[0].result(timeout=10) == [Exit(pid, "bye")]


async def test_a_failing_linked_task_is_felt_before_it_is_told(node: Node) -> None:
    """TASK-007. An owner that traps exits has the ``Exit`` first, then the ``Down``."""

    async def owner() -> None:
        task = await Task.start(end_as, "bad")
        other = await Task.start(give, 5)
        await trio.sleep(1)
        found = await drained()
        assert [one for one in found if getattr(one, "pid", None) is task.pid] == [
            Exit(task.pid, "bad"),
            Down(task.ref, task.pid, "bad"),
        ]
        assert [one for one in found if getattr(one, "pid", None) is not task.pid] == [
            Exit(other.pid, Normal()),
            TaskDone(other, 5),
        ]

    await in_process(owner, trap=True)


async def test_a_third_process_may_link_itself_to_a_task(node: Node) -> None:
    task = await Task.start_nolink(end_as, "bad", 2.0)

    async def friend() -> None:
        link(pid_of(task))
        await trio.sleep_forever()

    assert await reason_of(friend) == "bad"
    assert await task.wait() == Exited("bad")


async def test_the_tasks_of_a_node_end_with_it() -> None:
    """Without a supervisor they live in the node's root."""
    words: list[str] = []

    async def rest() -> None:
        words.append("last words")

    tasks: list[Task[None]] = []
    async with open_node():
        tasks.append(await Task.start_nolink(forever))
        tasks.append(await Task.start_nolink(last_words, rest))
        await trio.sleep(1)
    assert [task.ignore() for task in tasks] == [Exited(Shutdown()), Ok(None)]
    assert words == ["last words"]


# ---------------------------------------------------------------------- as a child


def test_the_spec_of_a_task_is_temporary_and_named_after_its_function() -> None:
    """TASK-051. differs: the id is the function's name, so that two need no ids of their own."""
    spec = Task.child_spec(after, 1.0, None)
    assert (spec.id, spec.restart, spec.shutdown, spec.type) == (
        "after",
        "temporary",
        5.0,
        "worker",
    )
    assert isinstance(spec, ChildSpec)
    assert child_spec(after, 1.0, None).restart == "permanent"
    assert Task.child_spec(after, 1.0, None).replace(restart="transient").restart == "transient"


def test_the_arguments_of_a_spec_are_checked_when_it_is_made() -> None:
    with pytest.raises(TypeError, match="fn: got 5"):
        Task.child_spec(5)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="arguments of give: missing a required argument"):
        Task.child_spec(give)  # type: ignore[arg-type]


async def test_a_static_child_is_stopped_within_its_budget(node: Node) -> None:
    """TASK-048."""

    async def slowly() -> None:
        await trio.sleep(3)

    spec = Task.child_spec(last_words, slowly).replace(shutdown=1.0)
    supervisor = SupervisorRef(await start(Supervisor.child_spec([spec])))
    ((child,),) = [await supervisor.which_children()]
    await trio.sleep(1)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(supervisor.stop)
        assert child.pid is not None
        assert await wait_exit(child.pid) == Killed()
    assert trio.current_time() == 2


async def test_a_dead_owner_gets_nothing_and_harms_nothing(node: Node) -> None:
    tasks: list[Task[int]] = []

    async def owner() -> None:
        tasks.append(await Task.start_nolink(after, 2.0, 5))

    await in_process(owner)
    assert await tasks[0].result() == 5
