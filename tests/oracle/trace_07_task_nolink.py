"""07_task_nolink.exs: tasks of a server, awaited, shut down, linked to their owner or not."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import trio

from runtime import (
    Call,
    Down,
    Exit,
    GenServer,
    MonitorRef,
    Normal,
    Pid,
    ProcessExit,
    Task,
    TaskDone,
    handles,
    is_alive,
    kill,
    monitor,
    receive,
    result_many,
    self_,
    send,
    spawn_monitor,
    start_link,
    trap_exits,
    wait_many,
)
from supervisors import TaskSupervisor, TaskSupervisorRef
from tests.oracle.rendering import Thrown, say
from tests.oracle.trace import (
    Trace,
    answer,
    attempt,
    await_down,
    died,
    flush,
    forever,
    settle,
    wait_for,
)

Job = Callable[[], Awaitable[Any]]


class Go(Call[str]):
    """Start this as a task of this tag."""

    tag: str
    fn: Job


class Owner(GenServer):
    """Prints what it hears of its tasks."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.tags: dict[MonitorRef, str] = {}

    @handles(Go)
    async def go(self, request: Go) -> str:
        task = await TaskSupervisorRef("ts").start_nolink(request.fn)
        self.tags[task.ref] = request.tag
        return "ok"

    @handles(TaskDone)
    def done(self, message: TaskDone[object]) -> None:
        self.trace.out(f"owner result {self.tags[message.task.ref]} {say(message.value)}")

    @handles(Down)
    def down(self, message: Down) -> None:
        self.trace.out(f"owner down {self.tags.pop(message.ref)} {say(message.reason)}")


async def add() -> int:
    return 41 + 1


async def give(value: object) -> object:
    return value


async def leave(reason: object) -> None:
    raise ProcessExit(reason)


async def oops() -> None:
    raise RuntimeError("oops")


async def throw() -> None:
    raise Thrown("x")


async def after(ms: int, value: object) -> object:
    await trio.sleep(ms / 1000)
    return value


async def stubborn(me: Pid) -> None:
    trap_exits()
    send(me, "ready")
    await trio.sleep_forever()


async def graceful(me: Pid) -> str:
    trap_exits()
    send(me, "ready")
    await receive(Exit)
    return "graceful"


def pid_of(task: Task[Any]) -> Pid:
    assert task.pid is not None
    return task.pid


async def scenario(trace: Trace) -> None:
    out = trace.out
    spec = TaskSupervisor.child_spec().replace(name="ts")
    sup = TaskSupervisorRef(await start_link(spec))
    o = await Owner.start_link(trace)
    jobs: dict[str, Job] = {
        "ok": add,
        "crash": partial(leave, "boom"),
        "raise": oops,
        "throw": throw,
        "quiet": partial(leave, Normal()),
    }
    for tag, fn in jobs.items():
        await o.call(Go(tag, fn))
        await settle(30)
    out(f"owner alive {say(is_alive(o))} children {len(await sup.children())}")
    await yields(trace, sup)
    await shutdowns(trace, sup)
    await awaits(trace, sup)
    await awaits_of_many(trace, sup)
    out("-- terminate_child seen by the waiter")
    t = await sup.start_nolink(forever)
    terminated = await answer(sup.terminate_child(pid_of(t)))
    seen, again = await t.wait(), await answer(sup.terminate_child(pid_of(t)))
    out(f"terminate {say(terminated)} yield {say(seen)} again {say(again)}")
    await links(trace, sup)
    out("-- supervisor stop shuts the remaining task down")
    t = await sup.start_nolink(forever)
    out(f"stop {say(await answer(sup.stop()))} yield {say(await t.wait(timeout=0.1))}")


