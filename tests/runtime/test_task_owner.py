"""The one message an owner gets: in servers, under limits, whoever gives up in the last tick."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import trio

from runtime import (
    Call,
    Crashed,
    Down,
    Exited,
    GenServer,
    Killed,
    MailboxFull,
    MailboxLimit,
    MailboxPolicy,
    MessageUnexpected,
    Node,
    NoReply,
    Ok,
    ReplyTo,
    Task,
    TaskDone,
    TaskTimeout,
    demonitor,
    handles,
    kill,
    named,
    receive,
    resume,
    self_,
    send,
    spawn,
    start,
    suspend,
    wait_exit,
)
from tests.conftest import Recorder
from tests.runtime.tasking import Boom, after, crash, drained, end_as, forever, give, pid_of
from tests.support import Ask, Scripted, in_process


class Fetch(Call[str]):
    """Answered when the task of it has ended."""

    fn: Callable[[], Any]


class Fetcher(GenServer):
    """Runs each request as a task and answers when the message of its end comes."""

    def __init__(self) -> None:
        self.waiting: dict[Any, ReplyTo[str]] = {}

    @handles(Fetch)
    async def fetch(self, request: Fetch, reply_to: ReplyTo[str]) -> NoReply:
        task = await Task.start_nolink(request.fn)
        self.waiting[task.ref] = reply_to
        return NoReply()

    @handles(TaskDone)
    def done(self, message: TaskDone[str]) -> None:
        self.waiting.pop(message.task.ref).reply(message.value)

    @handles(Down)
    def failed(self, message: Down) -> None:
        self.waiting.pop(message.ref).reply(f"failed: {message.reason!r}")


async def test_a_server_that_goes_on_gets_the_message(node: Node) -> None:
    """TASK-050. differs: one message, not two."""
    server = await start(Fetcher.child_spec())

    async def value() -> str:
        await trio.sleep(2)
        return "value"

    async def bad() -> str:
        await end_as("bad", 1.0)
        return "never"

    got: list[str] = []

    async def client(fn: Callable[[], Any]) -> None:
        got.append(await server.call(Fetch(fn)))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(client, value)
        nursery.start_soon(client, bad)
    assert got == ["failed: 'bad'", "value"]
    assert trio.current_time() == 2
    await server.stop()


async def test_a_message_nobody_handles_is_reported_like_any_other(
    node: Node, events: Recorder
) -> None:
    server = await start(Scripted.child_spec())

    async def begin(one: Scripted, reply_to: ReplyTo[object]) -> bool:
        await Task.start_nolink(give, 5)
        return True

    async def quiet(one: Scripted, reply_to: ReplyTo[object]) -> list[Any]:
        return one.log

    await server.call(Ask(begin))
    await trio.sleep(1)
    ((kind, message),) = await server.call(Ask(quiet))
    assert (kind, type(message), message.value) == ("info", TaskDone, 5)
    await server.stop()

    class Deaf(GenServer):
        @handles(Fetch)
        async def fetch(self, request: Fetch) -> str:
            await Task.start_nolink(give, 5)
            return ""

    deaf = await start(Deaf.child_spec())
    await deaf.call(Fetch(crash))
    await trio.sleep(1)
    (unexpected,) = events.of(MessageUnexpected)
    assert unexpected.pid == deaf.pid
    assert unexpected.message.startswith("TaskDone(")
    await deaf.stop()


async def test_a_handler_may_ask_for_the_result_of_the_message_in_its_hand(node: Node) -> None:
    got: list[object] = []

    class Owner(GenServer):
        async def init(self) -> None:
            await Task.start_nolink(give, 5)

        @handles(TaskDone)
        async def done(self, message: TaskDone[int]) -> None:
            got.append((message.value, await message.task.result()))

    server = await start(Owner.child_spec())
    await trio.sleep(1)
    assert got == [(5, 5)]
    await server.stop()


async def test_a_suspended_owner_gets_its_message_later(node: Node) -> None:
    server = await start(Fetcher.child_spec())

    async def value() -> str:
        await trio.sleep(2)
        return "value"

    async with trio.open_nursery() as nursery:

        @nursery.start_soon
        async def client() -> None:
            assert await server.call(Fetch(value), timeout=100) == "value"
            assert trio.current_time() == 5

        await trio.sleep(1)
        await suspend(server)
        await trio.sleep(4)
        await resume(server)
    await server.stop()


@pytest.mark.parametrize("policy", ["raise", "drop_newest", "drop_oldest"])
async def test_a_mailbox_limit_never_loses_the_message(node: Node, policy: MailboxPolicy) -> None:
    """They always fit, are never thrown out, and leave the room to users' messages."""
    found: list[object] = []
    tasks: list[Task[object]] = []

    async def owner() -> None:
        tasks.extend([await Task.start_nolink(after, 1.0, value) for value in range(5)])
        tasks.append(await Task.start_nolink(end_as, "bad", 1.0))
        await trio.sleep(3)
        found.extend(await drained())

    pid = spawn(owner, mailbox=MailboxLimit(3, policy=policy))
    await trio.sleep(0.5)
    send(pid, "a")
    send(pid, "b")
    await trio.sleep(1)
    send(pid, "c")
    for text in "def":
        if policy == "raise":
            with pytest.raises(MailboxFull):
                send(pid, text)
        else:
            send(pid, text)
    await wait_exit(pid)
    ends = [one for one in found if not isinstance(one, str)]
    assert {task.ref for task in tasks} == {
        one.task.ref if isinstance(one, TaskDone) else one.ref
        for one in ends
        if isinstance(one, TaskDone | Down)
    }
    assert len(ends) == len(tasks)
    assert [one for one in found if isinstance(one, str)] == (
        ["d", "e", "f"] if policy == "drop_oldest" else ["a", "b", "c"]
    )


