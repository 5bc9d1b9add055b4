"""Call cycles are refused at once; what only looks like one is legal."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import trio

from runtime import (
    CallCycle,
    CallError,
    CallTimeout,
    Crashed,
    GenServer,
    Node,
    NoReply,
    Ref,
    ReplyTo,
    Request,
    get_state,
    is_alive,
    named,
    receive,
    ref,
    self_,
    spawn,
    start,
    start_link,
    wait_exit,
)
from tests.support import Ask, Do, Scripted, in_process

Handler = Callable[[Any, ReplyTo[Any]], Awaitable[Any]]


HELLO = Ask(lambda server, reply_to: "hello")


async def servers(*names: str) -> list[Ref]:
    return [await start(Scripted.child_spec().replace(name=name)) for name in names]


def ring(*names: str) -> Ask:
    """A request that is passed from server to server, to the last name."""
    if not names:
        return Ask(lambda server, reply_to: "the end")

    async def handler(server: Any, reply_to: object) -> Any:
        return await named(names[0]).call(ring(*names[1:]))

    return Ask(handler)


@pytest.mark.parametrize("names", ["a", "ab", "abc", "abcd"])
async def test_a_cycle_is_refused_at_once_with_the_cycle_in_the_message(
    node: Node, names: str
) -> None:
    """GEN-059, DESIGN 5: of one server, two, three, by name."""
    refs = await servers(*names)
    begun = trio.current_time()
    with pytest.raises(CallError) as caught:
        await refs[0].call(ring(*names[1:], "a"))
    assert trio.current_time() == begun
    error: BaseException | None = caught.value
    while not isinstance(error, CallCycle):  # each server crashed with the exit of the next
        assert error is not None
        error = error.__cause__
    pids = [server.pid for server in refs]
    start_at = pids.index(error.cycle[0])
    assert error.cycle == (pids[start_at], *pids[:start_at], pids[start_at])
    assert error.target == named("a")
    path = " -> ".join(map(repr, error.cycle))
    assert str(error) == f"Ask to named('a') would wait for itself: {path}"


async def test_asking_oneself_for_the_state_or_the_end_is_a_cycle_too(node: Node) -> None:
    """GEN-085."""
    (server,) = await servers("a")

    async def handler(one: Any, reply_to: object) -> str:
        with pytest.raises(CallCycle):
            await get_state(server)
        with pytest.raises(CallCycle):
            await server.stop()
        return "caught"

    assert await server.call(Ask(handler)) == "caught"


async def test_a_plain_process_that_calls_itself_is_refused(node: Node) -> None:
    async def body() -> None:
        with pytest.raises(CallCycle):
            await ref(self_()).call(HELLO)

    await in_process(body)


async def test_a_server_may_not_call_the_process_that_waits_for_it(node: Node) -> None:
    (server,) = await servers("a")

    async def body() -> str:
        me = ref(self_())

        async def handler(one: Any, reply_to: object) -> str:
            with pytest.raises(CallCycle) as caught:
                await me.call(HELLO)
            assert len(caught.value.cycle) == 3
            return "caught"

        reply = await server.call(Ask(handler))
        assert isinstance(reply, str)
        return reply

    assert await in_process(body) == "caught"


async def test_a_cycle_through_the_init_of_a_new_child_is_refused(node: Node) -> None:
    """The starter waits for the child's init, which calls the starter."""
    (server,) = await servers("a")
    found: list[CallCycle] = []

    async def init(one: object) -> None:
        with pytest.raises(CallCycle) as caught:
            await named("a").call(HELLO)
        found.append(caught.value)

    async def handler(one: Any, reply_to: object) -> None:
        child = await start_link(Scripted.child_spec(init=init))
        assert found[0].cycle == (child.pid, self_(), child.pid)

    await server.call(Ask(handler))


async def test_a_cycle_through_a_stop_is_refused(node: Node) -> None:
    """The stopper waits for the terminate that calls it."""
    (server,) = await servers("a")
    found: list[CallCycle] = []

    async def terminate(one: object, reason: object) -> None:
        with pytest.raises(CallCycle) as caught:
            await named("a").call(HELLO)
        found.append(caught.value)

    child = await start(Scripted.child_spec(terminate=terminate))

    async def handler(one: Any, reply_to: object) -> None:
        await child.stop()

    await server.call(Ask(handler))
    assert len(found) == 1


async def test_a_cycle_through_a_wait_in_the_queue_is_refused(node: Node) -> None:
    """b is busy with a cast; a waits in b's queue; b's cast calls a."""
    a, b = await servers("a", "b")
    found: list[CallCycle] = []

    async def slow(one: object) -> None:
        await trio.sleep(2)
        with pytest.raises(CallCycle) as caught:
            await a.call(HELLO)
        found.append(caught.value)

    b.cast(Do(slow))
    await trio.sleep(1)
    assert await a.call(ring("b")) == "the end"
    assert found[0].cycle == (b.pid, a.pid, b.pid)


