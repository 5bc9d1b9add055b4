"""Tasks that end in all ways under owners that do all kinds of things, for as long as asked."""

from __future__ import annotations

import gc
import random
from collections.abc import Awaitable, Callable
from typing import Literal, TypeAlias

import trio

from runtime import (
    Crashed,
    Down,
    Exit,
    MonitorRef,
    ProcessExit,
    ReceiveTimeout,
    Task,
    TaskDone,
    TaskExit,
    TaskTimeout,
    is_alive,
    kill,
    processes,
    receive,
    spawn,
    start,
    trap_exits,
    wait_exit,
)
from supervisors import MaxChildren
from supervisors.task_supervisor import TaskSupervisor
from supervisors.task_supervisor_ref import TaskSupervisorRef

AT_ONCE = 20  # owners
MOST_TASKS = 8  # of one owner
MAX_CHILDREN = 20
LONGEST = 1.0  # how long a task takes that is let alone
MOST_KEPT = 3000  # objects, whatever the count: caches, timers that were called off

End: TypeAlias = Literal["value", "reason", "crash", "trap"]
ENDS: tuple[End, ...] = ("value", "value", "reason", "crash", "trap")

Way: TypeAlias = Literal["leave", "result", "wait", "hurry", "cancel", "shutdown", "kill", "ignore"]
WAYS: tuple[Way, ...] = (
    "leave", "leave", "result", "wait", "hurry", "cancel", "shutdown", "kill", "ignore",
)  # fmt: skip

Starter: TypeAlias = Callable[[Callable[[], Awaitable[int]]], Awaitable[Task[int]]]


class Churn:
    """The owners, and what they have seen."""

    def __init__(self, supervisor: TaskSupervisorRef, count: int, seed: int) -> None:
        self._random = random.Random(seed)
        self._starters: tuple[Starter, ...] = (
            Task.start, Task.start_nolink, supervisor.start, supervisor.start_nolink,
        )  # fmt: skip
        self._left = count
        self.full = 0
        self.seen: dict[str, int] = dict.fromkeys((*WAYS, "message", "finished owner"), 0)

    async def owners(self) -> None:
        """One owner after the other, until there were enough tasks."""
        while self._left > 0:
            owner = spawn(self._owner)
            if self._random.random() < 0.2:
                await trio.sleep(self._when())
                kill(owner)
            reason = await wait_exit(owner)
            if isinstance(reason, Crashed):  # an owner was told wrongly
                raise reason.exception

    def _when(self) -> float:
        """Seconds on a coarse grid, so that many things happen in the same tick; often none."""
        return self._random.choice((0.0, 0.0, 0.125, 0.25, 0.5, LONGEST))

    async def _owner(self) -> None:
        """Start some tasks, be told of each as it was asked for, and of none twice."""
        trap_exits()
        heard: dict[MonitorRef, int] = {}
        silent: set[MonitorRef] = set()
        async with trio.open_nursery() as nursery:
            for _ in range(self._random.randrange(1, MOST_TASKS + 1)):
                task = await self._start()
                heard[task.ref] = 0
                way = self._random.choice(WAYS)
                self.seen[way] += 1
                nursery.start_soon(self._ask, task, way, heard, silent)
        await self._listen(heard)
        for ref, times in heard.items():
            assert times == (ref not in silent), f"an owner heard of a task {times} times"
        self.seen["finished owner"] += 1

    async def _start(self) -> Task[int]:
        self._left -= 1
        begin = self._random.choice(self._starters)
        end, seconds = self._random.choice(ENDS), self._when()

        async def body() -> int:
            return await _live(end, seconds)

        try:
            task = await begin(body)
        except MaxChildren:
            self.full += 1
            task = await Task.start_nolink(body)
        return task

    async def _ask(
        self, task: Task[int], way: Way, heard: dict[MonitorRef, int], silent: set[MonitorRef]
    ) -> None:
        """What an owner does about one task, in a helper of its own."""
        if way == "leave":
            return
        await trio.sleep(self._when() / 2)
        match way:
            case "result":
                try:
                    assert await task.result() >= 0
                except TaskExit:
                    pass
                heard[task.ref] += 1
            case "wait":
                while await task.wait(timeout=0.125) is None:
                    pass
                heard[task.ref] += 1
            case "hurry":
                try:
                    await task.result(timeout=self._when())
                    heard[task.ref] += 1
                except TaskExit:
                    heard[task.ref] += 1
                except TaskTimeout:
                    silent.add(task.ref)
            case "cancel":
                with trio.move_on_after(self._when()):
                    outcome = await task.wait()
                    heard[task.ref] += outcome is not None
            case "shutdown" | "kill":
                await task.shutdown(0.25 if way == "shutdown" else "brutal_kill")
                assert task.pid is not None
                assert not is_alive(task.pid), "it was told to be gone"
                heard[task.ref] += 1
            case _:
                if task.ignore() is None:
                    silent.add(task.ref)
                else:
                    heard[task.ref] += 1

    async def _listen(self, heard: dict[MonitorRef, int]) -> None:
        """Everything has ended by then; read what there is."""
        await trio.sleep(2 * LONGEST)
        while True:
            try:
                message = await receive((TaskDone, Down, Exit), timeout=0.0)
            except ReceiveTimeout:
                return
            if not isinstance(message, Exit):
                heard[message.ref if isinstance(message, Down) else message.task.ref] += 1
                self.seen["message"] += 1


async def _live(end: End, seconds: float) -> int:
    """What a task does."""
    if end == "trap":
        trap_exits()
    await trio.sleep(seconds)
    if end == "reason":
        raise ProcessExit("reason")
    if end == "crash":
        raise RuntimeError("crash")
    return 1


async def churn(count: int, seed: int) -> None:
    """Let ``count`` tasks begin and end.

    Raises if an owner heard of a task never or twice, if a process is left, or if anything is kept.
    Needs an open node without instruments that keep what they are told, and nothing else in it;
    meant for virtual time.
    """
    supervisor = TaskSupervisorRef(
        await start(TaskSupervisor.child_spec(max_children=MAX_CHILDREN))
    )
    crowd = Churn(supervisor, count, seed)
    before = _objects()
    async with trio.open_nursery() as nursery:
        for _ in range(AT_ONCE):
            nursery.start_soon(crowd.owners)
    await trio.sleep(2 * LONGEST)
    assert processes() == [supervisor.pid], f"processes are left: {processes()}"
    assert await supervisor.children() == [], "the supervisor knows of tasks that are gone"
    kept = _objects() - before
    assert kept < MOST_KEPT, f"{kept} objects were kept"
    assert min(crowd.full, *crowd.seen.values()) > 0, f"not everything happened: {crowd.seen}"
    await supervisor.stop()


def _objects() -> int:
    gc.collect()
    return len(gc.get_objects())
