"""What the tests of told calls share: hearing them, and a server that answers in every way."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

import trio

from runtime import (
    Call,
    CallEnded,
    Event,
    GenServer,
    Instrument,
    NoReply,
    ReplyTo,
    add_instrument,
    handles,
    ref,
    remove_instrument,
    self_,
)


@contextmanager
def heard(*kinds: type[Event]) -> Generator[list[Event]]:
    """What the node tells of these within the block; by default of calls."""
    told: list[Event] = []
    instrument = Instrument(told.append, kinds or (CallEnded,))
    add_instrument(instrument)
    try:
        yield told
    finally:
        remove_instrument(instrument)


class Echo(Call[int]):
    """Reply at once."""


class Later(Call[int]):
    """Reply after two seconds."""


class Refuse(Call[int]):
    """Reply with an error."""


class Crash(Call[int]):
    """End."""


class Forget(Call[int]):
    """Let go of ``reply_to``."""


class Keep(Call[int]):
    """Keep ``reply_to`` and never answer."""


class AskYourself(Call[int]):
    """Wait for an ``Echo`` of yourself."""


class Sleep(Call[int]):
    """Handle nothing else for ten seconds."""


class Oracle(GenServer):
    """Answers each of these in its own way."""

    def __init__(self) -> None:
        self.kept: list[ReplyTo[int]] = []

    @handles(Echo)
    def echo(self, request: Echo) -> int:
        return 1

    @handles(Later)
    async def later(self, request: Later) -> int:
        await trio.sleep(2)
        return 2

    @handles(Refuse)
    def refuse(self, request: Refuse, reply_to: ReplyTo[int]) -> NoReply:
        reply_to.error(ValueError("no"))
        return NoReply()

    @handles(Crash)
    def crash(self, request: Crash) -> int:
        raise ValueError("meant")

    @handles(Forget)
    def forget(self, request: Forget, reply_to: ReplyTo[int]) -> NoReply:
        return NoReply()

    @handles(Keep)
    def keep(self, request: Keep, reply_to: ReplyTo[int]) -> NoReply:
        self.kept.append(reply_to)
        return NoReply()

    @handles(AskYourself)
    async def ask_yourself(self, request: AskYourself) -> int:
        return await ref(self_()).call(Echo())

    @handles(Sleep)
    async def sleep(self, request: Sleep) -> int:
        await trio.sleep(10)
        return 10
