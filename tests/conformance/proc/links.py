"""Rows of PROC about links: what an end does to who is linked, and what a link and an unlink do."""

from __future__ import annotations

import traceback
from functools import partial

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from runtime import (
    Crashed,
    Down,
    Exit,
    NoProcess,
    Normal,
    ProcessExit,
    ProcessNotFound,
    Shutdown,
    exit,
    link,
    monitor,
    receive,
    send,
    spawn,
    spawn_link,
    unlink,
    wait_exit,
)
from tests.conformance.proc.parts import (
    chain_of,
    dead,
    info_of,
    linked_peer,
    peer,
    reason_in_down,
    rest_of_mailbox,
)
from tests.conformance.scenarios import row
from tests.conftest import Recorder
from tests.support import end_of, in_process


@row("PROC-031")
async def a_normal_end_is_nothing_to_a_peer_that_does_not_trap() -> None:
    p = await peer()
    q = await linked_peer(p)
    await p.leave(Normal())
    assert [p.alive, q.alive] == [False, True]
    assert q.heard == []


@row("PROC-032")
async def a_normal_end_is_a_message_to_a_peer_that_traps() -> None:
    p = await peer()
    q = await linked_peer(p, trap=True)
    await p.leave(Normal())
    assert q.heard == [Exit(p.pid, Normal())]
    assert q.alive


@row("PROC-033")
async def a_shutdown_is_not_special_for_links(events: Recorder) -> None:
    for reason in (Shutdown(), Shutdown("x")):
        p = await peer()
        q = await linked_peer(p)
        await p.leave(reason)
        assert [end_of(events, one.pid) for one in (p, q)] == [reason, reason]


@row("PROC-034")
async def a_crash_ends_a_peer_with_the_same_exception(events: Recorder) -> None:
    error = ValueError("boom")
    p = await peer()
    q = await linked_peer(p)
    await p.fail(error)
    assert [end_of(events, one.pid) for one in (p, q)] == [Crashed(error), Crashed(error)]
    assert traceback.extract_tb(error.__traceback__)[-1].name == "fails"


@row("PROC-035")
async def a_reason_goes_down_a_whole_chain(events: Recorder) -> None:
    chain = await chain_of(5)
    await chain[0].leave("boom")
    assert [end_of(events, one.pid) for one in chain] == ["boom"] * 5


@row("PROC-036")
async def a_chain_ends_as_far_as_to_who_traps(events: Recorder) -> None:
    a, b, c, d, e = await chain_of(5, trapping=[2])
    await a.leave("boom")
    assert [end_of(events, one.pid) for one in (a, b)] == ["boom", "boom"]
    assert c.heard == [Exit(b.pid, "boom")]
    assert [c.alive, d.alive, e.alive] == [True, True, True]
    assert d.heard == e.heard == []


@row("PROC-037")
async def of_a_star_only_the_spoke_that_traps_lives(events: Recorder) -> None:
    hub = await peer()
    spokes = [await linked_peer(hub) for _ in range(3)]
    trapping = await linked_peer(hub, trap=True)
    await hub.leave("boom")
    assert [end_of(events, one.pid) for one in (hub, *spokes)] == ["boom"] * 4
    assert trapping.heard == [Exit(hub.pid, "boom")]
    assert trapping.alive


@row("PROC-038")
async def in_a_ring_all_end_once(events: Recorder) -> None:
    ring = await chain_of(4)
    await ring[-1].do(partial(link, ring[0].pid))
    await ring[1].leave("boom")
    assert [end_of(events, one.pid) for one in ring] == ["boom"] * 4  # each exactly once


@row("PROC-039")
async def of_two_links_the_first_reason_counts(events: Recorder) -> None:
    one, two = await peer(), await peer()

    async def victim() -> None:
        link(one.pid)
        link(two.pid)
        with trio.CancelScope(shield=True):  # so that both reach it before it has ended
            await trio.sleep(5)

    pid = spawn(victim)
    await wait_all_tasks_blocked()
    await one.leave("first")
    await two.leave("second")
    assert await wait_exit(pid) == "first"
    assert end_of(events, pid) == "first"


