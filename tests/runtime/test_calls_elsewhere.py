"""Calls from a process, a helper task, a plain Trio task, a worker thread, and where there is none.

differs: a caller need not be a process.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import pytest
import trio
import trio.testing

from runtime import (
    CallCycle,
    CallExit,
    CallTimeout,
    GenServer,
    Node,
    NoNode,
    NoProcess,
    NoReply,
    Ref,
    ReplyTo,
    handles,
    is_alive,
    kill,
    named,
    open_node,
    ref,
    self_,
    send,
    start,
)
from tests.runtime.counting import Add, Counter, Get
from tests.support import Ask, Do, Scripted, in_process

INF = float("inf")


async def from_a_process(fn: Callable[[], Awaitable[Any]]) -> Any:
    return await in_process(fn)


async def from_a_plain_task(fn: Callable[[], Awaitable[Any]]) -> Any:
    return await fn()


async def from_a_helper_task(fn: Callable[[], Awaitable[Any]]) -> Any:
    async def with_helper() -> Any:
        results: list[Any] = []
        async with trio.open_nursery() as nursery:

            @nursery.start_soon
            async def helper() -> None:
                results.append(await fn())

        return results[0]

    return await in_process(with_helper)


async def from_a_thread(fn: Callable[[], Awaitable[Any]]) -> Any:
    return await trio.to_thread.run_sync(trio.from_thread.run, fn)


async def from_a_foreign_thread(fn: Callable[[], Awaitable[Any]]) -> Any:
    """One that Trio did not start: it needs the run's token."""
    token = trio.lowlevel.current_trio_token()
    results: list[Any] = []

    def work() -> None:
        results.append(trio.from_thread.run(fn, trio_token=token))

    thread = threading.Thread(target=work)
    thread.start()
    await trio.to_thread.run_sync(thread.join)
    return results[0]


EVERYWHERE = [from_a_process, from_a_plain_task, from_a_helper_task]
THREADS = [from_a_thread, from_a_foreign_thread]


async def use(server: Ref) -> list[object]:
    """A cast, a call, a call that exits, one to nobody."""
    got: list[object] = []
    server.cast(Add(by=2))
    send(server.pid, Add(by=3))
    got.append(await server.call(Get(), timeout=INF))
    got.append(await ref(server.pid).call(Get(), timeout=INF))
    try:
        await named("nobody").call(Get(), timeout=INF)
    except CallExit as exc:
        got.append(exc.reason)
    await server.stop()
    try:
        await server.call(Get(), timeout=INF)
    except CallExit as exc:
        got.append(exc.reason)
    return got


@pytest.mark.parametrize("place", EVERYWHERE)
async def test_a_call_works_from_every_task(
    node: Node, place: Callable[[Callable[[], Awaitable[Any]]], Awaitable[Any]]
) -> None:
    server = await Counter.start()
    assert await place(lambda: use(server)) == [5, 5, NoProcess(), NoProcess()]


@pytest.mark.real_clock
@pytest.mark.parametrize("place", [*EVERYWHERE, *THREADS])
async def test_a_call_works_from_threads_too(
    node: Node, place: Callable[[Callable[[], Awaitable[Any]]], Awaitable[Any]]
) -> None:
    server = await Counter.start()
    assert await place(lambda: use(server)) == [5, 5, NoProcess(), NoProcess()]


@pytest.mark.parametrize("place", EVERYWHERE)
async def test_a_call_can_be_given_up_everywhere(
    node: Node, place: Callable[[Callable[[], Awaitable[Any]]], Awaitable[Any]]
) -> None:
    server = await start(Scripted.child_spec())

    async def slow(one: object, reply_to: object) -> None:
        await trio.sleep(3)

    async def give_up() -> float:
        begun = trio.current_time()
        with pytest.raises(CallTimeout):
            await server.call(Ask(slow), timeout=1)
        with trio.move_on_after(1):
            await server.call(Ask(slow))
        return trio.current_time() - begun

    assert await place(give_up) == 2
    await trio.sleep(10)
    assert is_alive(server)


@pytest.mark.real_clock
async def test_a_server_works_in_a_thread_and_calls_back_from_it(node: Node) -> None:
    """The thread of a process stands for it: who is asked, and whether it is a cycle, is known."""
    other = await Counter.start()

    def blocking(me: Ref) -> list[object]:
        got: list[object] = [trio.from_thread.run_sync(self_)]

        async def call_other() -> int:
            return await other.call(Get(), timeout=INF)

        got.append(trio.from_thread.run(call_other))
        with pytest.raises(CallCycle):
            trio.from_thread.run(me.call, Get())
        trio.from_thread.run_sync(other.cast, Add())
        return got

    async def handler(one: object, reply_to: object) -> list[object]:
        return await trio.to_thread.run_sync(blocking, ref(self_()))

    server = await start(Scripted.child_spec())
    assert await server.call(Ask(handler), timeout=INF) == [server.pid, 0]
    assert await other.call(Get(), timeout=INF) == 1


