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
    Pid,
    ProcessView,
    Snapshot,
    crashes,
    kill,
    link,
    monitor,
    named,
    self_,
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
from supervisors import Supervisor
from tests.runtime.inspected import names, the
from tests.support import Do, Note, Scripted


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
