"""01_rest_for_one.exs: crashes in the middle, last and first of five; one stopped by hand."""

from __future__ import annotations

from runtime import Normal
from supervisors import Supervisor, SupervisorRef
from tests.oracle.rendering import say
from tests.oracle.trace import Trace, answer, counts, exits_of, flush, kids
from tests.oracle.worker import end, worker


async def scenario(trace: Trace) -> None:
    out = trace.out
    children = [worker(trace, tag) for tag in "abcde"]
    s = SupervisorRef(
        await Supervisor.start_link(children, strategy="rest_for_one", max_restarts=10)
    )
    for victim, reason in (("c", "boom"), ("e", "oops"), ("a", "bad")):
        out(f"-- crash {victim}")
        await end(s, victim, reason)
    out("-- normal exit of permanent d")
    await end(s, "d", Normal())
    out("-- terminate_child b")
    out(f"terminate_child {say(await answer(s.terminate_child('b')))}")
    out(f"children {await kids(s)}")
    out("-- crash c while b is down")
    await end(s, "c", "boom")
    out(f"children {await kids(s)}")
    out("-- crash a while b is down (b is revived by the group restart)")
    await end(s, "a", "boom")
    out(f"children {await kids(s)}")
    out(f"counts {counts(await s.count_children())}")
    out("-- stop")
    out(f"stop {say(await answer(s.stop()))}")
    out(f"exit {say(exits_of(s, await flush()))}")
