"""Small programs of servers and clients, played with calls that run at once or all queued."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any, Literal, TypeAlias

import msgspec
import trio
import trio.testing

from runtime import (
    Call,
    Cast,
    Continue,
    ExitReason,
    GenServer,
    Idle,
    Instrument,
    NoReply,
    ProcessCrashed,
    ProcessEnded,
    ProcessExit,
    Reply,
    ReplyTo,
    Shutdown,
    Stop,
    exit,
    handles,
    kill,
    named,
    open_node,
    self_,
    start,
)
from runtime._trio import seed_schedule
from runtime.process_table import SWITCH

Action: TypeAlias = Literal[
    "reply", "none", "raise", "leave", "stop", "stop with reply", "drop", "keep", "answer kept",
    "reply early", "refuse", "cast on", "cast to itself", "call on", "continue", "continue badly",
    "idle", "a bad outcome", "sleep", "sleep and raise", "sleep and drop", "exit itself",
    "kill itself", "exit itself and raise", "reply early and raise",
]  # fmt: skip
Kind: TypeAlias = Literal["alone", "with reply_to", "async"]


class Op(msgspec.Struct, frozen=True):
    """One thing a client does."""

    do: Literal["call", "cast", "exit", "kill"]
    server: int
    other: int
    action: Action
    kind: Kind = "alone"
    patience: Literal["long", "short", "none", "cancelled"] = "long"


class Request(Call[Any], frozen=True):
    """What a client asks."""

    action: Action
    other: str
    number: int


class Alone(Request, frozen=True):
    """For a ``def`` handler."""


class WithReplyTo(Request, frozen=True):
    """For a ``def`` handler with ``reply_to``."""


class Awaited(Request, frozen=True):
    """For an ``async def`` handler."""


class Told(Cast, frozen=True):
    """For the handler of casts."""

    action: Action
    other: str
    number: int


KINDS: dict[Kind, type[Request]] = {
    "alone": Alone,
    "with reply_to": WithReplyTo,
    "async": Awaited,
}


class Actor(GenServer):
    """Does what it is told, and writes down when."""

    def __init__(self, log: list[object]) -> None:
        self.log = log
        self.kept: list[ReplyTo[Any]] = []

    def note(self, *what: object) -> None:
        self.log.append((round(trio.current_time(), 9), *what))

    @handles(Alone)
    def alone(self, request: Alone) -> Any:
        return self.act(request, None)

    @handles(WithReplyTo)
    def with_reply_to(self, request: WithReplyTo, reply_to: ReplyTo[Any]) -> Any:
        return self.act(request, reply_to)

    @handles(Awaited)
    async def awaited(self, request: Awaited, reply_to: ReplyTo[Any]) -> Any:
        await trio.lowlevel.checkpoint()
        result = self.act(request, reply_to)
        return await result if hasattr(result, "send") else result

    @handles(Told)
    def told(self, message: Told) -> Any:
        self.note("cast", message.action, message.number)
        match message.action:
            case "raise":
                raise LookupError(message.number)
            case "stop":
                return Stop(Shutdown(message.number))
            case "answer kept":
                self.answer_kept(message.number)
            case "continue":
                return Continue(message.number)
            case _:
                pass
        return None

    def answer_kept(self, value: object) -> None:
        for reply_to in self.kept:
            reply_to.reply(value)
        self.kept.clear()

    def act(self, request: Request, reply_to: ReplyTo[Any] | None) -> Any:
        number = request.number
        self.note("call", request.action, number, str(self_()))
        match request.action:
            case "reply":
                return number
            case "none":
                return None
            case "raise":
                raise LookupError(number)
            case "leave":
                raise ProcessExit(Shutdown(number))
            case "stop":
                return Stop(Shutdown(number))
            case "stop with reply":
                return Stop(reply=number)
            case "drop":
                return NoReply()
            case "keep":
                self.kept += [] if reply_to is None else [reply_to]
                return NoReply()
            case "answer kept":
                self.answer_kept(number)
                return number
            case "reply early" | "reply early and raise":
                if reply_to is not None:
                    reply_to.reply(("early", number))
                if request.action == "reply early":
                    return NoReply()
                raise LookupError(number)
            case "refuse":
                if reply_to is not None:
                    reply_to.error(ValueError(number))
                return NoReply()
            case "cast on":
                named(request.other).cast(Told("reply", "", number))
                return number
            case "cast to itself":
                named(request.other).cast(Told("continue", "", number))
                return number
            case "call on":
                return self.call_on(request)
            case "continue":
                return Reply(number, then=Continue(number))
            case "continue badly":
                return Reply(number, then=Continue("bad"))
            case "idle":
                return Reply(number, then=Idle(0.7))
            case "a bad outcome":
                return Continue(number)
            case "exit itself" | "exit itself and raise":
                exit(self_(), Shutdown(number))
                if request.action == "exit itself":
                    return number
                raise LookupError(number)
            case "kill itself":
                kill(self_())
                return number
            case _:
                return self.sleep(request)

    async def call_on(self, request: Request) -> object:
        return await outcome_of(
            named(request.other).call(Alone("reply", "", request.number), timeout=math.inf)
        )

    async def sleep(self, request: Request) -> object:
        await trio.sleep(duration(0.3, request.number))
        self.note("slept", request.number)
        if request.action == "sleep and raise":
            raise LookupError(request.number)
        return NoReply() if request.action == "sleep and drop" else request.number

    def handle_continue(self, arg: object) -> None:
        self.note("continue", arg)
        if arg == "bad":
            raise LookupError("bad")

    def handle_info(self, message: object) -> None:
        self.note("info", str(message))

    def terminate(self, reason: ExitReason) -> None:
        self.note("terminate", repr(reason))


def duration(base: float, number: int) -> float:
    """About ``base`` seconds, and no two of a program that end at one instant."""
    return base + number * math.sqrt(2) / 1000


async def outcome_of(awaitable: Any) -> tuple[object, ...]:
    """What comes of a call, told so that it can be compared."""
    try:
        return ("reply", await awaitable)
    except Exception as exc:
        reason = getattr(exc, "reason", None)
        return (type(exc).__name__, repr(reason) if reason is not None else "")


class Played(msgspec.Struct):
    """All that can be seen of a play."""

    results: list[list[object]]
    logs: list[list[object]]
    ends: list[tuple[str, str]]
    crashes: list[tuple[str, str, str | None, int]]


def play(clients: list[list[Op]], servers: int, *, apart: bool, seed: int, queued: bool) -> Played:
    """Play a program: with ``apart`` no two clients do something at one instant."""
    played = Played([[] for _ in clients], [[] for _ in range(servers)], [], [])
    begin = 1.0

    def see(event: Any) -> None:
        if isinstance(event, ProcessEnded):
            played.ends.append((str(event.name), repr(event.reason)))
        else:
            one = (str(event.name), repr(event.reason), event.last_message, event.handled)
            played.crashes.append(one)

    async def client(number: int, ops: list[Op]) -> None:
        for at, op in enumerate(ops):
            uid = 1 + number + at * len(clients)
            if apart:
                await trio.sleep_until(begin + at + number * 0.01)
            result = await perform(op, uid)
            played.results[number].append((round(trio.current_time(), 9), op.do, op.action, result))

    async def main() -> None:
        async with open_node(instruments=[Instrument(see, (ProcessEnded, ProcessCrashed))]):
            for number in range(servers):
                await start(Actor.child_spec(played.logs[number]).replace(name=f"server {number}"))
            await trio.testing.wait_all_tasks_blocked()
            async with trio.open_nursery() as nursery:
                for number, ops in enumerate(clients):
                    nursery.start_soon(client, number, ops)
            await trio.sleep(10)

    seed_schedule(str(seed))
    with dispatch(queued=queued):
        trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
    return played


async def perform(op: Op, number: int) -> object:
    """Do it, and say what came of it."""
    server = named(f"server {op.server}")
    other = f"server {op.other}" if op.action != "cast to itself" else f"server {op.server}"
    if op.do == "cast":
        server.cast(Told(op.action, other, number))
        return None
    if op.do in ("exit", "kill"):
        pid = server.whereis()
        if pid is not None:
            kill(pid) if op.do == "kill" else exit(pid, Shutdown(number))
        return pid is not None
    timeouts = {"short": duration(0.2, number), "none": 0.0}
    request = KINDS[op.kind](op.action, other, number)
    call = server.call(request, timeout=timeouts.get(op.patience, 5.0))
    if op.patience != "cancelled":
        return await outcome_of(call)
    with trio.move_on_after(duration(0.1, number)):
        return await outcome_of(call)
    return "cancelled"


@contextmanager
def dispatch(*, queued: bool) -> Generator[None]:
    """Nodes opened in the block queue every call, or do not."""
    before = os.environ.get(SWITCH)
    os.environ[SWITCH] = "0" if queued else "1"
    try:
        yield
    finally:
        restore: Callable[[], object] = lambda: os.environ.pop(SWITCH)  # noqa: E731
        restore() if before is None else os.environ.update({SWITCH: before})
