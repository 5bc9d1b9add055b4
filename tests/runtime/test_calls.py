"""Calls that are answered, handles, and who is refused."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
import trio

from runtime import (
    CallExit,
    Node,
    NoProcess,
    NoReply,
    ProcessNotFound,
    Ref,
    Reply,
    ReplyTo,
    Request,
    handles,
    is_alive,
    kill,
    named,
    receive,
    ref,
    send,
    spawn,
    start,
    wait_exit,
)
from tests.runtime.counting import Add, Counter, Get
from tests.support import Ask, Do, Note, Scripted, in_process


class AsyncCounter(Counter):
    @handles(Get)
    async def get(self, request: Get) -> int:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        await trio.lowlevel.checkpoint()
        return self.count


@pytest.mark.parametrize("spec", [Counter.child_spec(1), AsyncCounter.child_spec(1)])
async def test_a_call_returns_what_the_handler_returns(node: Node, spec: Any) -> None:
    """GEN-032."""
    server = await start(spec)
    assert await server.call(Get()) == 1
    await trio.sleep(1)
    assert await server.call(Get()) == 1, "from a parked server too"


@pytest.mark.parametrize("spec", [Counter.child_spec(), AsyncCounter.child_spec()])
async def test_casts_before_a_call_of_one_client_are_handled_before_it(
    node: Node, spec: Any
) -> None:
    """GEN-033."""
    server = await start(spec)
    for by in (1, 2, 3):
        server.cast(Add(by=by))
    assert await server.call(Get()) == 6
    assert await server.call(Get()) == 6


async def test_the_order_of_one_sender_is_kept_over_calls_casts_and_infos(node: Node) -> None:
    """GEN-032, DESIGN 3.1."""
    server = await start(Scripted.child_spec())
    seen: list[int] = []

    def saw(number: int, *_: object) -> None:
        seen.append(number)

    for at in range(0, 60, 3):
        server.cast(Do(partial(saw, at)))
        server.send(Note(partial(saw, at + 1)))
        await server.call(Ask(partial(saw, at + 2)))
    assert seen == list(range(60))


async def test_callers_are_served_in_the_order_they_called(node: Node) -> None:
    server = await start(Scripted.child_spec())
    seen: list[int] = []

    async def client(number: int) -> None:
        await trio.sleep(number / 10)
        await server.call(Ask(lambda one, reply_to: seen.append(number)))

    async def busy(one: object) -> None:
        await trio.sleep(2)

    server.cast(Do(busy))
    async with trio.open_nursery() as nursery:
        for number in range(5):
            nursery.start_soon(client, number)
    assert seen == [0, 1, 2, 3, 4]


async def test_a_deferred_reply_is_sent_by_a_later_handler(node: Node) -> None:
    """GEN-035."""
    server = await start(Scripted.child_spec())

    def defer(one: Any, reply_to: ReplyTo[str]) -> NoReply:
        one.waiting = reply_to
        return NoReply()

    def answer(one: Any) -> None:
        one.waiting.reply("later")

    async with trio.open_nursery() as nursery:

        @nursery.start_soon
        async def client() -> None:
            assert await server.call(Ask(defer)) == "later"
            assert trio.current_time() - begun == 2

        begun = trio.current_time()
        await trio.sleep(2)
        assert await server.call(Ask(lambda one, reply_to: "not blocked")) == "not blocked"
        server.send(Note(answer))


async def test_the_server_can_raise_in_the_caller_and_go_on(node: Node) -> None:
    def refuse(one: Any, reply_to: ReplyTo[str]) -> NoReply:
        reply_to.error(KeyError("no such user"))
        return NoReply()

    server = await start(Scripted.child_spec())
    with pytest.raises(KeyError, match="no such user"):
        await server.call(Ask(refuse))
    assert is_alive(server)


@pytest.mark.parametrize("junk", [None, "boom", ValueError, KeyboardInterrupt()])
async def test_only_an_exception_can_be_raised_in_the_caller(node: Node, junk: Any) -> None:
    """DESIGN 3.9."""

    def refuse(one: Any, reply_to: ReplyTo[str]) -> str:
        with pytest.raises(TypeError, match=r"exc: got .*, allowed is an instance of Exception"):
            reply_to.error(junk)
        return "still open"

    server = await start(Scripted.child_spec())
    assert await server.call(Ask(refuse)) == "still open"


@pytest.mark.parametrize(
    "after", ["returned", Reply("returned"), NoReply(), ValueError("error after reply")]
)
async def test_the_first_reply_counts(node: Node, after: Any) -> None:
    """GEN-036. differs: a second one is nowhere, not perhaps in the mailbox."""

    def twice(one: Any, reply_to: ReplyTo[str]) -> object:
        assert not reply_to.answered
        reply_to.reply("first")
        assert reply_to.answered
        reply_to.reply("second")
        if isinstance(after, Exception):
            reply_to.error(after)
            return NoReply()
        return after

    async def client() -> None:
        server = await start(Scripted.child_spec())
        assert await server.call(Ask(twice)) == "first"
        assert await server.call(Ask(lambda one, reply_to: "next")) == "next"
        with trio.move_on_after(1) as scope:
            await receive()
        assert scope.cancelled_caught, "nothing in the mailbox"

    await in_process(client)


async def test_a_reply_to_a_client_that_has_died_harms_nobody(node: Node) -> None:
    """GEN-037, GEN-038."""
    done: list[str] = []

    async def work(one: Any, reply_to: ReplyTo[str]) -> NoReply:
        await trio.sleep(2)
        assert reply_to.answered
        reply_to.reply("too late")
        reply_to.error(ValueError("too late"))
        done.append("finished")
        return NoReply()

    server = await start(Scripted.child_spec())

    async def client() -> None:
        await server.call(Ask(work))

    pid = spawn(client)
    await trio.sleep(1)
    kill(pid)
    await wait_exit(pid)
    assert await server.call(Ask(lambda one, reply_to: "alive")) == "alive"
    assert done == ["finished"]


async def test_each_call_has_a_reply_to_of_its_own(node: Node) -> None:
    """GEN-094. Not there: the caller's pid in it."""
    seen: list[ReplyTo[Any]] = []

    def keep(one: Any, reply_to: ReplyTo[Any]) -> str:
        seen.append(reply_to)
        return "ok"

    server = await start(Scripted.child_spec())
    await server.call(Ask(keep))
    await server.call(Ask(keep))
    assert seen[0] is not seen[1]
    assert [one.answered for one in seen] == [True, True]


