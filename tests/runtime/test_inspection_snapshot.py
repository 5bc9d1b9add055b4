"""``snapshot``, ``crashes`` and ``mailbox_of``: a node as plain values, without asking anybody."""

from __future__ import annotations

import time
from typing import Any, Literal

import msgspec
import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from runtime import (
    AlarmView,
    Call,
    GenServer,
    Node,
    NoNode,
    NoReply,
    Pid,
    ProcessNotFound,
    ProcessView,
    Registry,
    RegistryRef,
    Snapshot,
    Table,
    crashes,
    kill,
    link,
    monitor,
    named,
    open_node,
    self_,
    send,
    set_label,
    snapshot,
    spawn,
    start,
    start_link,
    suspend,
    wait_exit,
)
from runtime.current import current_table, find_process
from runtime.inspection.sampling import sampler_of
from runtime.inspection.snapshot import mailbox_of, view_of
from supervisors import DynamicSupervisor, Supervisor, open_supervisor
from supervisors.dynamic_supervisor_ref import DynamicSupervisorRef
from tests.support import Ask, Do, Note, Scripted


def numbers(seen: Snapshot) -> list[int]:
    return [one.pid for one in seen.processes]


def names(seen: Snapshot) -> list[str | None]:
    return [one.name for one in seen.processes]


def the(name: str) -> ProcessView:
    """The process of this name."""
    (found,) = [one for one in snapshot().processes if one.name == name]
    return found


async def test_an_empty_node(node: Node) -> None:
    before = time.time()
    await trio.sleep(3)
    seen = snapshot()
    assert (seen.up, seen.total, seen.processes, seen.alarms) == (3, 0, (), ())
    assert before <= seen.at <= time.time()


async def test_one_process(node: Node) -> None:
    server = await start(Scripted.child_spec().replace(name="one"))
    await trio.sleep(2)
    seen = snapshot()
    assert seen.total == 1
    assert seen.processes == (
        ProcessView(
            pid=server.pid.number,
            parent=0,
            behaviour="Scripted",
            name="one",
            label=None,
            status="running",
            up=2,
            mailbox=0,
            handled=0,
            dropped=0,
            restarts=0,
        ),
    )


async def test_the_processes_come_as_a_tree(node: Node) -> None:
    def child(name: str) -> Any:
        return Scripted.child_spec().replace(name=name, id=name)

    inner = Supervisor.child_spec([child("c"), child("d")]).replace(name="inner")
    await start(Supervisor.child_spec([child("a"), inner, child("b")]).replace(name="outer"))
    await start(child("alone"))
    assert names(snapshot()) == ["outer", "a", "inner", "c", "d", "b", "alone"]
    by_pid = {one.pid: one.name for one in snapshot().processes}
    parents = [by_pid.get(one.parent) for one in snapshot().processes]
    assert parents == [None, "outer", "outer", "inner", "inner", "outer", None]


async def test_a_restarted_child_stands_last_among_its_siblings(node: Node) -> None:
    specs = [Scripted.child_spec().replace(name=name, id=name) for name in "abc"]
    await start(Supervisor.child_spec(specs).replace(name="top"))
    kill(named("a"))
    await wait_all_tasks_blocked()
    assert names(snapshot()) == ["top", "b", "c", "a"]
    assert [one.restarts for one in snapshot().processes] == [0, 0, 0, 1]


async def test_who_outlives_its_parent_stands_at_the_top(node: Node) -> None:
    async def parent() -> None:
        await start_link(Scripted.child_spec().replace(name="orphan"))

    await wait_exit(spawn(parent))
    assert names(snapshot()) == ["orphan"]
    assert the("orphan").parent != 0


async def test_what_is_in_hand_is_shown(node: Node) -> None:
    server = await start(Scripted.child_spec().replace(name="one"))

    async def work(_one: object) -> None:
        await trio.sleep(10)

    server.send("before")
    await wait_all_tasks_blocked()
    assert (the("one").handling, the("one").handled) == (None, 1)
    server.cast(Do(work))
    server.send("later")
    await wait_all_tasks_blocked()
    seen = the("one")
    assert seen.handling is not None
    assert seen.handling.startswith("Do(fn=")
    assert (seen.mailbox, seen.handled, seen.status) == (1, 2, "running")
    assert (seen.busy, seen.oldest, seen.rate) == (None, None, None)


class Get(Call[str]):
    """What a snapshot says of the server itself."""


class Looking(GenServer):
    """Looks at itself while it handles a call."""

    def handle_call(self, request: Get, reply_to: object) -> str:
        (me,) = [one for one in snapshot().processes if one.pid == self_().number]
        return f"{me.handling}, {me.busy}"


