"""Rows of PROC about exit signals: who ignores one, who gets a message, who ends, and the kill."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import trio
from trio.testing import wait_all_tasks_blocked

from runtime import (
    Crashed,
    Down,
    Exit,
    ExitReason,
    Killed,
    NoProcess,
    Normal,
    Pid,
    ProcessExit,
    Shutdown,
    exit,
    kill,
    link,
    monitor,
    receive,
    self_,
    send,
    spawn,
    start,
    trap_exits,
)
from tests.conformance.proc.parts import (
    chain_of,
    dead,
    linked_peer,
    peer,
    reason_in_down,
    rest_of_mailbox,
)
from tests.conformance.scenarios import row
from tests.conftest import Recorder
from tests.support import Scripted, end_of, in_process

CALLED_KILL: tuple[ExitReason, ...] = ("kill", Killed())
"""What comes nearest to the atom ``kill``: neither is the kill, which is a function of its own."""


@row("PROC-015")
async def a_foreign_normal_signal_is_ignored_by_who_does_not_trap() -> None:
    p, stranger = await peer(), await peer()
    await stranger.do(partial(exit, p.pid, Normal()))
    assert p.alive
    assert p.heard == []


@row("PROC-016")
async def a_foreign_normal_signal_is_a_message_to_who_traps() -> None:
    p, stranger = await peer(trap=True), await peer()
    await stranger.do(partial(exit, p.pid, Normal()))
    assert p.alive
    assert p.heard == [Exit(stranger.pid, Normal())]


@row("PROC-017")
async def a_normal_signal_to_itself_ends_a_process() -> None:
    """differs: it ends at its next checkpoint, not within the call of ``exit``."""
    log: list[str] = []

    async def p() -> None:
        exit(self_(), Normal())
        log.append("before the checkpoint")
        await trio.lowlevel.checkpoint()
        log.append("after the checkpoint")

    assert await reason_in_down(p) == Normal()
    assert log == ["before the checkpoint"]


@row("PROC-018")
async def a_normal_signal_to_itself_is_a_message_to_who_traps() -> None:
    async def p() -> None:
        exit(self_(), Normal())
        assert await rest_of_mailbox() == [Exit(self_(), Normal())]

    await in_process(p, trap=True)


@row("PROC-019")
async def a_signal_ends_who_does_not_trap_with_its_reason(events: Recorder) -> None:
    stranger = await peer()
    of_the_runtime = (Shutdown(), Shutdown("x"), Killed(), NoProcess(), Crashed(ValueError("x")))
    for reason in ("boom", 0, False, (), *of_the_runtime):
        p = await peer()
        await stranger.do(partial(exit, p.pid, reason))
        assert end_of(events, p.pid) is reason


@row("PROC-020")
async def a_trapped_signal_tells_its_sender_not_a_linked_process() -> None:
    q, stranger = await peer(), await peer()
    p = await linked_peer(q, trap=True)
    await stranger.do(partial(exit, p.pid, "boom"))
    assert p.heard == [Exit(stranger.pid, "boom")]
    assert p.alive
    assert q.alive


@row("PROC-021")
async def a_kill_cannot_be_trapped_and_is_seen_as_killed() -> None:
    p, stranger = await peer(trap=True), await peer()
    observer = await linked_peer(p, trap=True)
    ref = await observer.do(partial(monitor, p.pid))
    await stranger.do(partial(kill, p.pid))
    assert not p.alive
    assert p.heard == []
    assert len(observer.heard) == 2
    assert set(observer.heard) == {Exit(p.pid, Killed()), Down(ref, p.pid, Killed())}


@row("PROC-022")
async def a_process_that_traps_can_kill_itself() -> None:
    """differs: it ends at its next checkpoint, not within the call of ``kill``."""
    log: list[str] = []

    async def p() -> None:
        trap_exits()
        kill(self_())
        log.append("before the checkpoint")
        await trio.lowlevel.checkpoint()
        log.append("after the checkpoint")

    assert await reason_in_down(p) == Killed()
    assert log == ["before the checkpoint"]


@row("PROC-023")
async def a_reason_that_is_called_kill_is_a_plain_reason() -> None:
    log: list[str] = []

    async def p(reason: ExitReason) -> None:
        try:
            raise ProcessExit(reason)
        finally:
            await trio.sleep(1)  # a kill would cancel it
            log.append("not killed")

    for reason in CALLED_KILL:
        assert await reason_in_down(p, reason) is reason
    assert log == ["not killed"] * 2


@row("PROC-024")
async def a_reason_that_is_called_kill_is_a_message_to_a_peer_that_traps() -> None:
    for reason in CALLED_KILL:
        p = await peer()
        q = await linked_peer(p, trap=True)
        await p.leave(reason)
        assert q.heard == [Exit(p.pid, reason)]
        assert q.alive


@row("PROC-025")
async def a_reason_that_is_called_kill_is_an_ordinary_signal_to_a_peer(events: Recorder) -> None:
    for reason in CALLED_KILL:
        last_words: list[object] = []
        p, q = await peer(), await start(Scripted.child_spec(last_words))
        await p.do(partial(link, q.pid))
        await p.leave(reason)
        assert end_of(events, q.pid) is reason
        assert last_words == [("terminate", reason)]  # a kill would leave it none


@row("PROC-026")
async def a_killed_process_reaches_a_peer_that_traps_as_killed() -> None:
    p, stranger = await peer(), await peer()
    q = await linked_peer(p, trap=True)
    await stranger.do(partial(kill, p.pid))
    assert q.heard == [Exit(p.pid, Killed())]
    assert q.alive


@row("PROC-027")
async def a_kill_in_a_chain_goes_as_far_as_to_who_traps(events: Recorder) -> None:
    a, b, c = await chain_of(3, trapping=[2])
    kill(b.pid)
    await wait_all_tasks_blocked()
    assert end_of(events, a.pid) == Killed()
    assert end_of(events, b.pid) == Killed()
    assert c.heard == [Exit(b.pid, Killed())]
    assert c.alive


@row("PROC-028")
async def a_signal_to_the_dead_is_no_error(events: Recorder) -> None:
    pid = await dead()
    before = list(events)
    signals: list[Callable[[Pid], object]] = [kill, lambda target: exit(target, "boom")]
    for signal in signals:
        assert signal(pid) is None
    await wait_all_tasks_blocked()
    assert events == before


@row("PROC-029")
async def trapping_exits_after_the_signal_is_too_late(events: Recorder) -> None:
    log: list[str] = []

    async def traps_late() -> None:
        await receive()
        trap_exits()
        log.append("traps")
        await receive()

    async def cleans_up() -> None:
        try:
            await receive()
        finally:
            trap_exits()

    fresh, waiting, cleaning = spawn(traps_late), spawn(traps_late), spawn(cleans_up)
    send(fresh, "trap")
    exit(fresh, "before its first step")
    await wait_all_tasks_blocked()
    exit(waiting, "while it waits")
    send(waiting, "trap")
    exit(cleaning, "boom")
    await wait_all_tasks_blocked()
    assert end_of(events, fresh) == "before its first step"
    assert end_of(events, waiting) == "while it waits"
    assert end_of(events, cleaning) == "boom"
    assert log == []


@row("PROC-030")
async def each_setting_of_the_flag_returns_the_one_before() -> None:
    async def body() -> list[bool]:
        return [trap_exits(True), trap_exits(True), trap_exits(False)]

    assert await in_process(body) == [False, True, True]
