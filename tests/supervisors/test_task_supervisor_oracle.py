"""One whole scenario against what Elixir printed for it, line by line."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import trio

from runtime import (
    Call,
    Down,
    Exited,
    GenServer,
    MonitorRef,
    Node,
    Normal,
    Ok,
    Pid,
    ProcessExit,
    Task,
    TaskDone,
    TaskExit,
    TaskTimeout,
    exit,
    handles,
    is_alive,
    kill,
    receive,
    result_many,
    spawn,
    start,
    trap_exits,
    wait_exit,
    wait_many,
)
from supervisors import ChildNotFound, TaskSupervisor, TaskSupervisorRef
from tests.runtime.tasking import after, drained, end_as, forever, give, pid_of, stubborn
from tests.supervisors.tree_parts import say, settle
from tests.support import in_process

LINES = """
owner result ok 42
owner down crash boom
owner down raise error(RuntimeError:oops)
owner down throw error(KeyError:'x')
owner down quiet normal
owner alive True children 0
-- yield
yield ok {ok,1}
yield crash {exit,c}
yield early nil later {ok,late} spent {ok,late}
-- shutdown
shutdown running nil
brutal running nil
shutdown finished {ok,done}
shutdown crashed {exit,bad}
shutdown stubborn {exit,killed}
shutdown graceful {ok,graceful}
shutdown twice nil {exit,noproc}
-- await
await ok ok 7
await crash exit c
await normal exit normal
await killed exit killed
await timeout exit timeout alive True
late reply discarded []
await_many ok [40, 5, 20]
await_many crash exit c other alive True
await_many timeout exit timeout
yield_many [{ok,1},nil,{exit,e}]
-- terminate_child seen by the waiter
terminate ok yield {exit,shutdown} again not_found
-- linked task, non trapping owner
owner died linked
-- owner death reaches a linked task but not a nolink one
owner down owner_gone
linked task down owner_gone
nolink task alive True
-- supervisor stop shuts the remaining task down
stop ok yield {exit,shutdown}
"""


class Go(Call[bool]):
    """Start this as a task of this tag."""

    tag: str
    fn: Callable[[], Awaitable[Any]]


class Owner(GenServer):
    """Writes down what becomes of its tasks."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines
        self.tags: dict[MonitorRef, str] = {}

    @handles(Go)
    async def go(self, request: Go) -> bool:
        task = await TaskSupervisorRef("ts").start_nolink(request.fn)
        self.tags[task.ref] = request.tag
        return True

    @handles(TaskDone)
    def done(self, message: TaskDone[object]) -> None:
        self.lines.append(f"owner result {self.tags.pop(message.task.ref)} {message.value}")

    @handles(Down)
    def down(self, message: Down) -> None:
        self.lines.append(f"owner down {self.tags.pop(message.ref)} {say(message.reason)}")


def told(outcome: Ok[Any] | Exited[None] | None) -> str:
    """An outcome as the trace writes it."""
    match outcome:
        case None:
            return "nil"
        case Ok(value):
            return f"{{ok,{value}}}"
        case Exited(reason):
            return f"{{exit,{'noproc' if 'NoProcess' in repr(reason) else say(reason)}}}"


async def attempt(asked: Awaitable[Any]) -> str:
    """What comes of asking for a result."""
    try:
        return f"ok {await asked}"
    except TaskExit as exc:
        return f"exit {say(exc.reason)}"
    except TaskTimeout:
        return "exit timeout"


async def add() -> int:
    return 41 + 1


async def oops() -> None:
    raise RuntimeError("oops")


async def throw() -> None:
    raise KeyError("x")


async def end(reason: Any) -> None:
    raise ProcessExit(reason)


async def graceful() -> str:
    trap_exits()
    await receive()
    return "graceful"


