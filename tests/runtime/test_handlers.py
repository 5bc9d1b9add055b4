"""``@handles``: a method per message class, checked when the class is made."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

import pytest
import trio

from runtime import (
    BadResult,
    Call,
    CallExit,
    Exit,
    GenServer,
    Idle,
    IdleTimeout,
    Node,
    NoReply,
    Ref,
    Reply,
    ReplyTo,
    Stop,
    exit,
    handles,
    is_alive,
    self_,
    send_after,
    start,
    trap_exits,
)
from tests.runtime.counting import Add, Counter, Get, Tick

T = TypeVar("T")


class GetTwice(Get):
    """A subclass of a message."""


class Other(Call[str]): ...


class Subtract(Add): ...


async def count_of(server: Ref) -> int:
    return await server.call(Get())


async def test_each_message_goes_to_its_handler(node: Node) -> None:
    server = await Counter.start(1)
    server.cast(Add(by=2))
    server.send(Tick())
    assert await count_of(server) == 103


async def test_a_subclass_of_a_message_goes_to_the_handler_of_its_base(node: Node) -> None:
    server = await Counter.start()
    server.cast(Subtract(by=-2))
    assert await server.call(GetTwice()) == -2


async def test_a_subclass_of_a_message_with_a_handler_of_its_own_goes_there(node: Node) -> None:
    class Own(Counter):
        @handles(GetTwice)
        def get_twice(self, request: GetTwice) -> int:
            return self.count * 2

    server = await Own.start(3)
    assert [await server.call(GetTwice()), await server.call(Get())] == [6, 3]


async def test_handlers_may_be_async_and_may_want_reply_to(node: Node) -> None:
    class Both(GenServer):
        @handles(Get)
        async def get(self, request: Get, reply_to: ReplyTo[int]) -> NoReply:
            await trio.sleep(1)
            reply_to.reply(5)
            return NoReply()

        @handles(Other)
        def other(self, request: Other, reply_to: ReplyTo[str]) -> Reply[str]:
            return Reply("x", then=Idle(1))

        @handles(IdleTimeout)
        async def idle(self, message: IdleTimeout) -> Stop:
            await trio.sleep(1)
            return Stop("idle")

        @handles(Add)
        async def add(self, message: Add) -> None:
            await trio.sleep(1)

    server = await Both.start()
    assert await server.call(Get()) == 5
    server.cast(Add())
    assert await server.call(Other()) == "x"
    await trio.sleep(3)
    assert not is_alive(server)


async def test_handlers_are_inherited_and_overridden_like_any_method(node: Node) -> None:
    class ByName(Counter):
        def get(self, request: Get) -> int:
            return self.count + 1000

    class ByNameAsync(Counter):
        async def get(self, request: Get) -> int:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
            await trio.sleep(1)
            return self.count + 2000

    class ByMessage(Counter):
        @handles(Get)
        def fetch(self, request: Get, reply_to: ReplyTo[int]) -> int:
            return self.count + 3000

    class Again(ByMessage):
        @handles(Tick)
        def tick(self, message: Tick) -> None:
            self.count -= 1

    servers = [await cls.start(1) for cls in (Counter, ByName)]
    servers += [await ByNameAsync.start(1), await ByMessage.start(1), await Again.start(1)]
    for server in servers:
        server.send(Tick())
    assert [await count_of(server) for server in servers] == [101, 1101, 2101, 3101, 3000]


async def test_handlers_come_from_mixins_and_the_nearest_wins(node: Node) -> None:
    class Reset(GenServer):
        count: int

        @handles(Tick)
        def reset(self, message: Tick) -> None:
            self.count = 0

    class First(Reset, Counter): ...

    class Last(Counter, Reset): ...

    first, last = await First.start(5), await Last.start(5)
    for server in (first, last):
        server.send(Tick())
    assert [await count_of(first), await count_of(last)] == [0, 105]


async def test_a_plain_mixin_brings_handlers_too(node: Node) -> None:
    class Pings:
        @handles(Other)
        def ping(self, request: Other) -> str:
            return "pong"

    class WithPings(Pings, Counter): ...

    server = await WithPings.start()
    assert await server.call(Other()) == "pong"


async def test_the_runtimes_own_messages_have_handlers_like_any_other(node: Node) -> None:
    seen: list[object] = []

    class Watcher(GenServer):
        def init(self) -> None:
            trap_exits()
            send_after(self_(), Tick(), 1)

        @handles(Exit)
        def ended(self, message: Exit) -> None:
            seen.append(message.reason)

        @handles(Tick)
        def tick(self, message: Tick) -> None:
            seen.append("tick")

    server = await Watcher.start()
    exit(server, "boom")
    await trio.sleep(2)
    assert seen == ["boom", "tick"]


async def test_any_class_can_be_a_message(node: Node) -> None:
    class Sums(Counter):
        @handles(int)
        def number(self, message: int) -> None:
            self.count += message

        @handles(object)
        def anything(self, message: object) -> None:
            self.count += 1000

    server = await Sums.start()
    for message in (1, True, "x", None):
        server.send(message)
    assert await count_of(server) == 2002, "a bool is an int, the others are objects"


async def test_the_handler_of_a_cast_is_none_for_a_call(node: Node) -> None:
    """What is handled is told by the class alone; a bad result stays one."""

    class Confused(GenServer):
        @handles(Add)
        def add(self, message: Add) -> Any:
            return 42

    server = await Confused.start()
    server.cast(Add())
    with pytest.raises(CallExit) as caught:
        await server.call(Get())
    assert isinstance(caught.value.__cause__, BadResult)


async def test_a_decorated_async_handler_is_awaited(node: Node) -> None:
    """The wrapper is a ``def`` that returns a coroutine; the signature is the wrapped one's."""

    def logged(method: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(method)
        def wrapper(*args: Any) -> Any:
            return method(*args)

        return wrapper

    class Decorated(GenServer):
        count = 0

        @handles(Get)
        @logged
        async def get(self, request: Get, reply_to: ReplyTo[int]) -> int:
            await trio.sleep(1)
            return self.count + 1

        @logged
        async def handle_info(self, message: object) -> None:
            await trio.sleep(1)
            self.count = 10

    server = await Decorated.start()
    server.send("anything")
    assert await count_of(server) == 11


async def test_reply_to_is_given_by_position_whatever_it_is_called(node: Node) -> None:
    class Odd(GenServer):
        @handles(Get)
        def get(self, request: Get, from_: ReplyTo[int]) -> NoReply:
            from_.reply(1)
            return NoReply()

    server = await Odd.start()
    assert await count_of(server) == 1


async def test_the_spec_of_a_class_with_handlers_starts_it(node: Node) -> None:
    server = await start(Counter.child_spec(7))
    assert await count_of(server) == 7
