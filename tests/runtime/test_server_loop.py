"""One message in, one callback, one outcome: order and Continue."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio

from runtime import (
    AgentRef,
    BadResult,
    CallExit,
    Continue,
    Crashed,
    ExitReason,
    GenServer,
    Node,
    NoReply,
    Ref,
    Reply,
    Stop,
    UnhandledMessage,
    exit,
    get_state,
    is_alive,
    kill,
    self_,
    send,
    start,
    wait_exit,
)
from tests.support import Ask, Do, Note, Scripted


def note(text: str) -> Note:
    return Note(text=text)


def infos(log: list[Any]) -> list[object]:
    return [entry[1] for entry in log if entry[0] == "info"]


def saw(text: str, then: object = None) -> Callable[..., object]:
    """A callback that writes ``text`` into the server's log."""

    def callback(server: Any, *args: object) -> object:
        server.log.append(text)
        return then

    return callback


async def test_a_handler_runs_to_its_end_before_the_next_begins(node: Node) -> None:
    """DESIGN 3.1."""
    log: list[Any] = []
    server = await start(Scripted.child_spec(log))

    def slow(number: int) -> Callable[..., Any]:
        async def handler(*args: object) -> None:
            log.append(("begin", number))
            await trio.sleep(1)
            log.append(("end", number))

        return handler

    server.cast(Do(slow(0)))
    server.send(Note(slow(1)))
    async with trio.open_nursery() as nursery:
        for number in (2, 3):
            nursery.start_soon(server.call, Ask(slow(number)))
    assert [log[at][1] for at in range(0, 8, 2)] == [log[at + 1][1] for at in range(0, 8, 2)]
    assert log[:4] == [("begin", 0), ("end", 0), ("begin", 1), ("end", 1)]


# -- Continue --------------------------------------------------------------------------------


async def test_the_continue_of_init_runs_before_what_is_queued(node: Node) -> None:
    """GEN-068."""
    log: list[Any] = []

    async def init(server: object) -> Continue:
        send(self_(), note("queued"))
        await trio.sleep(1)
        return Continue(saw("continued"))

    server = await start(Scripted.child_spec(log, init=init))
    await get_state(server)
    assert log == ["continued", ("info", note("queued"))]


async def test_continues_are_chained_before_any_message(node: Node) -> None:
    """GEN-069."""
    log: list[Any] = []

    def init(server: object) -> Continue:
        send(self_(), note("queued"))
        return Continue(saw("1", Continue(saw("2", NoReply(then=Continue(saw("3")))))))

    server = await start(Scripted.child_spec(log, init=init))
    await get_state(server)
    assert log == ["1", "2", "3", ("info", note("queued"))]


@pytest.mark.parametrize("how", ["Reply", "NoReply", "cast", "info"])
async def test_a_continue_after_a_message_runs_before_the_next(node: Node, how: str) -> None:
    """GEN-070: and the reply is there before it has run."""
    log: list[Any] = []
    server = await start(Scripted.child_spec(log))

    async def slow(one: object) -> None:
        await trio.sleep(2)
        log.append("continued")

    async def hold(one: object) -> None:
        await trio.sleep(1)

    def answer_first(one: object, reply_to: Any) -> NoReply:
        reply_to.reply("reply")
        return NoReply(then=Continue(slow))

    server.cast(Do(hold))
    async with trio.open_nursery() as nursery:

        @nursery.start_soon
        async def first() -> None:
            begun = trio.current_time()
            match how:
                case "Reply":
                    request = Ask(lambda one, reply_to: Reply("reply", then=Continue(slow)))
                    assert await server.call(request) == "reply"
                    assert trio.current_time() - begun == 1
                case "NoReply":
                    assert await server.call(Ask(answer_first)) == "reply"
                    assert trio.current_time() - begun == 1
                case "cast":
                    server.cast(Do(lambda one: Continue(slow)))
                case _:
                    server.send(Note(lambda one: Continue(slow)))

        await trio.sleep(0.5)
        server.send(note("next"))
    await trio.sleep(5)
    assert log == ["continued", ("info", note("next"))]


