"""What the checkers know about calls, casts and replies."""

from __future__ import annotations

import math
from typing import Generic, TypeVar, assert_type

from runtime import Call, Cast, Pid, Ref, ReplyTo, Request, named, ref, send
from supervisors import SupervisorRef

T = TypeVar("T")


class Get(Call[int]):
    """Reply with a number."""


class Find(Call[str | None]):
    """Reply with a name, if there is one."""

    key: str


class Names(Call[list[str]]):
    """Reply with all names."""


class Forget(Call[None]):
    """Reply when it is forgotten."""


class Fetch(Call[T], Generic[T]):
    """Reply with whatever kind was asked for."""

    kind: type[T]


class Add(Cast):
    """No reply."""

    by: int = 1


async def a_call_has_the_type_of_its_reply(server: Ref, pid: Pid, tree: SupervisorRef) -> None:
    assert_type(await server.call(Get()), int)
    assert_type(await named("counter").call(Get()), int)
    assert_type(await ref(pid).call(Get()), int)
    assert_type(await tree.call(Get()), int)
    assert_type(await server.call(Find(key="x")), str | None)
    assert_type(await server.call(Names()), list[str])
    assert_type(await server.call(Fetch(bytes)), bytes)
    assert_type(await server.call(Get(), timeout=math.inf), int)
    assert_type(await server.call(Get(), timeout=1), int)
    await server.call(Forget())
    print(await server.call(Get()))
    number: float = await server.call(Get())
    text: str = await server.call(Get())  # type: ignore[arg-type]  # pyright: ignore[reportAssignmentType]
    print(number, text)


async def a_call_takes_calls_only(server: Ref) -> None:
    await server.call(Add())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await server.call("get")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await server.call(Get)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await server.call()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    await server.call(Get(), 5.0)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    await server.call(Get(), timeout="5")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await server.call(Get(), timeout=None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await named("counter").call(Add())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def a_call_must_be_awaited(server: Ref) -> None:
    server.call(Get())  # type: ignore[unused-coroutine]  # pyright: ignore[reportUnusedCoroutine]
    number: int = server.call(Get())  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
    print(number)


async def a_cast_takes_casts_only_and_is_not_awaited(server: Ref) -> None:
    server.cast(Add())
    server.cast(Add(by=2))
    named("counter").cast(Add(2))
    server.cast(Get())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    named("counter").cast(Get())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    server.cast("add")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    server.cast(Add)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await server.cast(Add())  # type: ignore[func-returns-value, misc]  # pyright: ignore[reportGeneralTypeIssues]


def anything_can_be_sent(server: Ref, pid: Pid) -> None:
    server.send("text")
    server.send(Add())
    send(pid, 5)
    send(server, 5)
    send("counter", 5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def a_handle_leads_to_a_pid(server: Ref) -> None:
    assert_type(server.whereis(), Pid | None)
    assert_type(server.pid, Pid)
    assert_type(named("counter"), Ref)
    named(5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    ref("counter")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def a_stop_takes_any_reason(server: Ref) -> None:
    await server.stop()
    await server.stop("disk full", timeout=1)
    await server.stop(timeout="1")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    server.stop()  # type: ignore[unused-coroutine]  # pyright: ignore[reportUnusedCoroutine]


def a_reply_has_the_type_the_call_declares(
    reply_to: ReplyTo[int], maybe: ReplyTo[str | None], nothing: ReplyTo[None]
) -> None:
    reply_to.reply(1)
    reply_to.reply(True)
    reply_to.reply("1")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    reply_to.reply(None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    reply_to.reply()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    maybe.reply(None)
    maybe.reply("x")
    maybe.reply(1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    nothing.reply(None)
    nothing.reply(0)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    reply_to.error(ValueError("no"))
    reply_to.error(ValueError)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    reply_to.error("no")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    reply_to.error(KeyboardInterrupt())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    assert_type(reply_to.answered, bool)


def who_answers_more_answers_less(wide: ReplyTo[float], narrow: ReplyTo[int]) -> None:
    whole: ReplyTo[int] = wide
    broken: ReplyTo[float] = narrow  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
    print(whole, broken)


def a_call_of_less_is_a_call_of_more(call: Call[int]) -> None:
    wide: Call[float] = call
    anything: Call[object] = call
    other: Call[str] = call  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
    print(wide, anything, other)


def a_plain_process_sees_the_reply_type_too(request: Request[int]) -> None:
    assert_type(request.message, Call[int])
    request.reply_to.reply(1)
    request.reply_to.reply("1")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