@pytest.mark.real_clock
async def test_a_reply_from_a_thread_goes_through_trio(node: Node) -> None:
    """``reply_to`` used in a foreign thread is refused and harms nobody."""
    refused: list[BaseException] = []

    def in_thread(reply_to: ReplyTo[str]) -> None:
        with pytest.raises(NoNode) as caught:
            reply_to.reply("wrong")
        refused.append(caught.value)
        with pytest.raises(NoNode) as caught:
            reply_to.error(ValueError("wrong"))
        refused.append(caught.value)
        trio.from_thread.run_sync(reply_to.reply, "right")

    async def handler(one: object, reply_to: ReplyTo[str]) -> object:
        await trio.to_thread.run_sync(in_thread, reply_to)
        return NoReply()

    server = await start(Scripted.child_spec())
    assert await server.call(Ask(handler), timeout=INF) == "right"
    assert len(refused) == 2


@pytest.mark.real_clock
async def test_casting_and_sending_in_a_foreign_thread_is_refused(node: Node) -> None:
    """DESIGN 3.2: an error outside the Trio thread, and the server still answers afterwards."""
    server = await Counter.start()
    await trio.testing.wait_all_tasks_blocked()
    forbidden = [
        partial(server.cast, Add()),
        partial(server.send, Add()),
        partial(send, server.pid, Add()),
        partial(named("counter").cast, Add()),
        partial(kill, server),
    ]
    for go in forbidden:
        with pytest.raises(NoNode, match=r"trio\.from_thread"):
            await trio.to_thread.run_sync(go)
    assert await server.call(Get(), timeout=INF) == 0


async def test_without_a_node_there_is_nobody_to_call() -> None:
    with pytest.raises(NoNode, match="no node is open"):
        await named("counter").call(Get())
    with pytest.raises(NoNode):
        named("counter").cast(Add())
    with pytest.raises(NoNode):
        await named("counter").stop()


def test_outside_of_trio_there_is_nobody_to_call() -> None:
    with pytest.raises(NoNode, match=r"called outside trio\.run"):
        named("counter").cast(Add())


async def test_a_handle_that_outlives_its_node_leads_to_nobody() -> None:
    servers: list[Ref] = []
    async with open_node(instruments=[]):
        servers.append(await Counter.start())
    server, pid = servers[0], servers[0].pid
    with pytest.raises(CallExit) as caught:
        await server.call(Get())
    assert caught.value.reason == NoProcess()
    server.cast(Add())
    assert not is_alive(server)
    async with open_node(instruments=[]):
        assert not is_alive(pid)
        send(pid, Add())


async def test_a_call_from_the_body_while_the_node_stops_is_refused_or_answered() -> None:
    """A server's terminate may call those that were started before it."""
    log: list[object] = []

    async def last_words(one: object, reason: object) -> None:
        log.append(await named("first").call(Get()))

    async with open_node(instruments=[]):
        await start(Counter.child_spec().replace(name="first"))
        await start(Scripted.child_spec(terminate=last_words))
        named("first").cast(Add())
    assert log == [1]


async def test_a_cast_of_a_server_to_itself_is_handled_after_the_message_in_hand(
    node: Node,
) -> None:
    log: list[str] = []

    def first(one: Any) -> None:
        ref(self_()).cast(Do(lambda again: log.append("second")))
        log.append("first")

    server = await start(Scripted.child_spec())
    server.cast(Do(first))
    await trio.sleep(1)
    assert log == ["first", "second"]


class Slow(GenServer):
    """No call of it runs at once, in the stack of its caller."""

    @handles(Get)
    async def get(self, request: Get) -> int:
        await trio.sleep(0.5)
        return 7


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # a coroutine that there is no room for
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("timeout", [5.0, INF])
@pytest.mark.parametrize("is_busy", [False, True])
async def test_a_caller_without_room_on_the_stack_to_wait_hurts_only_itself(
    node: Node, is_busy: bool, timeout: float
) -> None:
    """What it sent may be handled, and its reply wakes nobody."""
    server = await Slow.start()

    async def call_at(depth: int) -> int:
        if depth:
            return await call_at(depth - 1)
        return await server.call(Get(), timeout=timeout)

    outcomes: list[bool] = []
    limit = sys.getrecursionlimit()
    for depth in (*range(100, limit - 100, 50), *range(limit - 100, limit)):
        async with trio.open_nursery() as nursery:
            if is_busy:
                await in_task(nursery, server)
            try:
                outcomes.append(await call_at(depth) == 7)
            except RecursionError:
                outcomes.append(False)
            await trio.sleep(10)  # who is woken by mistake is told so by Trio
    assert {*outcomes} == {True, False}
    assert outcomes == sorted(outcomes, reverse=True)
    assert await call_at(0) == 7


async def in_task(nursery: trio.Nursery, server: Ref) -> None:
    """A call that keeps the server busy."""
    nursery.start_soon(server.call, Get())
    await trio.testing.wait_all_tasks_blocked()