@pytest.mark.parametrize(
    ("result", "kind"), [(Stop("later"), str), ("junk", BadResult), (Reply(1), BadResult)]
)
async def test_a_continue_can_stop_the_server_or_be_bad(
    node: Node, result: object, kind: type
) -> None:
    """GEN-071: ``terminate`` runs with the reason."""
    log: list[Any] = []
    server = await start(Scripted.child_spec(log, init=lambda one: Continue(lambda again: result)))
    await trio.sleep(1)
    ((callback, reason),) = log
    assert callback == "terminate"
    assert isinstance(reason.exception if isinstance(reason, Crashed) else reason, kind)
    assert not is_alive(server)


async def test_a_continue_without_a_callback_is_a_crash(node: Node) -> None:
    reasons: list[ExitReason] = []

    class Told(GenServer):
        def init(self) -> Continue:
            return Continue("load")

        def terminate(self, reason: ExitReason) -> None:
            reasons.append(reason)

    await Told.start()
    await trio.sleep(1)
    (reason,) = reasons
    assert isinstance(reason, Crashed)
    assert isinstance(reason.exception, UnhandledMessage)
    assert str(reason.exception) == "Told returned Continue('load') but has no handle_continue"


async def _call(server: Ref, work: Callable[..., Any]) -> None:
    with pytest.raises(CallExit):
        await server.call(Ask(work))


async def _cast(server: Ref, work: Callable[..., Any]) -> None:
    server.cast(Do(work))


async def _info(server: Ref, work: Callable[..., Any]) -> None:
    server.send(Note(work))


async def _continue(server: Ref, work: Callable[..., Any]) -> None:
    server.cast(Do(lambda _server: Continue(work)))


@pytest.mark.parametrize("how", [_call, _cast, _info, _continue])
@pytest.mark.parametrize(
    ("end", "last_words"), [(lambda one: exit(one, "boom"), [("terminate", "boom")]), (kill, [])]
)
async def test_a_handler_that_is_interrupted_cleans_up_before_last_words(
    node: Node, how: Callable[..., Any], end: Callable[[Ref], None], last_words: list[Any]
) -> None:
    """Its ``finally`` and ``async with``, innermost first, by a signal as by a kill."""
    log: list[Any] = []

    @asynccontextmanager
    async def resource() -> AsyncGenerator[None]:
        try:
            yield
        finally:
            log.append("async with")

    async def work(*_args: object) -> None:
        try:
            async with resource():
                await trio.sleep_forever()
        finally:
            log.append("finally")

    server = await start(Scripted.child_spec(log))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(how, server, work)
        await trio.sleep(1)
        assert log == []
        end(server)
        await wait_exit(server)
    assert log == ["async with", "finally", *last_words]


@pytest.mark.parametrize("outcome", [NoReply, Reply, Stop, Continue])
async def test_the_class_of_an_outcome_is_no_outcome_and_no_reply(
    node: Node, outcome: type
) -> None:
    """``return NoReply`` for ``return NoReply()``."""
    server = await start(Scripted.child_spec())
    with pytest.raises(CallExit) as caught:
        await server.call(Ask(lambda _server, _reply_to: outcome))
    assert isinstance(caught.value.__cause__, BadResult)
    name = outcome.__name__
    assert f"the class {name}, not a value: {name}(...)" in str(caught.value.__cause__)


async def test_a_bad_result_shows_no_more_than_redact_allows(node: Node) -> None:
    class Secretive(Scripted):
        def redact(self, what: str, value: object) -> object:
            return None

    server = await start(Secretive.child_spec())
    server.cast(Do(lambda _server: "hunter2"))
    reason = await wait_exit(server)
    assert isinstance(reason, Crashed)
    assert "returned <not shown>, allowed are" in str(reason.exception)


async def test_the_wrong_typed_handle_is_refused_and_the_server_lives_on(node: Node) -> None:
    """A slip of the caller, not a message that the server should have known."""
    server = await Scripted.start()
    agent: AgentRef[int] = AgentRef(server)
    with pytest.raises(UnhandledMessage, match=r"runs Scripted, which does not know Get: AgentRef"):
        await agent.get(abs)
    assert is_alive(server)
    await server.stop()