async def test_taking_a_message_out_keeps_a_search_right(node: Node) -> None:
    """While ``receive`` waits, a helper of the same process takes one out behind its back."""

    async def owner() -> None:
        tasks = [await Task.start_nolink(give, value) for value in range(3)]
        await trio.sleep(1)
        send(self_(), "first")
        async with trio.open_nursery() as nursery:

            @nursery.start_soon
            async def helper() -> None:
                await trio.sleep(1)
                assert [await task.result() for task in tasks] == [0, 1, 2]
                send(self_(), 5)

            assert await receive(int) == 5
        assert await drained() == ["first"]

    await in_process(owner)


async def test_a_flush_of_its_ref_takes_a_failure_out(node: Node) -> None:
    """The ref is that of a monitor, so what works on those works on it."""

    async def owner() -> None:
        task = await Task.start_nolink(end_as, "bad")
        await trio.sleep(1)
        assert demonitor(task.ref, flush=True) is False
        assert await drained() == []
        assert await task.wait() == Exited("bad")

    await in_process(owner)


SOON = range(12)


@pytest.mark.parametrize("how", ["scope", "deadline", "other"])
@pytest.mark.parametrize("fn", [give, end_as])
async def test_a_wait_cancelled_in_the_very_tick_of_the_end(
    node: Node, fn: Callable[[str], Any], how: str
) -> None:
    """The owner has the outcome or the message, one of the two: never both, never neither."""
    seen: set[str] = set()

    async def owner() -> None:
        for steps in SOON:
            for _ in range(5):
                await once(steps)

    async def once(steps: int) -> None:
        async def body() -> str:
            if how == "deadline":
                await trio.sleep(1)
            for _ in range(steps):
                await trio.lowlevel.checkpoint()
            return await fn("end")  # type: ignore[no-any-return]

        task = await Task.start_nolink(body)
        outcome = None
        with trio.CancelScope() as scope:
            async with trio.open_nursery() as nursery:
                if how == "deadline":
                    scope.deadline = trio.current_time() + 1
                elif how == "other":
                    nursery.start_soon(cancel, scope)
                else:
                    scope.cancel()
                outcome = await task.wait()
        await trio.sleep(2)
        found = await drained()
        if outcome is None:
            (message,) = found
            told = message.task.ref if isinstance(message, TaskDone) else message.ref  # type: ignore[attr-defined]
            assert told is task.ref
        else:
            assert found == []
        seen.add("message" if outcome is None else "outcome")

    async def cancel(scope: trio.CancelScope) -> None:
        for _ in range(4):
            await trio.lowlevel.checkpoint()
        scope.cancel()

    await in_process(owner)
    assert seen == ({"message", "outcome"} if how == "other" else {"message"})


async def test_a_timeout_in_the_very_tick_of_the_end(node: Node) -> None:
    """Of a ``result``: the value or ``TaskTimeout``, and no message in either case."""
    seen: set[object] = set()

    async def owner() -> None:
        for _ in range(60):
            task = await Task.start_nolink(after, 1.0, "value")
            try:
                seen.add(await task.result(timeout=1))
            except TaskTimeout:
                seen.add("timeout")
            await trio.sleep(2)
            assert await drained() == []
            assert await task.result() == "value"

    await in_process(owner)
    assert "value" in seen
    assert seen <= {"value", "timeout"}


async def test_a_wait_that_times_out_in_the_very_tick_of_the_end(node: Node) -> None:
    async def owner() -> None:
        for _ in range(60):
            task = await Task.start_nolink(after, 1.0, "value")
            outcome = await task.wait(timeout=1)
            await trio.sleep(2)
            assert await drained() == ([TaskDone(task, "value")] if outcome is None else [])
            assert outcome in (None, Ok("value"))

    await in_process(owner)


async def test_the_message_of_a_crash_has_its_exception(node: Node) -> None:
    async def owner() -> None:
        task = await Task.start_nolink(crash)
        down = await receive(Down)
        assert (down.ref, down.pid, down.name) == (task.ref, task.pid, None)
        assert isinstance(down.reason, Crashed)
        assert isinstance(down.reason.exception, Boom)

    await in_process(owner)


async def test_a_killed_task_is_told_as_well(node: Node) -> None:
    async def owner() -> None:
        task = await Task.start_nolink(forever)
        kill(pid_of(task))
        assert await receive(Down) == Down(task.ref, task.pid, Killed())

    await in_process(owner)


async def test_a_restarted_owner_is_another_owner(node: Node) -> None:
    """The message goes to the process that started the task, not to its name."""
    tasks: list[Task[int]] = []
    found: list[object] = []

    async def first() -> None:
        tasks.append(await Task.start_nolink(after, 2.0, 5))

    async def second() -> None:
        await trio.sleep(4)
        found.extend(await drained())

    await wait_exit(spawn(first, name="owner"))
    spawn(second, name="owner")
    await wait_exit(named("owner"))
    assert found == []
    assert await tasks[0].result() == 5