async def test_a_deferred_reply_breaks_the_cycle(node: Node) -> None:
    """DESIGN 5: b has put its reply off, so it works on, and a may be called from b."""
    a, b = await servers("a", "b")
    got: list[object] = []

    def defer(one: Any, reply_to: ReplyTo[Any]) -> NoReply:
        one.kept = reply_to
        one.me = self_()
        return NoReply()

    async def ask_a(one: Any) -> None:
        one.kept.reply("b's answer")
        got.append(await a.call(Ask(lambda server, reply_to: "a's answer")))

    async def b_then(one: Any, reply_to: object) -> Any:
        return await b.call(Ask(defer))

    async def from_b(one: Any, reply_to: object) -> str:
        with pytest.raises(CallTimeout):
            await a.call(HELLO, timeout=1)  # a works on the call to b: it waits, but it may
        return "waited"

    async with trio.open_nursery() as nursery:

        @nursery.start_soon
        async def client() -> None:
            got.append(await a.call(Ask(b_then)))

        await trio.sleep(1)
        assert await b.call(Ask(from_b)) == "waited"
        b.cast(Do(ask_a))
        await trio.sleep(1)
    assert sorted(map(str, got)) == ["a's answer", "b's answer"]


@pytest.mark.parametrize("answer", ["reply", "error"])
async def test_a_call_that_has_been_answered_is_no_edge(node: Node, answer: str) -> None:
    """b answers a first and then calls it: nobody waits for b any more."""
    a, b = await servers("a", "b")
    got: list[object] = []

    async def handler(one: Any, reply_to: ReplyTo[str]) -> NoReply:
        if answer == "reply":
            reply_to.reply("first")
        else:
            reply_to.error(KeyError("first"))
        got.append(await a.call(Ask(lambda server, reply_to: "second")))
        return NoReply()

    async def ask_b(one: Any, reply_to: object) -> str:
        try:
            return str(await b.call(Ask(handler)))
        except KeyError:
            return "first"

    assert await a.call(Ask(ask_b)) == "first"
    await trio.sleep(1)
    assert got == ["second"]


async def test_a_call_that_timed_out_is_no_edge(node: Node) -> None:
    a, b = await servers("a", "b")
    got: list[object] = []

    async def handler(one: Any, reply_to: object) -> None:
        await trio.sleep(2)
        got.append(await a.call(Ask(lambda server, reply_to: "legal")))

    async def ask_b(one: Any, reply_to: object) -> str:
        with pytest.raises(CallTimeout):
            await b.call(Ask(handler), timeout=1)
        await trio.sleep(3)
        return "timed out"

    assert await a.call(Ask(ask_b)) == "timed out"
    await trio.sleep(1)
    assert got == ["legal"]


async def test_a_helper_task_may_call_back_and_waits_its_turn(node: Node) -> None:
    """DESIGN 5: a helper task breaks the cycle; if the handler waits for it, it times out."""
    (server,) = await servers("a")
    got: list[object] = []

    async def helper() -> None:
        got.append(await server.call(Ask(lambda one, reply_to: "from the helper")))

    async def handler(one: Any, reply_to: object) -> str:
        one.nursery = await one.enter(trio.open_nursery())
        one.nursery.start_soon(helper)
        return "started"

    async def waits(one: Any, reply_to: object) -> str:
        async with trio.open_nursery() as nursery:

            @nursery.start_soon
            async def impatient() -> None:
                with pytest.raises(CallTimeout):
                    await server.call(HELLO, timeout=1)

        return "waited"

    assert await server.call(Ask(handler)) == "started"
    await trio.sleep(1)
    assert got == ["from the helper"]
    assert await server.call(Ask(waits)) == "waited"


async def test_two_servers_may_call_each_other_one_after_the_other(node: Node) -> None:
    """The edge is gone when the call is over."""
    await servers("a", "b")
    for _ in range(3):
        assert await named("a").call(ring("b")) == "the end"
        assert await named("b").call(ring("a")) == "the end"


async def test_a_cycle_that_is_not_caught_crashes_only_its_server(node: Node) -> None:
    a, b = await servers("a", "b")

    class Selfish(GenServer):
        async def handle_cast(self, message: object) -> None:
            await ref(self_()).call(HELLO)

    server = await Selfish.start()
    server.cast(Do(lambda one: None))
    reason = await wait_exit(server)
    assert isinstance(reason, Crashed)
    assert isinstance(reason.exception, CallCycle)
    assert is_alive(a)
    assert is_alive(b)


async def test_a_refused_cycle_in_a_loop_lets_others_run(node: Node) -> None:
    ran: list[int] = []

    async def other() -> None:
        for turn in range(10):
            ran.append(turn)
            await trio.lowlevel.checkpoint()

    async def body() -> None:
        for _ in range(12):
            with pytest.raises(CallCycle):
                await ref(self_()).call(HELLO)
        assert len(ran) >= 9

    async with trio.open_nursery() as nursery:
        nursery.start_soon(other)
        await in_process(body)


async def test_waiting_for_an_end_is_an_edge_as_well(node: Node) -> None:
    """Whom it waits for cannot call it."""

    async def body() -> str:
        me = ref(self_())
        found: list[CallCycle] = []

        async def other() -> None:
            with pytest.raises(CallCycle) as caught:
                await me.call(HELLO)
            found.append(caught.value)

        await wait_exit(spawn(other))
        assert found
        return "done"

    assert await in_process(body) == "done"


async def test_a_request_to_a_plain_process_is_an_edge_until_it_is_answered(node: Node) -> None:
    """It cannot put a reply off by ``NoReply``: it replies, then calls back."""
    (server,) = await servers("a")
    got: list[object] = []

    async def plain() -> None:
        request = await receive(Request)
        with pytest.raises(CallCycle):
            await server.call(HELLO)
        request.reply_to.reply("answered")
        got.append(await server.call(Ask(lambda one, reply_to: "legal")))

    pid = spawn(plain)

    async def handler(one: Any, reply_to: object) -> Any:
        return await ref(pid).call(HELLO)

    assert await server.call(Ask(handler)) == "answered"
    await trio.sleep(1)
    assert got == ["legal"]