class Scenario:
    """The steps, in a process of their own."""

    def __init__(self, supervisor: TaskSupervisorRef) -> None:
        self.lines: list[str] = []
        self.sup = supervisor
        self.n = supervisor.start_nolink

    async def owned(self) -> None:
        owner = await start(Owner.child_spec(self.lines))
        for tag, fn in {
            "ok": add,
            "crash": lambda: end("boom"),
            "raise": oops,
            "throw": throw,
            "quiet": lambda: end(Normal()),
        }.items():

            async def body(fn: Callable[[], Awaitable[Any]] = fn) -> Any:
                return await fn()

            await owner.call(Go(tag, body))
            await settle()
        children = await self.sup.children()
        self.lines.append(f"owner alive {is_alive(owner)} children {len(children)}")
        await owner.stop()

    async def waited(self) -> None:
        out, n = self.lines.append, self.n
        out("-- yield")
        out(f"yield ok {told(await (await n(give, 1)).wait())}")
        out(f"yield crash {told(await (await n(end_as, 'c')).wait())}")
        task = await n(after, 0.06, "late")
        early, later = await task.wait(timeout=0.01), await task.wait(timeout=0.5)
        spent = await task.wait(timeout=0.01)
        out(f"yield early {told(early)} later {told(later)} spent {told(spent)}")

    async def shut_down(self) -> None:
        out, n = self.lines.append, self.n
        out("-- shutdown")
        out(f"shutdown running {told(await (await n(forever)).shutdown())}")
        out(f"brutal running {told(await (await n(forever)).shutdown('brutal_kill'))}")
        done = await n(give, "done")
        await settle()
        out(f"shutdown finished {told(await done.shutdown())}")
        bad = await n(end_as, "bad")
        await trio.sleep(0.02)
        out(f"shutdown crashed {told(await bad.shutdown())}")
        ignoring = await n(stubborn)
        await settle()
        out(f"shutdown stubborn {told(await ignoring.shutdown(0.03))}")
        kind = await n(graceful)
        await settle()
        out(f"shutdown graceful {told(await kind.shutdown(0.5))}")
        task = await n(forever)
        out(f"shutdown twice {told(await task.shutdown())} {told(await task.shutdown())}")

    async def awaited(self) -> None:
        out, n = self.lines.append, self.n
        out("-- await")
        out(f"await ok {await attempt((await n(give, 7)).result())}")
        out(f"await crash {await attempt((await n(end_as, 'c')).result())}")
        out(f"await normal {await attempt((await n(end_as, Normal())).result())}")
        killed = await n(forever)
        kill(pid_of(killed))
        out(f"await killed {await attempt(killed.result())}")
        late = await n(after, 0.05, "late")
        got = await attempt(late.result(timeout=0.01))
        out(f"await timeout {got} alive {is_alive(pid_of(late))}")
        await trio.sleep(0.1)
        out(f"late reply discarded {await drained()}")

    async def awaited_many(self) -> None:
        out, n = self.lines.append, self.n
        out(
            "await_many "
            + await attempt(result_many([await n(after, at / 1000, at) for at in (40, 5, 20)]))
        )
        tasks = [await n(forever), await n(end_as, "c")]
        got = await attempt(result_many(tasks))
        out(f"await_many crash {got} other alive {is_alive(pid_of(tasks[0]))}")
        both: list[Task[Any]] = [await n(give, 1), tasks[0]]
        out(f"await_many timeout {await attempt(result_many(both, timeout=0.02))}")
        await self.sup.terminate_child(pid_of(tasks[0]))
        three: list[Task[Any]] = [await n(give, 1), await n(forever), await n(end_as, "e")]
        outcomes = ",".join(map(told, await wait_many(three, timeout=0.04)))
        out(f"yield_many [{outcomes}]")
        await three[1].shutdown("brutal_kill")

    async def terminated(self) -> None:
        self.lines.append("-- terminate_child seen by the waiter")
        task = await self.n(forever)
        await self.sup.terminate_child(pid_of(task))
        with pytest.raises(ChildNotFound):
            await self.sup.terminate_child(pid_of(task))
        self.lines.append(f"terminate ok yield {told(await task.wait())} again not_found")

    async def linked(self) -> None:
        out = self.lines.append
        out("-- linked task, non trapping owner")

        async def owner() -> None:
            await self.sup.start(end_as, "linked")
            await trio.sleep_forever()

        out(f"owner died {say(await wait_exit(spawn(owner)))}")
        out("-- owner death reaches a linked task but not a nolink one")
        tasks: list[Task[None]] = []

        async def both() -> None:
            tasks.append(await self.sup.start(forever))
            tasks.append(await self.n(forever))
            await trio.sleep_forever()

        pid: Pid = spawn(both)
        await settle()
        exit(pid, "owner_gone")
        out(f"owner down {say(await wait_exit(pid))}")
        outcome = await tasks[0].wait()
        assert isinstance(outcome, Exited)
        out(f"linked task down {say(outcome.reason)}")
        out(f"nolink task alive {is_alive(pid_of(tasks[1]))}")

    async def stopped(self) -> None:
        self.lines.append("-- supervisor stop shuts the remaining task down")
        task = await self.n(forever)
        await self.sup.stop()
        self.lines.append(f"stop ok yield {told(await task.wait(timeout=math.inf))}")

    async def play(self) -> None:
        for step in (
            self.owned, self.waited, self.shut_down, self.awaited, self.awaited_many,
            self.terminated, self.linked, self.stopped,
        ):  # fmt: skip
            await step()


async def test_oracle_07_task_nolink(node: Node) -> None:
    """The trace, with ours where we differ.

    differs: an owner gets one message for each task, not the value and then a ``DOWN``; a value is
    there for whoever asks again; a raise is a raise, as there is no throw.
    """
    spec = TaskSupervisor.child_spec().replace(name="ts")
    scenario = Scenario(TaskSupervisorRef(await start(spec)))
    await in_process(scenario.play)
    assert scenario.lines == LINES.strip().splitlines()