async def dead() -> Ref:
    server = await start(Scripted.child_spec())
    await server.stop()
    return server


async def test_a_call_to_nobody_fails_at_once(node: Node) -> None:
    """GEN-058, GEN-060: and the error holds the handle that was used."""
    gone = await dead()
    for target in (gone, ref(gone.pid), named("nobody")):
        with pytest.raises(CallExit) as caught:
            await target.call(Get(), timeout=float("inf"))
        assert caught.value.reason == NoProcess()
        assert caught.value.target is target
        assert caught.value.request == Get()
        why = {
            False: "it has ended; a handle by name follows restarts",
            True: "there is no such process now: "
            "not started, being restarted, or a slip in the name",
        }
        assert str(caught.value) == f"Get to {target!r}: {why[target.incarnation is None]}"
        assert caught.value.__cause__ is None


async def test_a_loop_of_calls_to_nobody_lets_others_run(node: Node) -> None:
    """A retry loop must not freeze the program."""
    ran: list[int] = []

    async def other() -> None:
        for turn in range(10):
            ran.append(turn)
            await trio.lowlevel.checkpoint()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(other)
        for _ in range(12):
            with pytest.raises(CallExit):
                await named("nobody").call(Get())
        assert len(ran) >= 9


async def test_a_cast_to_nobody_vanishes(node: Node) -> None:
    """GEN-060, GEN-061."""
    gone = await dead()
    for target in (gone, ref(gone.pid), named("nobody")):
        target.cast(Add())


async def test_an_info_to_a_dead_pid_vanishes_and_one_to_no_name_is_an_error(node: Node) -> None:
    """DESIGN 3.2."""
    gone = await dead()
    for target in (gone, ref(gone.pid)):
        target.send("hello")
        send(target, "hello")
    send(gone.pid, "hello")
    for go in (named("nobody").send, partial(send, named("nobody"))):
        with pytest.raises(ProcessNotFound) as caught:
            go("hello")
        assert caught.value.target == named("nobody")


@pytest.mark.parametrize("junk", [None, "get", Get, Add(), 5])
async def test_only_a_call_can_be_called(node: Node, junk: Any) -> None:
    """DESIGN 3.9."""
    server = await Counter.start()
    with pytest.raises(TypeError, match=r"request: got .* allowed is an instance of a Call"):
        await server.call(junk)


@pytest.mark.parametrize("junk", [None, "add", Add, Get(), 5])
async def test_only_a_cast_can_be_cast(node: Node, junk: Any) -> None:
    server = await Counter.start()
    with pytest.raises(TypeError, match=r"message: got .* allowed is an instance of a Cast"):
        server.cast(junk)


async def test_a_call_cannot_be_sent(node: Node) -> None:
    """It would never be answered."""
    server = await Counter.start()
    for go in (server.send, partial(send, server), partial(send, server.pid), named("no").send):
        with pytest.raises(TypeError, match=r"await ref\.call"):
            go(Get())


async def test_a_cast_may_be_sent_as_well(node: Node) -> None:
    server = await Counter.start()
    server.send(Add(by=3))
    send(server.pid, Add(by=4))
    assert await server.call(Get()) == 7


async def test_a_plain_process_answers_a_call_as_a_request(node: Node) -> None:
    async def answering() -> None:
        request = await receive(Request)
        assert repr(request) == f"Request({request.message!r})"
        assert not request.reply_to.answered
        request.reply_to.reply(41)
        again = await receive(lambda message: isinstance(message, Request))
        assert isinstance(again, Request)
        again.reply_to.error(KeyError("no"))

    pid = spawn(answering)
    assert await ref(pid).call(Get()) == 41
    with pytest.raises(KeyError):
        await ref(pid).call(Get())


async def test_a_cancelled_caller_sends_nothing(node: Node) -> None:
    log: list[str] = []
    server = await start(Scripted.child_spec())
    with trio.CancelScope() as scope:
        scope.cancel()
        await server.call(Ask(lambda one, reply_to: log.append("handled")))
    assert scope.cancelled_caught
    await trio.sleep(1)
    assert log == []
