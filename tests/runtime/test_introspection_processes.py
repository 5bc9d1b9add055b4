"""``process_info``, ``processes`` and labels: facts that need not be asked for."""

from __future__ import annotations

from typing import Any

import pytest
import trio

from runtime import (
    MailboxLimit,
    Node,
    NoNode,
    OutsideProcess,
    Pid,
    is_alive,
    kill,
    link,
    monitor,
    named,
    process_info,
    processes,
    register,
    self_,
    set_label,
    spawn,
    start,
    trap_exits,
    wait_exit,
)
from tests.support import Ask, Do, Note, Scripted, in_process


async def test_facts_about_a_server(node: Node) -> None:
    server = await start(
        Scripted.child_spec().replace(name="counter", mailbox=MailboxLimit(2, "drop_newest"))
    )
    begun = trio.current_time()
    pids: dict[str, Pid] = {}

    async def other() -> None:
        link(server)
        monitor(server)
        pids["other"] = self_()
        await trio.sleep_forever()

    async def busy(one: object) -> None:
        trap_exits()
        set_label("doing the books")
        pids["watched"] = self_()
        monitor(pids["other"])
        await trio.sleep(5)

    spawn(other)
    await trio.sleep(1)
    server.cast(Do(busy))
    await trio.sleep(1)
    for text in "abc":
        server.send(Note(text=text))
    info = process_info(server)
    assert info is not None
    assert (info.pid, info.name, info.label) == (server.pid, "counter", "doing the books")
    assert (info.status, info.trap_exits) == ("running", True)
    assert (info.links, info.monitored_by) == ((pids["other"],), (pids["other"],))
    assert info.monitors == (pids["other"],)
    assert (info.mailbox_length, info.handled, info.dropped) == (2, 1, 1)
    assert info.started_at == begun
    assert (info.parent.label, info.ancestors) == ("node", ())
    assert info.current is not None
    assert info.current.startswith("Do(")
    kill(pids["other"])


async def test_facts_by_handle_and_name_and_none_about_the_dead(node: Node) -> None:
    server = await start(Scripted.child_spec().replace(name="counter"))
    pid = server.pid
    for target in (server, pid, named("counter")):
        info = process_info(target)
        assert info is not None
        assert info.pid is pid
    await server.stop()
    for target in (server, pid, named("counter")):
        assert process_info(target) is None


async def test_a_process_is_starting_until_its_init_is_done(node: Node) -> None:
    async def init(one: object) -> None:
        await trio.sleep(2)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(start, Scripted.child_spec(init=init).replace(name="late"))
        await trio.sleep(1)
        info = process_info(named("late"))
        assert info is not None
        assert (info.status, info.current, info.handled) == ("starting", None, 0)
    info = process_info(named("late"))
    assert info is not None
    assert info.status == "running"


async def test_the_last_message_is_remembered(node: Node) -> None:
    server = await start(Scripted.child_spec())
    server.send("hello")
    await server.call(Ask(lambda one, reply_to: 1))
    info = process_info(server)
    assert info is not None
    assert info.current is not None
    assert info.current.startswith("Ask(")
    assert info.handled == 2


async def test_processes_are_listed_oldest_first(node: Node) -> None:
    assert processes() == []
    servers = [await start(Scripted.child_spec()) for _ in range(3)]
    plain = spawn(trio.sleep_forever)
    assert processes() == [*(server.pid for server in servers), plain]
    kill(servers[1])
    await wait_exit(servers[1])
    assert processes() == [servers[0].pid, servers[2].pid, plain]


async def test_a_label_can_be_set_and_taken_back(node: Node) -> None:
    async def labels() -> list[str | None]:
        found: list[str | None] = []
        for label in ("first", "second", None):
            set_label(label)
            info = process_info(self_())
            assert info is not None
            found.append(info.label)
        return found

    assert await in_process(labels) == ["first", "second", None]


@pytest.mark.parametrize("junk", [5, b"x", ["x"], True])
async def test_a_label_is_a_text(node: Node, junk: Any) -> None:
    async def labels() -> None:
        with pytest.raises(TypeError, match=r"label: got .*, allowed are a string and None"):
            set_label(junk)

    await in_process(labels)


async def test_only_a_process_has_a_label(node: Node) -> None:
    with pytest.raises(OutsideProcess, match="set_label needs a process"):
        set_label("x")


async def test_without_a_node_there_are_no_facts() -> None:
    with pytest.raises(NoNode):
        processes()
    with pytest.raises(NoNode):
        process_info(named("x"))


@pytest.mark.parametrize("junk", [None, "counter", 5])
async def test_what_is_no_target_is_refused(node: Node, junk: Any) -> None:
    for ask in (process_info, is_alive):
        with pytest.raises(TypeError, match=r"target: got .*, allowed are a Pid and a Ref"):
            ask(junk)


async def test_a_plain_process_has_facts_too(node: Node) -> None:
    async def body() -> None:
        register("plain")
        await trio.sleep_forever()

    pid = spawn(body)
    await trio.sleep(1)
    info = process_info(pid)
    assert info is not None
    assert (info.name, info.status, info.current, info.trap_exits) == (
        "plain",
        "running",
        None,
        False,
    )
