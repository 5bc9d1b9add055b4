"""10_shutdown_order.exs: nine children that end in nine ways, and who may stop a supervisor."""

from __future__ import annotations

import math
from functools import partial

import trio

from runtime import (
    Down,
    ExitReason,
    ProcessExit,
    Shutdown,
    Stop,
    exit,
    is_alive,
    kill,
    monitor,
    receive,
    self_,
    send,
    spawn,
)
from supervisors import Supervisor, SupervisorRef
from tests.oracle.rendering import say
from tests.oracle.trace import Trace, answer, await_down, flush, pid_of, settle
from tests.oracle.worker import worker


async def scenario(trace: Trace) -> None:
    out, spec = trace.out, partial(worker, trace)
    inner = Supervisor.child_spec([spec("i1"), spec("i2", nap=40)], strategy="one_for_one")
    children = [
        spec("first"),
        spec("slow_ok", nap=60).replace(shutdown=1.0),
        spec("brutal").replace(shutdown="brutal_kill"),
        spec("too_slow", nap=5000).replace(shutdown=0.05),
        spec("plain", trap=False),
        inner.replace(id="inner"),
        spec("odd", last="odd_reason"),
        spec("forever_ok", nap=80).replace(shutdown=math.inf),
        spec("last"),
    ]
    s = SupervisorRef(await Supervisor.start_link(children, strategy="one_for_one"))
    refs = {monitor(await pid_of(s, child.id)): child.id for child in children}
    out("-- stop")
    t0 = trio.current_time()
    out(f"stop {say(await answer(s.stop(Shutdown())))}")
    dt = round((trio.current_time() - t0) * 1000)
    for message in await flush(50):
        if isinstance(message, Down):
            out(f"down {say(refs[message.ref])} {say(message.reason)}")
    out(
        f"sequential: at least sum of naps {say(dt >= 60 + 50 + 40 + 80)} "
        f"and bounded {say(dt < 1500)}"
    )
    out(
        "-- killing a supervisor skips its orderly shutdown; "
        "trapping children see killed from their parent"
    )
    s = SupervisorRef(await Supervisor.start_link([spec("k1")], strategy="one_for_one"))
    m = monitor(await pid_of(s, "k1"))
    await flush(0)
    kill(s)
    out(f"down k1 {say(await await_down(m))}")
    out("-- a start failure in the middle undoes the started ones in reverse")
    await flush(20)
    failing = spec("f3", begin=lambda: Stop("no_luck"))
    res = Supervisor.start_link(
        [spec("f1"), spec("f2"), failing, spec("f4")], strategy="one_for_one"
    )
    out(f"start {say(await answer(res))}")
    await parents_and_strangers(trace)


async def parents_and_strangers(trace: Trace) -> None:
    out, spec, me = trace.out, partial(worker, trace), self_()

    async def parent(*tags: str) -> None:
        children = [spec(tag) for tag in tags]
        send(me, SupervisorRef(await Supervisor.start_link(children, strategy="one_for_one")))
        raise ProcessExit((await receive(Die)).reason)

    out("-- parent exit: supervisor shuts down its children and leaves with the parent's reason")
    par = spawn(parent, "p1", "p2")
    s = await receive(SupervisorRef)
    m = monitor(s)
    send(par, Die("parent_gone"))
    out(f"down sup {say(await await_down(m))}")
    out("-- exit signals from strangers do not stop a supervisor")
    par = spawn(parent)
    s = await receive(SupervisorRef)
    exit(s, Shutdown())
    exit(s, "boom")
    await settle(30)
    out(f"alive {say(is_alive(s))}")
    send(par, Die(Shutdown()))
    await settle(30)
    out(f"after parent left alive {say(is_alive(s))}")


class Die:
    """Leave with this reason."""

    def __init__(self, reason: ExitReason) -> None:
        self.reason = reason