@row("PROC-040")
async def a_pair_has_one_link_and_one_unlink_removes_it() -> None:
    for trap in (False, True):
        p, q = await peer(trap=trap), await peer()
        await p.do(partial(link, q.pid))
        await p.do(partial(link, q.pid))
        await q.do(partial(link, p.pid))
        assert info_of(p.pid).links == (q.pid,)
        await p.do(partial(unlink, q.pid))
        await q.leave("boom")
        assert [p.alive, q.alive] == [True, False]
        assert p.heard == []


@row("PROC-041")
async def unlinking_what_was_never_linked_has_no_effect() -> None:
    friend, stranger = await peer(), await peer()
    p = await linked_peer(friend)
    await p.do(partial(unlink, stranger.pid))
    assert info_of(p.pid).links == (friend.pid,)
    assert [p.alive, friend.alive, stranger.alive] == [True, True, True]


@row("PROC-042")
async def unlink_leaves_an_exit_that_is_queued() -> None:
    async def p() -> None:
        q = spawn_link(trio.sleep_forever)
        exit(q, "boom")
        await wait_exit(q)
        unlink(q)
        assert await rest_of_mailbox() == [Exit(q, "boom")]

    await in_process(p, trap=True)


@row("PROC-043")
async def after_an_unlink_nothing_is_delivered() -> None:
    for trap in (False, True):
        q = await peer()
        p = await linked_peer(q, trap=trap)
        await q.do(partial(unlink, p.pid))
        await q.leave("boom")
        assert [p.alive, q.alive] == [True, False]
        assert p.heard == []


@row("PROC-044")
async def a_link_to_the_dead_is_a_message_to_who_traps() -> None:
    async def p() -> None:
        pid = await dead()
        link(pid)
        assert await rest_of_mailbox() == [Exit(pid, NoProcess())]

    await in_process(p, trap=True)


@row("PROC-045")
async def a_link_to_the_dead_raises_in_who_does_not_trap() -> None:
    pid = await dead()

    async def catches() -> str:
        with pytest.raises(ProcessNotFound) as raised:
            link(pid)
        assert raised.value.target is pid
        await trio.sleep(1)
        return "alive"

    async def does_not_catch() -> None:
        link(pid)

    assert await in_process(catches) == "alive"
    reason = await reason_in_down(does_not_catch)
    assert isinstance(reason, Crashed)
    assert type(reason.exception) is ProcessNotFound


@row("PROC-046")
async def a_link_to_itself_is_none() -> None:
    for trap in (False, True):
        p = await peer(trap=trap)
        await p.do(partial(link, p.pid))
        assert info_of(p.pid).links == ()
        assert p.alive
        assert p.heard == []


@row("PROC-047")
async def a_linked_child_that_crashes_at_once_is_told_with_its_real_reason() -> None:
    errors = [ValueError(number) for number in range(50)]

    async def crashes(error: Exception) -> None:
        raise error

    async def parent() -> None:
        for number, error in enumerate(errors):
            pid = spawn_link(crashes, error)
            for _ in range(number % 3):  # it has crashed, or not, when the parent looks
                await trio.lowlevel.checkpoint()
            assert await receive() == Exit(pid, Crashed(error))
        assert await rest_of_mailbox() == []

    await in_process(parent, trap=True)


@row("PROC-049")
async def what_was_sent_before_an_end_comes_before_its_notifications() -> None:
    p = await peer()
    observer = await linked_peer(p, trap=True)
    ref = await observer.do(partial(monitor, p.pid))

    def last_words() -> None:
        send(observer.pid, 1)
        send(observer.pid, 2)
        raise ProcessExit("boom")

    send(p.pid, last_words)
    await wait_all_tasks_blocked()
    assert observer.heard[:2] == [1, 2]
    notifications = observer.heard[2:]
    assert len(notifications) == 2
    assert set(notifications) == {Exit(p.pid, "boom"), Down(ref, p.pid, "boom")}
