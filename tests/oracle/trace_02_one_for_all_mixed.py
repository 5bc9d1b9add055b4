"""02_one_for_all_mixed.exs: permanent p and q, transient t, temporary x, and what is refused."""

from __future__ import annotations

from functools import partial

from runtime import Normal, Shutdown, kill
from supervisors import Supervisor, SupervisorRef
from tests.oracle.rendering import say
from tests.oracle.trace import Trace, answer, counts, exits_of, flush, kids, pid_of, refusal, settle
from tests.oracle.worker import End, end, worker


async def scenario(trace: Trace) -> None:
    out, spec = trace.out, partial(worker, trace)
    children = [
        spec("p"),
        spec("t").replace(restart="transient"),
        spec("x").replace(restart="temporary"),
        spec("q"),
    ]
    s = SupervisorRef(
        await Supervisor.start_link(children, strategy="one_for_all", max_restarts=10)
    )
    out(f"children {await kids(s)}")
    out("-- crash p")
    await end(s, "p", "boom")
    out(f"children {await kids(s)}")
    out("-- t exits normally")
    await end(s, "t", Normal())
    out(f"children {await kids(s)}")
    out(f"counts {counts(await s.count_children())}")
    out(f"start_child same id as stopped t: {say(await answer(s.start_child(spec('t'))))}")
    out("-- add temporary y and crash it")
    y = await s.start_child(spec("y").replace(restart="temporary"))
    y2 = refusal(await answer(s.start_child(spec("y"))), "already_started")
    out(f"already_started same pid {say(y.pid is y2)}")
    y.cast(End("boom"))
    await settle()
    out(f"children {await kids(s)}")
    out("-- kill q by signal (no terminate for q); stopped t is revived")
    kill(await pid_of(s, "q"))
    await settle()
    out(f"children {await kids(s)}")
    out("-- t exits with {shutdown,x}")
    await end(s, "t", Shutdown("x"))
    out(f"children {await kids(s)}")
    out(f"delete running p {say(await answer(s.delete_child('p')))}")
    out(f"delete stopped t {say(await answer(s.delete_child('t')))}")
    out(f"restart deleted t {say(await answer(s.restart_child('t')))}")
    out(f"restart running p {say(await answer(s.restart_child('p')))}")
    out("-- stop with custom reason")
    out(f"stop {say(await answer(s.stop('custom')))}")
    out(f"exit {say(exits_of(s, await flush()))}")
