"""09_monitors.exs: what a monitor tells and when, and how each kind of end is told."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

import trio

from runtime import (
    Down,
    Exit,
    Normal,
    ProcessExit,
    Shutdown,
    demonitor,
    exit,
    is_alive,
    kill,
    monitor,
    named,
    register,
    self_,
    send,
    spawn,
    spawn_link,
    spawn_monitor,
    whereis,
)
from tests.oracle.rendering import Thrown, say
from tests.oracle.trace import Trace, await_down, died, flush, forever, settle, wait_for


def told(messages: list[object]) -> str:
    """Messages without their references; whom a ``Down`` is about is a name, or a pid."""
    return say([short(message) for message in messages])


def short(message: object) -> object:
    match message:
        case Down(reason=reason, name=None):
            return "DOWN", "pid", reason
        case Down(reason=reason, name=name):
            return "DOWN", name, reason
        case Exit(reason=reason):
            return "EXIT", reason
        case _:
            return message


async def nothing() -> None:
    pass


async def leave(reason: object) -> None:
    raise ProcessExit(reason)


async def give() -> int:
    return 1


async def fail() -> None:
    raise RuntimeError("x")


async def throw() -> None:
    raise Thrown("x")


async def kill_itself() -> None:
    kill(self_())
    await trio.lowlevel.checkpoint()


async def signal_itself() -> None:
    exit(self_(), Normal())
    await trio.sleep(0.05)
    raise ProcessExit("survived")


REASONS: dict[str, Callable[[], Awaitable[object]]] = {
    "ret": give,
    "raise": fail,
    "throw": throw,
    "exit": partial(leave, ("a", 1)),
    "exit_kill": partial(leave, "kill"),
    "self_kill": kill_itself,
    "self_normal_signal": signal_itself,
}


async def scenario(trace: Trace) -> None:
    out = trace.out
    await order_and_demonitor(trace)
    await names(trace)
    out("-- link and monitor on the same process while trapping: both")

    async def leave_when_told() -> None:
        await wait_for("go")
        raise ProcessExit("both")

    p = spawn_link(leave_when_told)
    monitor(p)
    send(p, "go")
    ends = [one for one in await flush() if isinstance(one, Exit | Down)]
    out(say(sorted(f"{type(one).__name__.upper()} {say(one.reason)}" for one in ends)))
    out("-- reasons")
    for name, fn in REASONS.items():
        out(f"{name} {say(await died(fn))}")
    out("-- monitoring self is inert")
    monitor(self_())
    out(told(await flush(20)))
    out("-- a monitored process is not affected by its watcher dying")
    p = spawn(forever)

    async def watch() -> None:
        monitor(p)
        raise ProcessExit("watcher")

    w = spawn(watch)
    await settle(20)
    out(f"watcher alive {say(is_alive(w))} watched alive {say(is_alive(p))}")


async def order_and_demonitor(trace: Trace) -> None:
    out, me = trace.out, self_()
    out("-- messages sent before exit come before DOWN; DOWN comes once per monitor")

    async def last_words() -> None:
        await wait_for("go")
        send(me, 1)
        send(me, 2)
        raise ProcessExit("boom")

    p = spawn(last_words)
    monitor(p)
    monitor(p)
    send(p, "go")
    out(told(await flush()))
    out("-- dead process: noproc")
    monitor(p)
    out(told(await flush(20)))
    out("-- demonitor with flush drops a queued DOWN, without flush it stays")
    _, ref = spawn_monitor(nothing)
    await settle(20)
    demonitor(ref, flush=True)
    out(told(await flush(20)))
    _, ref = spawn_monitor(leave, "gone")
    await settle(20)
    demonitor(ref)
    out(told(await flush(20)))
    out("-- demonitor before death: nothing")
    p = spawn(forever)
    ref = monitor(p)
    demonitor(ref)
    kill(p)
    out(told(await flush(20)))


async def names(trace: Trace) -> None:
    out = trace.out
    out("-- by name")
    monitor(named("nobody_here"))
    out(told(await flush(20)))
    p = spawn(forever)
    register("named_one", p)
    monitor(named("named_one"))
    exit(p, Shutdown("x"))
    out(told(await flush()))
    q = spawn(forever)
    register("named_one", q)
    kill(q)
    out(f"second holder of the name not watched: {told(await flush(20))}")
    out("-- the name is free once DOWN has been seen")
    p = spawn(forever)
    register("named_two", p)
    ref = monitor(p)
    kill(p)
    w = await await_down(ref)
    out(f"down {say(w)} whereis {say(whereis('named_two'))}")