async def test_a_server_that_looks_at_itself_has_that_call_in_hand(node: Node) -> None:
    server = await Looking.start()
    await wait_all_tasks_blocked()
    assert await server.call(Get()) == "Get(), None"
    sampler_of().sample()
    assert await server.call(Get()) == "Get(), 0.0"


class Hiding(GenServer):
    """Shows nothing of its messages."""

    async def handle_cast(self, message: object) -> None:
        await trio.sleep(9)

    def redact(self, what: Literal["message", "state"], value: Any) -> object:
        return None


async def test_messages_are_shown_as_redact_lets_them_be(node: Node) -> None:
    server = await start(Hiding.child_spec().replace(name="one"))
    server.cast(Do(print))
    server.send("secret")
    await wait_all_tasks_blocked()
    assert the("one").handling == "<not shown>"
    assert mailbox_of(server) == ("<not shown>",)


async def test_links_and_monitors_are_numbers(node: Node) -> None:
    server = await start(Scripted.child_spec().replace(name="one"))
    pids: list[Pid] = []

    async def other() -> None:
        set_label("the other")
        link(server)
        monitor(server)
        pids.append(self_())
        await trio.sleep_forever()

    spawn(other)
    await wait_all_tasks_blocked()
    (number,) = [pid.number for pid in pids]
    one, another = snapshot().processes
    assert (one.links, one.monitors, one.monitored_by) == ((number,), (), (number,))
    assert (another.links, another.monitors, another.monitored_by) == (
        (server.pid.number,), (server.pid.number,), (),
    )  # fmt: skip
    assert (another.label, another.behaviour) == ("the other", "other")


async def test_to_look_at_a_process_makes_nothing(node: Node) -> None:
    server = await start(Scripted.child_spec())
    process = find_process(server)
    assert process is not None
    snapshot()
    assert process._links is None


async def test_statuses(node: Node) -> None:
    server = await start(Scripted.child_spec().replace(name="one"))
    await suspend(server)
    assert the("one").status == "suspended"

    async def init(_one: object) -> None:
        await trio.sleep(5)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(start, Scripted.child_spec(init=init).replace(name="two"))
        await wait_all_tasks_blocked()
        assert (the("two").status, the("two").facts) == ("starting", {})


async def test_the_first_by_what_is_asked_for(node: Node) -> None:
    for name, waiting in (("a", 1), ("b", 3), ("c", 0), ("d", 3)):
        server = await start(Scripted.child_spec().replace(name=name))
        await suspend(server)
        for _ in range(waiting):
            server.send(Note())
    assert names(snapshot(sort="mailbox", limit=3)) == ["b", "d", "a"]
    assert names(snapshot(sort="mailbox")) == ["b", "d", "a", "c"]
    assert names(snapshot(sort="pid", limit=2)) == ["a", "b"]
    assert names(snapshot(sort="pid")) == ["a", "b", "c", "d"]
    assert names(snapshot(limit=3)) == ["a", "b", "c"]
    assert snapshot(sort="mailbox", limit=0).processes == ()
    assert snapshot(sort="cpu", limit=1).total == 4
    assert names(snapshot(sort="cpu", limit=1)) == ["a"]


async def test_the_busiest_and_the_most_restarted(node: Node) -> None:
    specs = [Scripted.child_spec().replace(name=name, id=name) for name in "ab"]
    await start(Supervisor.child_spec(specs).replace(name="top"))
    assert names(snapshot(sort="rate", limit=1)) == ["top"]
    sampler_of().sample()
    for _ in range(4):
        named("b").send(Note())
    kill(named("a"))
    await trio.sleep(2)
    assert names(snapshot(sort="rate", limit=2)) == ["b", "top"]
    assert the("b").rate == 2
    assert names(snapshot(sort="restarts", limit=2)) == ["a", "top"]


async def test_those_that_are_looked_for(node: Node) -> None:
    await start(Scripted.child_spec().replace(name="Alpha"))
    await start(Looking.child_spec().replace(name="beta"))

    async def labelled() -> None:
        set_label("gamma rays")
        await trio.sleep_forever()

    spawn(labelled)
    await wait_all_tasks_blocked()
    assert names(snapshot(find="ALPH")) == ["Alpha"]
    assert names(snapshot(find="looking")) == ["beta"]
    assert [one.label for one in snapshot(find="rays").processes] == ["gamma rays"]
    assert snapshot(find="nobody").processes == ()
    assert snapshot(find="nobody").total == 3
    assert names(snapshot(find="a", sort="pid", limit=2)) == ["Alpha", "beta"]


