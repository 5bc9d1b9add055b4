"""What becomes of the callers of a server that ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import trio

from runtime import (
    CallExit,
    CleanupFailed,
    Crashed,
    ExitReason,
    Killed,
    Node,
    NoReply,
    Normal,
    ProcessExit,
    Ref,
    Reply,
    ReplyTo,
    Request,
    Shutdown,
    Stop,
    exit,
    is_alive,
    kill,
    receive,
    ref,
    spawn,
    start,
    start_link,
)
from tests.conftest import Recorder
from tests.support import Ask, Do, Scripted, reason_of

BOOM = ValueError("boom")
REASONS: list[ExitReason] = [Normal(), Shutdown(), Shutdown("x"), "own", Killed(), Crashed(BOOM)]


def crash(*args: object) -> Any:
    raise BOOM


def leave(*args: object) -> Any:
    raise ProcessExit("left")


async def hang(*args: object) -> None:
    await trio.sleep_forever()


def defer(server: Any, reply_to: ReplyTo[Any]) -> NoReply:
    server.kept = reply_to
    return NoReply()


async def exit_of(server: Ref, request: Ask) -> CallExit:
    with pytest.raises(CallExit) as caught:
        await server.call(request)
    return caught.value


@pytest.mark.parametrize("reason", REASONS)
@pytest.mark.parametrize("style", ["def", "async"])
async def test_a_stop_without_a_reply_is_the_callers_exit(
    node: Node, reason: ExitReason, style: str
) -> None:
    """GEN-040."""

    async def stop(server: object, reply_to: object) -> Stop:
        await trio.lowlevel.checkpoint()
        return Stop(reason)

    log: list[Any] = []
    server = await start(Scripted.child_spec(log))
    request = Ask(stop if style == "async" else lambda one, reply_to: Stop(reason))
    error = await exit_of(server, request)
    assert error.reason == reason
    assert error.request is request
    assert log == [("terminate", reason)]
    assert not is_alive(server)


@pytest.mark.parametrize(
    ("fault", "reason", "cause"), [(crash, Crashed(BOOM), BOOM), (leave, "left", None)]
)
async def test_a_raise_in_a_handler_is_the_callers_exit(
    node: Node, fault: Callable[..., Any], reason: ExitReason, cause: BaseException | None
) -> None:
    """GEN-041, GEN-042. differs: ``terminate`` sees ``self`` as the handler left it (GEN-089)."""

    def handler(one: Any, reply_to: object) -> None:
        one.half_done = True
        fault()

    seen: list[bool] = []
    log: list[Any] = []
    server = await start(
        Scripted.child_spec(log, terminate=lambda one, why: seen.append(one.half_done))
    )
    error = await exit_of(server, Ask(handler))
    assert (error.reason, error.__cause__) == (reason, cause)
    assert log == [("terminate", reason)]
    assert seen == [True]


@pytest.mark.parametrize("style", ["def", "async"])
@pytest.mark.parametrize(
    ("end", "reason", "last_words"),
    [
        (kill, Killed(), []),
        (lambda one: exit(one, "boom"), "boom", ["boom"]),
        (lambda one: exit(one, Shutdown()), Shutdown(), [Shutdown()]),
    ],
)
async def test_a_signal_while_it_handles_is_the_callers_exit(
    node: Node,
    style: str,
    end: Callable[[Ref], None],
    reason: ExitReason,
    last_words: list[ExitReason],
) -> None:
    """GEN-046, GEN-047. differs: ``terminate`` also runs after an untrapped exit signal."""
    log: list[Any] = []
    server = await start(Scripted.child_spec(log))
    request = Ask(hang) if style == "async" else Ask(defer)
    async with trio.open_nursery() as nursery:

        @nursery.start_soon
        async def client() -> None:
            assert (await exit_of(server, request)).reason == reason

        await trio.sleep(1)
        end(server)
    assert log == [("terminate", words) for words in last_words]


async def test_an_outcome_that_is_raised_is_a_crash(node: Node) -> None:
    """GEN-043. differs: there is no throw-as-return; Python cannot even raise an outcome."""

    def handler(one: object, reply_to: object) -> None:
        raise Reply(1)  # type: ignore[misc]  # pyright: ignore[reportGeneralTypeIssues]

    server = await start(Scripted.child_spec())
    error = await exit_of(server, Ask(handler))
    assert isinstance(error.__cause__, TypeError)


@pytest.mark.parametrize("end", ["crash", "stop", "stop with reply"])
async def test_who_waits_in_the_queue_exits_too(node: Node, end: str) -> None:
    """GEN-049, GEN-050: with its own error for each, and the same cause."""

    async def handler(one: Any, reply_to: object) -> Stop:
        await trio.sleep(1)
        match end:
            case "crash":
                raise BOOM
            case "stop":
                return Stop("done")
            case _:
                return Stop("done", reply="answer")

    server = await start(Scripted.child_spec())
    errors: list[CallExit] = []
    replies: list[object] = []

    async def client(request: Ask) -> None:
        try:
            replies.append(await server.call(request))
        except CallExit as exc:
            errors.append(exc)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(client, Ask(handler))
        await trio.sleep(0.5)
        for _ in range(2):
            nursery.start_soon(client, Ask(lambda one, reply_to: "never"))
    assert replies == (["answer"] if end == "stop with reply" else [])
    assert len(errors) == 3 - len(replies)
    assert {repr(error.reason) for error in errors} == {
        repr(Crashed(BOOM)) if end == "crash" else "'done'"
    }
    assert {error.__cause__ for error in errors} == {BOOM if end == "crash" else None}


@pytest.mark.parametrize("how", ["crash", "kill"])
async def test_a_thousand_callers_each_get_their_own_exit(node: Node, how: str) -> None:
    server = await start(Scripted.child_spec())
    errors: list[CallExit] = []

    async def client() -> None:
        errors.append(await exit_of(server, Ask(lambda one, reply_to: "never")))

    async def handler(one: object) -> None:
        await trio.sleep(2)
        raise BOOM

    async with trio.open_nursery() as nursery:
        server.cast(Do(handler))
        await trio.sleep(1)
        for _ in range(1000):
            nursery.start_soon(client)
        if how == "kill":
            await trio.sleep(0.5)
            kill(server)
    assert len({id(error) for error in errors}) == 1000
    assert {type(error.reason) for error in errors} == {Crashed if how == "crash" else Killed}
    assert {error.__cause__ for error in errors} == {BOOM if how == "crash" else None}


async def test_stop_with_a_reply_replies_after_terminate(node: Node) -> None:
    """GEN-039, GEN-088: terminate sees the state the handler left, and has run first."""
    log: list[Any] = []

    async def last_words(one: Any, reason: ExitReason) -> None:
        await trio.sleep(3)
        log.append(one.state)

    def handler(one: Any, reply_to: object) -> Stop:
        one.state = "new"
        return Stop("done", reply="answer")

    server = await start(Scripted.child_spec(log, terminate=last_words))
    begun = trio.current_time()
    assert await server.call(Ask(handler)) == "answer"
    assert trio.current_time() - begun == 3
    assert log == [("terminate", "done"), "new"]
    await trio.sleep(1)
    assert not is_alive(server)


@pytest.mark.parametrize("reply", [None, 0, False, NoReply()])
async def test_stop_takes_any_reply(node: Node, reply: object) -> None:
    server = await start(Scripted.child_spec())
    assert await server.call(Ask(lambda one, reply_to: Stop(reply=reply))) == reply


async def test_stop_with_a_reply_whose_terminate_fails_is_an_exit(node: Node) -> None:
    """The reply says that all is done, and it is not."""
    server = await start(Scripted.child_spec(terminate=crash))
    error = await exit_of(server, Ask(lambda one, reply_to: Stop("done", reply="answer")))
    assert error.reason == Crashed(BOOM)


async def test_stop_with_a_reply_that_is_killed_in_terminate_is_an_exit(node: Node) -> None:
    server = await start(Scripted.child_spec(terminate=hang))
    async with trio.open_nursery() as nursery:

        @nursery.start_soon
        async def client() -> None:
            stop = Ask(lambda one, reply_to: Stop("done", reply="answer"))
            assert (await exit_of(server, stop)).reason == Killed()

        await trio.sleep(1)
        kill(server)


async def test_a_linked_caller_ends_with_the_plain_reason(node: Node) -> None:
    """GEN-062."""

    async def client() -> None:
        server = await start_link(Scripted.child_spec())
        try:
            await server.call(Ask(crash))
        except CallExit:
            await trio.sleep_forever()

    assert await reason_of(client) == Crashed(BOOM)


@pytest.mark.parametrize("reason", [Shutdown(), Crashed(BOOM)])
async def test_a_linked_caller_that_its_call_ends_as_well_has_not_failed_to_clean_up(
    node: Node, events: Recorder, reason: ExitReason
) -> None:
    """The end of the server reaches it twice in one step: by the link and by the call."""

    async def client() -> None:
        server = await start_link(Scripted.child_spec())
        await server.call(Ask(lambda one, reply_to: Stop(reason)))

    assert await reason_of(client) == reason
    assert events.of(CleanupFailed) == []


async def test_the_callers_of_a_plain_process_hear_of_its_end(node: Node) -> None:
    async def ignores_it() -> None:
        await trio.sleep(1)

    async def crashes_on_it() -> None:
        request = await receive(Request)
        assert not request.reply_to.answered
        raise BOOM

    pid = spawn(ignores_it)
    assert (await exit_of(ref(pid), Ask(hang))).reason == Normal()
    pid = spawn(crashes_on_it)
    assert (await exit_of(ref(pid), Ask(hang))).reason == Crashed(BOOM)
