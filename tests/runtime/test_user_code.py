"""Users' code can be interrupted by ctrl-C; the runtime between its steps cannot."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import pytest
import trio

from runtime import Call, Cast, Continue, ExitReason, GenServer, Node, handles, spawn, wait_exit
from runtime.user_code import as_coroutine, call_method


class Get(Call[int]):
    """Handled by a method marked ``@handles``."""


class Add(Cast):
    by: int = 1


class Seen(dict[str, bool]):
    """Whether the code of that name ran protected from KeyboardInterrupt."""

    def look(self, name: str) -> None:
        self[name] = trio.lowlevel.currently_ki_protected()


class Manager:
    def __init__(self, seen: Seen) -> None:
        self.seen = seen

    def __enter__(self) -> None:
        self.seen.look("enter")

    def __exit__(self, *details: object) -> None:
        self.seen.look("exit")


class Def(GenServer):
    def __init__(self, seen: Seen) -> None:
        self.seen = seen
        seen.look("__init__")

    def init(self) -> Continue:
        self.seen.look("init")
        return Continue()

    @handles(Get)
    def get(self, request: Get) -> int:
        self.seen.look("call")
        return 1

    @handles(Add)
    def add(self, message: Add) -> None:
        self.seen.look("cast")

    def handle_info(self, message: object) -> None:
        self.seen.look("info")

    def handle_continue(self, arg: object) -> None:
        self.seen.look("continue")

    def terminate(self, reason: ExitReason) -> None:
        self.seen.look("terminate")


class Async(GenServer):
    def __init__(self, seen: Seen) -> None:
        self.seen = seen

    async def look(self, name: str) -> None:
        self.seen.look(name)
        await trio.lowlevel.checkpoint()
        self.seen.look(f"{name}, later")

    async def init(self) -> Continue:
        await self.look("init")
        await self.enter(Manager(self.seen))
        return Continue()

    async def handle_call(self, request: object, reply_to: object) -> int:
        await self.look("call")
        return 1

    async def handle_cast(self, message: object) -> None:
        await self.look("cast")

    async def handle_info(self, message: object) -> None:
        await self.look("info")

    async def handle_continue(self, arg: object) -> None:
        await self.look("continue")

    async def terminate(self, reason: ExitReason) -> None:
        await self.look("terminate")


@pytest.mark.parametrize(("make", "places"), [(Def.start, 7), (Async.start, 14)])
async def test_every_callback_can_be_interrupted(
    node: Node, make: Callable[[Seen], Any], places: int
) -> None:
    """And with them the context managers that were entered."""
    seen = Seen()
    server = await make(seen)
    server.cast(Add())
    server.send("info")
    assert await server.call(Get()) == 1
    await server.stop()
    assert len(seen) == places
    assert [name for name, protected in seen.items() if protected] == []


async def test_a_plain_process_can_be_interrupted(node: Node) -> None:
    seen = Seen()

    async def body() -> None:
        seen.look("body")

    await wait_exit(spawn(body))
    assert seen == {"body": False}


async def test_only_what_async_def_makes_is_a_coroutine() -> None:
    async def function() -> None:
        """Nothing."""

    coroutine = function()
    assert as_coroutine(coroutine) is coroutine
    await coroutine
    others: list[object] = [None, function, 5, iter(()), functools.partial(function)]
    for other in others:
        assert as_coroutine(other) is None


async def test_a_method_is_looked_up_as_users_code_too() -> None:
    seen = Seen()

    class Odd:
        @property
        def method(self) -> Callable[..., object]:
            seen.look("looked up")
            return self.call

        def call(self, *args: object) -> object:
            seen.look("called")
            return args

    @trio.lowlevel.enable_ki_protection
    def protected() -> object:
        return call_method(Odd(), "method", 1, 2)

    assert protected() == (1, 2)
    assert seen == {"looked up": False, "called": False}