async def test_of_a_tree_only_those_that_are_looked_for(node: Node) -> None:
    inner = [Scripted.child_spec().replace(name=name, id=name) for name in ("x1", "x2")]
    middle = Supervisor.child_spec(inner).replace(name="middle")
    await start(Supervisor.child_spec([middle]).replace(name="x0"))
    assert names(snapshot(find="x")) == ["x0", "x1", "x2"]


JUNK = [
    ({"sort": "age"}, ValueError, r"sort: got 'age', allowed are 'mailbox', .* and None"),
    ({"limit": "5"}, TypeError, r"limit: got '5', allowed are an int of 0 or more and None"),
    ({"limit": True}, TypeError, r"limit: got True, allowed are an int of 0 or more and None"),
    ({"limit": -1}, ValueError, r"limit: got -1, allowed are an int of 0 or more and None"),
    ({"find": None}, TypeError, r"find: got None, allowed is a string"),
]


@pytest.mark.parametrize(("given", "kind", "text"), JUNK)
async def test_what_cannot_be_asked(
    node: Node, given: dict[str, Any], kind: type[Exception], text: str
) -> None:
    with pytest.raises(kind, match=text):
        snapshot(**given)


async def test_without_a_node_there_is_nothing_to_see() -> None:
    with pytest.raises(NoNode):
        snapshot()
    with pytest.raises(NoNode):
        crashes()


async def test_it_can_be_encoded_whatever_is_in_it(node: Node) -> None:
    class Odd(GenServer):
        def facts(self) -> Any:
            return {"big": 1 << 80, "set": {1}, "\udc80": "\udc80", 5: (1.5, None, True)}

        def __repr__(self) -> str:
            return "\udc80"

        async def handle_cast(self, message: object) -> None:
            await trio.sleep(5)

    server = await start(Odd.child_spec().replace(name="\udc80"))
    server.cast(Do(lambda _one: "\udc80"))
    server.send(Note(text="\udc80"))

    async def labelled() -> None:
        set_label("\udc80 é")
        await trio.sleep_forever()

    spawn(labelled)
    await wait_all_tasks_blocked()
    seen = snapshot()
    again = msgspec.msgpack.decode(msgspec.msgpack.encode(seen), type=Snapshot)
    assert again == seen
    assert msgspec.json.decode(msgspec.json.encode(seen), type=Snapshot) == seen
    assert seen.processes[0].name == "\\udc80"
    assert seen.processes[1].label == "\\udc80 é"
    assert seen.processes[0].facts == {
        "big": str(1 << 80), "set": "{1}", "\\udc80": "\\udc80", "5": [1.5, None, True],
    }  # fmt: skip


async def test_the_alarms_of_the_node_are_in_it(node: Node) -> None:
    alarm = AlarmView(kind="MailboxLong", since=1.5, pid=None, text="long")
    current_table().alarms = (alarm,)
    assert snapshot().alarms == (alarm,)


async def test_one_process_alone(node: Node) -> None:
    server = await start(Scripted.child_spec())
    process = find_process(server)
    assert process is not None
    assert (view_of(process),) == snapshot().processes


# ---------------------------------------------------------------------- what they say themselves


class Telling(GenServer):
    """Says how it is, if it can."""

    def init(self) -> None:
        self.told: Any = {"length": 3}

    def facts(self) -> Any:
        if isinstance(self.told, Exception):
            raise self.told
        return self.told

    def handle_info(self, message: object) -> None:
        self.told = message


@pytest.mark.parametrize(
    ("told", "facts"),
    [
        ({"length": 3}, {"length": 3}),
        ({}, {}),
        (ValueError("no"), {"facts": "raised ValueError('no')"}),
        (None, {"facts": "raised TypeError('facts: returned None, allowed is a mapping')"}),
    ],
)
async def test_a_behaviour_says_how_it_is(node: Node, told: object, facts: object) -> None:
    server = await start(Telling.child_spec().replace(name="one"))
    server.send(told)
    await wait_all_tasks_blocked()
    assert the("one").facts == facts


async def test_who_owns_tables_says_so(node: Node) -> None:
    names_of: RegistryRef[str, None] = RegistryRef(await Registry.start())

    async def owner() -> None:
        names_of.register("owner")
        table: Table[int, int] = Table("rows")
        table.insert(1, 1)
        unnamed: Table[int, int] = Table()
        await trio.sleep_forever()
        del unnamed

    async def other() -> None:
        names_of.register("other")
        await trio.sleep_forever()

    spawn(owner)
    await wait_all_tasks_blocked()
    spawn(other)
    await wait_all_tasks_blocked()
    assert crashes() == []
    assert [one.facts for one in snapshot().processes[1:]] == [
        {"tables": {"rows": 1, "unnamed 2": 0}},
        {},
    ]


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
