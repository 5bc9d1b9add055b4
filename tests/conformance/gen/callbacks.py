"""Rows of GEN about callbacks: one that is missing, what one may not return, and Continue."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import trio

from runtime import (
    BadResult,
    Call,
    Continue,
    Crashed,
    ExitReason,
    GenServer,
    Ignore,
    MessageUnexpected,
    Reply,
    Stop,
    UnhandledMessage,
    get_state,
    is_alive,
    self_,
    send,
    start,
    wait_exit,
)
from tests.conformance.gen.parts import refused_throw, throws, told
from tests.conformance.scenarios import row
from tests.conftest import Recorder
from tests.runtime.counting import Add, Counter, Get
from tests.support import Ask, Do, Scripted, end_of


class Bare(GenServer):
    """Defines no callback."""


class Unknown(Call[int]):
    """A request that nobody handles."""


def exception_of(reason: ExitReason) -> BaseException:
    assert isinstance(reason, Crashed)
    return reason.exception


def bad_value_of(reason: ExitReason) -> object:
    """What the callback returned that it may not."""
    exception = exception_of(reason)
    assert isinstance(exception, BadResult)
    return exception.value


def saw(text: str, then: object = None) -> Callable[..., object]:
    """A callback that writes down ``text``."""

    def callback(server: Any, *args: object) -> object:
        server.log.append(text)
        return then

    return callback


@row("GEN-043")
async def a_handler_cannot_throw_what_it_may_return() -> None:
    """differs: a throw is no return value: the attempt is itself the crash, a ``TypeError``."""
    log: list[Any] = []
    server = await start(Scripted.child_spec(log))
    how, reason = await told(server, Ask(throws(Reply("thrown"))))
    assert how == "exit"
    assert refused_throw(reason)
    other = await start(Scripted.child_spec(log))
    other.cast(Do(throws(Stop("thrown"))))
    assert refused_throw(reason_of_other := await wait_exit(other))
    assert log == [("terminate", reason), ("terminate", reason_of_other)]


@row("GEN-044")
async def what_handle_call_may_not_return_is_the_callers_exit() -> None:
    """differs: nothing can be thrown, the attempt is a ``TypeError``.

    Junk is an outcome of another callback: any other value is a reply.
    """
    log: list[Any] = []
    server = await start(Scripted.child_spec(log))
    how, reason = await told(server, Ask(lambda one, reply_to: Ignore()))
    assert (how, bad_value_of(reason)) == ("exit", Ignore())
    assert log == [("terminate", reason)]
    how, reason = await told(await start(Scripted.child_spec(log)), Ask(throws("junk")))
    assert how == "exit"
    assert refused_throw(reason)
    assert log[1:] == [("terminate", reason)]


@row("GEN-045")
async def a_cast_cannot_be_replied_to() -> None:
    server = await Scripted.start()
    server.cast(Do(lambda one: Reply("reply")))
    assert bad_value_of(await wait_exit(server)) == Reply("reply")


@row("GEN-064")
async def a_call_to_a_server_without_handle_call_crashes_it(events: Recorder) -> None:
    server = await Bare.start()
    how, reason = await told(server, Get())
    assert how == "exit"
    assert isinstance(exception_of(reason), UnhandledMessage)
    assert str(exception_of(reason)) == "Bare has no handler for the call Get; handled are: none"
    assert end_of(events, server.pid) == reason


@row("GEN-065")
async def a_cast_to_a_server_without_handle_cast_crashes_it() -> None:
    server = await Bare.start()
    server.cast(Add())
    exception = exception_of(await wait_exit(server))
    assert isinstance(exception, UnhandledMessage)
    assert str(exception) == "Bare has no handler for the cast Add; handled are: none"


@row("GEN-066")
async def a_message_to_a_server_without_handle_info_is_reported_and_ignored(
    events: Recorder,
) -> None:
    server = await Bare.start()
    server.send("hello")
    await get_state(server)
    assert events.of(MessageUnexpected) == [MessageUnexpected(server.pid, "'hello'")]
    assert is_alive(server)


@row("GEN-067")
async def a_request_that_no_handler_takes_crashes_the_server(events: Recorder) -> None:
    server = await Counter.start()
    assert await told(server, Get()) == ("reply", 0)
    how, reason = await told(server, Unknown())
    assert how == "exit"
    exception = exception_of(reason)
    assert isinstance(exception, UnhandledMessage)
    text = "Counter has no handler for the call Unknown; handled are: Add, Get, Tick"
    assert str(exception) == text
    assert end_of(events, server.pid) == reason


@row("GEN-068")
async def the_continue_of_init_runs_before_what_is_queued() -> None:
    log: list[Any] = []

    def init(server: object) -> Continue:
        send(self_(), "queued")
        return Continue(saw("continued"))

    await get_state(await start(Scripted.child_spec(log, init=init)))
    assert log == ["continued", ("info", "queued")]


@row("GEN-069")
async def a_continue_may_return_another_before_any_message() -> None:
    log: list[Any] = []

    def init(server: object) -> Continue:
        send(self_(), "queued")
        return Continue(saw("first", Continue(saw("second"))))

    await get_state(await start(Scripted.child_spec(log, init=init)))
    assert log == ["first", "second", ("info", "queued")]


@row("GEN-070")
async def a_continue_after_a_reply_runs_before_the_next_message() -> None:
    log: list[Any] = []

    async def work(server: Any) -> None:
        await trio.sleep(3)
        log.append("continued")

    def handler(server: object, reply_to: object) -> Reply[str]:
        send(self_(), "next")
        return Reply("reply", then=Continue(work))

    server = await start(Scripted.child_spec(log))
    log.append(await told(server, Ask(handler)))
    assert log == [("reply", "reply")]
    await get_state(server)
    assert log == [("reply", "reply"), "continued", ("info", "next")]


@row("GEN-071")
async def a_continue_can_stop_the_server_or_be_bad() -> None:
    log: list[Any] = []
    results: list[object] = [Stop("left"), "junk"]
    for result in results:
        server = await start(Scripted.child_spec(log, init=saw("init", Continue(saw("", result)))))
        await wait_exit(server)
    (_, _, stopped, _, _, (callback, reason)) = log
    assert stopped == ("terminate", "left")
    assert (callback, bad_value_of(reason)) == ("terminate", "junk")
