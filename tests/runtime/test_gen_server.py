"""The callback contract: what a GenServer does by default, def or async def, and what it shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import trio

from runtime import (
    BadResult,
    Call,
    CallExit,
    Cast,
    Continue,
    Crashed,
    Exit,
    ExitReason,
    GenServer,
    Idle,
    Ignore,
    MessageUnexpected,
    Node,
    ProcessCrashed,
    ProcessExit,
    Ref,
    Reply,
    ReplyTo,
    Stop,
    UnhandledMessage,
    exit,
    is_alive,
    kill,
    open_node,
    self_,
    start,
)
from tests.conftest import Recorder
from tests.support import Ask, Do, Note, Scripted

BOOM = ValueError("boom")


class Get(Call[int]):
    """The count."""


class Add(Cast):
    by: int = 1


class Bare(GenServer):
    """Defines nothing."""


class Counter(GenServer):
    """The callbacks of the second journey: one ``match``."""

    def __init__(self, start: int = 0) -> None:
        self.count = start

    def handle_call(self, request: Get, reply_to: ReplyTo[int]) -> int:
        match request:
            case Get():
                return self.count

    def handle_cast(self, message: Add) -> None:
        self.count += message.by


async def test_otps_own_callbacks_are_the_same_mechanism(node: Node) -> None:
    server = await Counter.start(10)
    server.cast(Add(by=2))
    assert await server.call(Get()) == 12


async def test_a_match_without_a_clause_for_the_request_is_a_crash(node: Node) -> None:
    """GEN-067: the fall-through is a bad result where the reply type says so."""
    server = await Counter.start()
    with pytest.raises(CallExit) as caught:
        await server.call(Unknown())
    assert isinstance(caught.value.__cause__, BadResult)


class Unknown(Call[int]):
    """Nobody handles it."""


@pytest.mark.parametrize(
    ("go", "text"),
    [
        (lambda one: one.call(Get()), "Bare has no handler for the call Get; handled are: none"),
        (lambda one: one.cast(Add()), "Bare has no handler for the cast Add; handled are: none"),
    ],
)
async def test_a_server_without_the_callback_crashes(
    node: Node, events: Recorder, go: Callable[[Ref], Any], text: str
) -> None:
    """GEN-064, GEN-065."""
    server = await Bare.start()
    waits = go(server)
    if waits is not None:
        with pytest.raises(CallExit):
            await waits
    await trio.sleep(1)
    (crash,) = events.of(ProcessCrashed)
    assert isinstance(crash.reason, Crashed)
    assert isinstance(crash.reason.exception, UnhandledMessage)
    assert str(crash.reason.exception) == text


async def test_an_info_without_a_callback_is_reported_and_ignored(
    node: Node, events: Recorder
) -> None:
    """GEN-066."""
    server = await Bare.start()
    for message in ("hello", 5, Exit(None, "boom")):
        server.send(message)
    await trio.sleep(1)
    assert is_alive(server)
    assert [event.message for event in events.of(MessageUnexpected)] == [
        "'hello'",
        "5",
        "Exit(pid=None, reason='boom')",
    ]
    assert {event.pid for event in events.of(MessageUnexpected)} == {server.pid}


async def test_an_unexpected_message_is_not_described_for_nobody() -> None:
    class Loud:
        def __repr__(self) -> str:
            pytest.fail("nobody asked")

    async with open_node(instruments=[]):
        server = await Bare.start()
        server.send(Loud())
        await trio.sleep(1)
        assert is_alive(server)


async def test_a_bare_server_starts_stops_and_ends(node: Node) -> None:
    server = await Bare.start()
    await server.stop()
    assert not is_alive(server)


@pytest.mark.parametrize("style", ["def", "async"])
@pytest.mark.parametrize("kind", ["call", "cast", "info"])
@pytest.mark.parametrize(
    "junk", [42, Reply(1), Stop("x", reply=1), Ignore(), Continue(), Idle(1), (1, 2), BOOM, False]
)
async def test_a_callback_that_returns_what_it_may_not_crashes(
    node: Node, events: Recorder, style: str, kind: str, junk: object
) -> None:
    """GEN-044, GEN-045. A value is a reply to a call; an outcome has to be one for the callback."""
    log: list[Any] = []
    server = await start(Scripted.child_spec(log))

    async def later() -> object:
        await trio.sleep(1)
        return junk

    def callback(*args: object) -> Any:
        return junk if style == "def" else later()

    match kind:
        case "call":
            bad = isinstance(junk, Ignore | Continue | Idle)
            if bad:
                with pytest.raises(CallExit) as caught:
                    await server.call(Ask(callback))
                assert isinstance(caught.value.__cause__, BadResult)
            else:
                expected = 1 if isinstance(junk, Reply | Stop) else junk
                assert await server.call(Ask(callback)) == expected
        case "cast":
            bad = not isinstance(junk, Continue | Idle)
            server.cast(Do(callback))
        case _:
            bad = not isinstance(junk, Continue | Idle)
            server.send(Note(callback))
    await trio.sleep(1.5)
    reasons = [event.reason for event in events.of(ProcessCrashed)]
    if bad:
        (reason,) = reasons
        assert isinstance(reason, Crashed)
        assert isinstance(reason.exception, BadResult)
        assert reason.exception.value == junk
        assert log == [("terminate", reason)]
    elif kind == "call" and isinstance(junk, Stop):
        assert log == [("terminate", "x")]
    elif not isinstance(junk, Continue):  # to be continued with what cannot be called
        assert is_alive(server)


# -- def, async def, and a def that returns a coroutine --------------------------------------


class DefCoroutines(GenServer):
    """Every callback is a ``def`` that returns a coroutine, as a decorator may make them."""

    def __init__(self, log: list[str]) -> None:
        self.log = log

    async def said(self, text: str, result: Any = None) -> Any:
        await trio.sleep(1)
        self.log.append(text)
        return result

    def init(self) -> Any:
        return self.said("init", Continue("arg"))

    def handle_continue(self, arg: Any) -> Any:
        return self.said(f"continue {arg}")

    def handle_call(self, request: Any, reply_to: ReplyTo[Any]) -> Any:
        return self.said("call", Reply(5, then=Continue("after")))

    def handle_cast(self, message: Any) -> Any:
        return self.said("cast")

    def handle_info(self, message: Any) -> Any:
        return self.said("info")

    def terminate(self, reason: ExitReason) -> Any:
        return self.said("terminate")


async def test_a_def_that_returns_a_coroutine_is_an_async_callback(node: Node) -> None:
    log: list[str] = []
    begun = trio.current_time()
    server = await DefCoroutines.start(log)
    assert trio.current_time() - begun == 1
    server.cast(Add())
    server.send("info")
    assert await server.call(Get()) == 5
    await server.stop()
    assert trio.current_time() - begun == 7
    assert log == ["init", "continue arg", "cast", "info", "call", "continue after", "terminate"]


@pytest.mark.parametrize("end", [kill, lambda one: exit(one, "boom")])
async def test_such_a_callback_is_interrupted_like_an_async_one(
    node: Node, end: Callable[[Ref], None]
) -> None:
    log: list[str] = []
    server = await DefCoroutines.start(log)
    await trio.sleep(3)
    server.cast(Add())
    await trio.sleep(0.5)
    end(server)
    await trio.sleep(5)
    assert not is_alive(server)
    assert log[2:] == ([] if end is kill else ["terminate"])


async def test_such_a_callback_that_raises_is_a_crash(node: Node) -> None:
    async def fail() -> None:
        await trio.sleep(1)
        raise BOOM

    server = await start(Scripted.child_spec())
    with pytest.raises(CallExit) as caught:
        await server.call(Ask(lambda one, reply_to: fail()))
    assert caught.value.reason == Crashed(BOOM)


async def test_only_a_coroutine_is_awaited(node: Node) -> None:
    """Anything else that could be awaited is a reply like any other."""

    class Awaitable:
        def __await__(self) -> Any:
            pytest.fail("nobody asked it")

    thing = Awaitable()
    server = await start(Scripted.child_spec())
    assert await server.call(Ask(lambda one, reply_to: thing)) is thing


async def test_a_def_handler_is_atomic(node: Node) -> None:
    """DESIGN 4: an exit signal takes effect behind it."""
    log: list[Any] = []

    def handler(one: Any, reply_to: object) -> str:
        exit(self_(), "boom")
        one.log.append("went on")
        return "reply"

    server = await start(Scripted.child_spec(log))
    assert await server.call(Ask(handler)) == "reply"
    await trio.sleep(1)
    assert log == ["went on", ("terminate", "boom")]


async def test_an_async_handler_without_a_checkpoint_is_as_good_as_a_def(node: Node) -> None:
    async def handler(one: Any, reply_to: object) -> str:
        kill(self_())
        return "reply"

    server = await start(Scripted.child_spec())
    assert await server.call(Ask(handler)) == "reply"
    await trio.sleep(1)
    assert not is_alive(server)


async def test_a_callback_that_ends_the_process_may_catch_that(node: Node) -> None:
    """PROC-012: ProcessExit is an exception like any other, if one insists."""

    def handler(one: Any, reply_to: object) -> str:
        try:
            raise ProcessExit("boom")
        except ProcessExit as exc:
            return f"caught {exc.reason}"

    server = await start(Scripted.child_spec())
    assert await server.call(Ask(handler)) == "caught boom"
    assert is_alive(server)


async def test_each_start_makes_a_fresh_instance(node: Node) -> None:
    seen: list[object] = []

    class Remembers(GenServer):
        def __init__(self) -> None:
            self.items: list[int] = []
            seen.append(self)

        def handle_call(self, request: object, reply_to: object) -> int:
            self.items.append(1)
            return len(self.items)

    spec = Remembers.child_spec()
    for _ in range(2):
        server = await start(spec)
        assert await server.call(Get()) == 1
        await server.stop()
    assert seen[0] is not seen[1]


async def test_self_is_the_server_in_every_callback(node: Node) -> None:
    seen: list[object] = []

    class Looks(GenServer):
        def __init__(self) -> None:
            seen.append(self_())

        def init(self) -> Continue:
            seen.append(self_())
            return Continue()

        def handle_continue(self, arg: object) -> None:
            seen.append(self_())

        async def handle_call(self, request: object, reply_to: object) -> int:
            seen.append(self_())
            return 1

        def terminate(self, reason: ExitReason) -> None:
            seen.append(self_())

    server = await Looks.start()
    await server.call(Get())
    await server.stop()
    assert seen == [server.pid] * 5


def test_a_server_says_nothing_of_itself_by_default() -> None:
    assert GenServer().facts() == {}
