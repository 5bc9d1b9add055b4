"""``crashes`` and ``mailbox_of``: what ended, and what waits, as text."""

from __future__ import annotations

import time

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from runtime import (
    Node,
    NoReply,
    ProcessNotFound,
    crashes,
    kill,
    named,
    open_node,
    send,
    snapshot,
    spawn,
    start,
    suspend,
    wait_exit,
)
from runtime.inspection.snapshot import mailbox_of
from supervisors import DynamicSupervisor, Supervisor, open_supervisor
from supervisors.dynamic_supervisor_ref import DynamicSupervisorRef
from tests.support import Ask, Note, Scripted

# ---------------------------------------------------------------------- mailboxes


async def test_the_first_messages_that_wait(node: Node) -> None:
    server = await start(Scripted.child_spec().replace(name="one"))
    await suspend(server)
    server.send("first")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(server.call, Ask(lambda one, reply_to: NoReply()))
        await wait_all_tasks_blocked()
        server.send(Note(text="last"))
        first, second, third = mailbox_of(named("one"))
        assert first == "'first'"
        assert second.startswith("Ask(")
        assert third == "Note(fn=None, text='last')"
        assert mailbox_of(server.pid, 1) == (first,)
        assert mailbox_of(server, -1) == ()
        nursery.cancel_scope.cancel()


async def test_the_dead_have_no_mailbox(node: Node) -> None:
    with pytest.raises(ProcessNotFound):
        mailbox_of(named("nobody"))


# ---------------------------------------------------------------------- crashes


async def test_crashes_come_newest_last(node: Node) -> None:
    specs = [Scripted.child_spec().replace(name=name, id=name) for name in "ab"]
    error = ValueError("boom")

    def crash(_one: object) -> None:
        raise error

    before = time.time()
    await start(Supervisor.child_spec(specs).replace(name="top"))
    named("a").send(Note(crash, text="go"))
    await wait_all_tasks_blocked()
    kill(named("b"))
    await wait_all_tasks_blocked()
    first, second = crashes()
    assert (first.name, first.behaviour, first.reason) == ("a", "Scripted", "ValueError('boom')")
    assert first.traceback.endswith("ValueError: boom")
    assert "in crash\n" in first.traceback
    assert first.last_message is not None
    assert first.last_message.endswith("text='go')")
    assert (first.ancestors, first.then) == (("top",), "restart a")
    assert (second.name, second.reason, second.traceback) == ("b", "Killed()", "")
    assert (second.last_message, second.then) == (None, "restart b")
    assert before <= first.at <= second.at <= time.time()
    assert crashes(1) == [second]
    assert crashes(0) == []


async def test_an_ordinary_end_is_no_crash(node: Node) -> None:
    server = await start(Scripted.child_spec())
    await server.stop()
    await wait_exit(spawn(trio.lowlevel.checkpoint))
    assert crashes() == []


async def test_a_node_that_tells_nobody_keeps_crashes_too() -> None:
    async with open_node(instruments=[]):
        pid = spawn(trio.sleep_forever)
        kill(pid)
        await wait_exit(pid)
        assert [one.pid for one in crashes()] == [pid.number]


async def test_each_node_has_its_own() -> None:
    async with open_supervisor([Scripted.child_spec().replace(name="a")], instruments=[]):
        kill(named("a"))
        await wait_all_tasks_blocked()
        assert len(crashes()) == 1
    async with open_supervisor([], instruments=[]):
        assert crashes() == []


async def test_dynamic_children_say_what_followed_too(node: Node) -> None:
    children = DynamicSupervisorRef(await DynamicSupervisor.start())
    child = await children.start_child(Scripted.child_spec().replace(restart="temporary"))
    again = await children.start_child(Scripted.child_spec())
    send(child, Note(lambda _one: 1 / 0))
    await wait_all_tasks_blocked()
    send(again, Note(lambda _one: 1 / 0))
    await wait_all_tasks_blocked()
    assert [one.then for one in crashes()] == ["leave it stopped", "restart it"]
    assert [one.restarts for one in snapshot().processes] == [0, 1]