async def yields(trace: Trace, sup: TaskSupervisorRef) -> None:
    out, n = trace.out, sup.start_nolink
    out("-- yield")
    out(f"yield ok {say(await (await n(give, 1)).wait())}")
    out(f"yield crash {say(await (await n(leave, 'c')).wait())}")
    t = await n(after, 60, "late")
    out(
        f"yield early {say(await t.wait(timeout=0.01))} later {say(await t.wait(timeout=0.5))} "
        f"spent {say(await t.wait(timeout=0.01))}"
    )


async def shutdowns(trace: Trace, sup: TaskSupervisorRef) -> None:
    out, n, me = trace.out, sup.start_nolink, self_()
    out("-- shutdown")
    out(f"shutdown running {say(await (await n(forever)).shutdown())}")
    out(f"brutal running {say(await (await n(forever)).shutdown('brutal_kill'))}")
    t: Task[Any] = await n(give, "done")
    await settle(20)
    out(f"shutdown finished {say(await t.shutdown())}")
    t = await n(leave, "bad")
    await settle(20)
    out(f"shutdown crashed {say(await t.shutdown())}")
    t = await n(stubborn, me)
    await wait_for("ready")
    out(f"shutdown stubborn {say(await t.shutdown(0.03))}")
    t = await n(graceful, me)
    await wait_for("ready")
    out(f"shutdown graceful {say(await t.shutdown(0.5))}")
    t = await n(forever)
    out(f"shutdown twice {say(await t.shutdown())} {say(await t.shutdown())}")


async def awaits(trace: Trace, sup: TaskSupervisorRef) -> None:
    out, n = trace.out, sup.start_nolink
    out("-- await")
    t: Task[Any] = await n(give, 7)
    out(f"await ok {await attempt(t.result)}")
    t = await n(leave, "c")
    out(f"await crash {await attempt(t.result)}")
    t = await n(leave, Normal())
    out(f"await normal {await attempt(t.result)}")
    t = await n(forever)
    kill(pid_of(t))
    out(f"await killed {await attempt(t.result)}")
    t = await n(after, 50, "late")
    out(
        f"await timeout {await attempt(partial(t.result, timeout=0.01))} "
        f"alive {say(is_alive(pid_of(t)))}"
    )
    out(f"late reply discarded {say(await flush(100))}")


async def awaits_of_many(trace: Trace, sup: TaskSupervisorRef) -> None:
    out, n = trace.out, sup.start_nolink
    ts: list[Task[Any]] = [await n(after, i, i) for i in (40, 5, 20)]
    out(f"await_many {await attempt(partial(result_many, ts))}")
    ts = [await n(forever), await n(leave, "c")]
    out(
        f"await_many crash {await attempt(partial(result_many, ts))} "
        f"other alive {say(is_alive(pid_of(ts[0])))}"
    )
    both: list[Task[Any]] = [await n(give, 1), ts[0]]
    out(f"await_many timeout {await attempt(partial(result_many, both, timeout=0.02))}")
    await sup.terminate_child(pid_of(ts[0]))
    ts = [await n(give, 1), await n(forever), await n(leave, "e")]
    out(f"yield_many {say(list(await wait_many(ts, timeout=0.04)))}")
    await ts[1].shutdown("brutal_kill")


async def links(trace: Trace, sup: TaskSupervisorRef) -> None:
    out, me = trace.out, self_()
    out("-- linked task, non trapping owner")

    async def owner() -> None:
        await sup.start(leave, "linked")
        await trio.sleep_forever()

    out(f"owner died {say(await died(owner))}")
    out("-- owner death reaches a linked task but not a nolink one")

    async def owner_of_both() -> None:
        a, b = await sup.start(forever), await sup.start_nolink(forever)
        send(me, (a.pid, b.pid))
        await wait_for("die")
        raise ProcessExit("owner_gone")

    p, m = spawn_monitor(owner_of_both)
    a, b = await receive(tuple)
    ra = monitor(a)
    send(p, "die")
    out(f"owner down {say(await await_down(m))}")
    out(f"linked task down {say(await await_down(ra))}")
    await settle(20)
    out(f"nolink task alive {say(is_alive(b))}")
