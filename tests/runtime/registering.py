"""What the tests of registries share: registries, and processes that do what they are told."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Literal, TypeVar

from runtime import Call, Exit, GenServer, NoReply, Ref, ReplyTo, handles, start, trap_exits
from runtime.containment import attempt
from runtime.registry import Registry
from runtime.registry_ref import RegistryRef

T = TypeVar("T")


async def start_registry(
    keys: Literal["unique", "duplicate"] = "unique", name: str = "names", **options: Any
) -> RegistryRef[Any, Any]:
    """A registry in the node's root, by its name."""
    await start(Registry.child_spec(keys, **options).replace(name=name))
    return RegistryRef(name)


class Do(Call[Any], frozen=True):
    """Run ``fn`` in the process of a ``Client``; what it raises is raised in the caller."""

    fn: Callable[[], Any]


class Got(Call[list[Any]], frozen=True):
    """Reply with the messages that have come so far."""


class Client(GenServer):
    """A process that does what it is told, and keeps the other messages it gets."""

    def __init__(self, *, trap: bool = False) -> None:
        self.trap = trap
        self.got: list[Any] = []

    def init(self) -> None:
        if self.trap:
            trap_exits()

    @handles(Do)
    def do(self, request: Do, reply_to: ReplyTo[Any]) -> NoReply:
        result, error = attempt(request.fn)
        if error is None:
            reply_to.reply(result)
        else:
            reply_to.error(error)
        return NoReply()

    @handles(Got)
    def tell(self, request: Got) -> list[Any]:
        return self.got

    @handles(Exit)
    def keep_exit(self, message: Exit) -> None:
        self.got.append(message)

    def handle_info(self, message: Any) -> None:
        self.got.append(message)


async def client(*, trap: bool = False, name: str | None = None) -> Ref:
    """A process to register with."""
    return await start(Client.child_spec(trap=trap).replace(name=name))


async def clients(count: int) -> list[Ref]:
    """Several of them."""
    return [await client() for _ in range(count)]


async def on(process: Ref, fn: Callable[..., T], *args: Any) -> T:
    """``fn(*args)``, run in the process of a ``Client``."""
    result: T = await process.call(Do(partial(fn, *args)))
    return result


async def got(process: Ref) -> list[Any]:
    """The messages a ``Client`` has got; in virtual time nothing is on its way after this."""
    messages: list[Any] = await process.call(Got())
    return messages
