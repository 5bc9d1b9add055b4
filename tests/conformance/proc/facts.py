"""Rows of PROC about what is told of a process: links, monitors, its label."""

from __future__ import annotations

from functools import partial

from runtime import link, monitor, named, process_info, ref, set_label
from tests.conformance.proc.parts import dead, info_of, peer
from tests.conformance.scenarios import row


@row("PROC-070")
async def links_and_monitors_are_told_on_both_sides() -> None:
    p, q = await peer(), await peer()
    await p.do(partial(link, q.pid))
    await p.do(partial(monitor, q.pid))
    ours, theirs = info_of(p.pid), info_of(q.pid)
    assert (ours.links, ours.monitors, ours.monitored_by) == ((q.pid,), (q.pid,), ())
    assert (theirs.links, theirs.monitors, theirs.monitored_by) == ((p.pid,), (), (p.pid,))


@row("PROC-071")
async def of_the_dead_nothing_is_told() -> None:
    pid = await dead()
    for target in (pid, ref(pid), named("nobody")):
        assert process_info(target) is None


@row("PROC-075")
async def a_label_is_read_by_its_process_and_by_others() -> None:
    p, unlabelled = await peer(), await peer()
    await p.do(partial(set_label, "worker for order 7"))
    own = await p.do(lambda: info_of(p.pid).label)
    foreign = info_of(p.pid).label
    assert own == foreign == "worker for order 7"
    assert info_of(unlabelled.pid).label is None
