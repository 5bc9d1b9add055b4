"""What one process is and has; its end is in ``test_process_death``."""

from __future__ import annotations

import contextvars

import msgspec
import pytest
import trio

from runtime import (
    Call,
    Crashed,
    Exit,
    Killed,
    Node,
    Normal,
    Pid,
    ProcessEnded,
    ProcessStarted,
    Request,
    exit,
    is_alive,
    kill,
    open_node,
    process_info,
    receive,
    ref,
    self_,
    send,
    set_label,
    spawn,
    spawn_link,
    trap_exits,
    wait_exit,
)
from runtime.current import find_process, require_process
from runtime.process import table_var
from tests.conftest import Recorder
from tests.support import end_of, in_process, stop_all


class Get(Call[int]):
    """A call."""


class Message(msgspec.Struct, frozen=True):
    """A message."""

    number: int


async def test_what_is_told_of_a_process(node: Node) -> None:
    """PROC-070, PROC-071. differs: None stands for nil."""

    async def body() -> None:
        await receive()
        await trio.sleep_forever()

    before = trio.current_time()
    pid = spawn(body, name="name")
    fresh = process_info(pid)
    assert fresh is not None
    assert (fresh.status, fresh.handled, fresh.current) == ("starting", 0, None)
    send(pid, Message(1))
    send(pid, Message(2))
    await trio.sleep(1)
    info = process_info(pid)
    assert info is not None
    assert (info.pid, info.name, info.label, info.status) == (pid, "name", None, "running")
    assert (info.handled, info.mailbox_length, info.dropped) == (1, 1, 0)
    assert (info.current, info.started_at) == ("Message(number=1)", before)
    assert (info.links, info.monitors, info.monitored_by) == ((), (), ())
    assert not info.trap_exits
    await stop_all(pid)
    assert process_info(pid) is None


async def test_a_label_is_read_back_by_anybody(node: Node) -> None:
    """PROC-075. differs: a label is text or None."""
    labels: list[str | None] = []

    async def body() -> None:
        labels.append(label_of(self_()))
        set_label("worker for order 7")
        labels.append(label_of(self_()))
        await receive()
        set_label(None)
        with pytest.raises(TypeError, match=r"^label: got 7, allowed are a string and None$"):
            set_label(7)  # type: ignore[arg-type]

    pid = spawn(body)
    await trio.sleep(1)
    assert labels == [None, "worker for order 7"]
    assert label_of(pid) == "worker for order 7"
    send(pid, "go")
    assert await wait_exit(pid) == Normal()


def label_of(pid: Pid) -> str | None:
    info = process_info(pid)
    assert info is not None
    return info.label


async def test_context_variables_are_a_processs_own_dictionary(node: Node) -> None:
    """PROC-072. differs: no process dictionary, context variables do that."""
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable")
    seen: list[str] = []

    async def body(text: str) -> None:
        with pytest.raises(LookupError):
            variable.get()
        token = variable.set(text)
        await trio.sleep(1)
        seen.append(variable.get())
        variable.reset(token)
        assert variable.get(None) is None

    pids = [spawn(body, text) for text in ("a", "b", "c")]
    await trio.sleep(5)
    assert sorted(seen) == ["a", "b", "c"]
    assert not any(is_alive(pid) for pid in pids)


async def test_only_the_first_reply_is_delivered(node: Node) -> None:
    """PROC-073, PROC-074. differs: no aliases; a ``reply_to`` works once and then is silent."""

    async def server() -> None:
        request = await receive(Request)
        request.reply_to.reply(1)
        assert request.reply_to.answered
        request.reply_to.reply(2)
        request.reply_to.error(ValueError("late"))
        await trio.sleep_forever()

    pid = spawn(server)

    async def client() -> None:
        assert await ref(pid).call(Get()) == 1
        await trio.sleep(5)
        info = process_info(self_())
        assert info is not None
        assert info.mailbox_length == 0

    await in_process(client)
    assert is_alive(pid)
    await stop_all(pid)


async def test_messages_to_a_process_that_is_ending_go_nowhere(
    node: Node, events: Recorder
) -> None:
    """Contract 2."""

    async def body() -> None:
        try:
            await trio.sleep_forever()
        finally:
            with trio.CancelScope(shield=True):
                await trio.sleep(1)

    pid = spawn(body)
    process = find_process(pid)
    assert process is not None
    await trio.sleep(1)
    exit(pid, "boom")
    send(pid, "while it ends")
    await wait_exit(pid)
    process.post("after its end")
    process.post_system("after its end")
    process.signal(None, "after its end")
    process.kill()
    assert len(process.mailbox) == 0
    assert end_of(events, pid) == "boom"


async def test_a_message_is_the_same_object_not_a_copy(node: Node) -> None:
    message = Message(1)
    got: list[object] = []

    async def body() -> None:
        got.append(await receive())

    pid = spawn(body)
    send(pid, message)
    await wait_exit(pid)
    assert got[0] is message


async def test_a_dead_process_holds_nothing(node: Node) -> None:
    async def body() -> None:
        await receive()
        raise ValueError("boom")

    pid = spawn(body)
    process = find_process(pid)
    assert process is not None
    send(pid, "one")
    send(pid, "two")
    assert isinstance(await wait_exit(pid), Crashed)
    assert (process.task, process.scope, process.current, process.grace) == (None,) * 4
    assert (len(process.mailbox), process.pending, process.watches) == (0, {}, {})
    assert process.status == "ended"


async def test_a_start_and_an_end_are_told_once_each(node: Node, events: Recorder) -> None:
    async def body() -> None:
        await trio.sleep(1)

    pid = spawn(body, name="name")
    await wait_exit(pid)
    assert events == [ProcessStarted(pid, "name", ()), ProcessEnded(pid, "name", Normal())]


async def test_when_the_node_itself_breaks_every_process_is_told_killed(
    events: Recorder,
) -> None:
    """Not by any way a user has: the nursery around all of it is cancelled from inside."""
    async with open_node(instruments=[events.instrument]):
        pid = spawn(trio.sleep_forever)
        await trio.sleep(1)
        host = table_var.get().nursery.parent_task
        host.child_nurseries[0].cancel_scope.cancel()
        await trio.sleep(1)
        assert end_of(events, pid) == Killed()


async def test_one_process_of_many_can_be_killed_at_any_time(node: Node, events: Recorder) -> None:
    pids = [spawn(trio.sleep_forever) for _ in range(100)]
    for pid in pids[::2]:
        kill(pid)
    await trio.sleep(1)
    assert [is_alive(pid) for pid in pids] == [False, True] * 50
    await stop_all(*pids)


async def test_a_process_can_trap_all_but_its_parent(node: Node, events: Recorder) -> None:
    """As supervisors do: an exit signal of the parent is an order, any other a message."""
    got: list[object] = []
    children: list[Pid] = []

    async def child() -> None:
        require_process("child").trap = "not parent"
        got.append(await receive())
        await trio.sleep_forever()

    async def parent() -> None:
        trap_exits()
        children.append(spawn_link(child))
        await trio.sleep(2)
        exit(children[0], "from the parent")
        await trio.sleep(1)

    pid = spawn(parent)
    await trio.sleep(1)
    exit(children[0], "from outside")
    await wait_exit(pid)
    assert got == [Exit(None, "from outside")]
    assert end_of(events, children[0]) == "from the parent"
