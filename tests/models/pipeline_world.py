"""What pipelines of the machine are made of: messages with a fate, and a book of their ends.

A delivery is one message on its way, known by its number; what is given back is delivered again
under another number. The book holds what must be true of each at any moment.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import trio

from runtime import Cast, ProcessExit, handles
from runtime.stages import Emitted
from supervisors.pipeline import (
    Acknowledger,
    BatchInfo,
    Message,
    Pipeline,
    Source,
    ack_immediately,
)

Messages: TypeAlias = list[Message["Delivery"]]
Fate: TypeAlias = Literal[
    "fine", "slow", "failed", "raises", "exits", "nothing", "another", "nowhere", "flush",
    "early", "early, then raises", "batch fails it", "batch raises", "batch forgets it",
    "size raises",
]  # fmt: skip
FATES: tuple[Fate, ...] = Fate.__args__  # type: ignore[attr-defined]
FAILING = frozenset({"failed", "raises", "exits", "nothing", "another", "nowhere"})
IN_BATCH = frozenset({"batch fails it", "batch forgets it", "size raises"})
End: TypeAlias = Literal["ok", "failed", "back"]


@dataclass(eq=False)
class Delivery:
    """One message on its way: of which key, and what becomes of it if nothing comes between."""

    number: int
    key: int
    fate: Fate
    ack: str  # "at once", "slow", "raises"
    pushed: bool = False
    ends: list[End] = field(default_factory=list[End])

    def __repr__(self) -> str:
        return f"<{self.number} key {self.key} {self.fate}{' pushed' if self.pushed else ''}>"


@dataclass
class Book(Acknowledger):
    """Every delivery there was, by number, and how each has ended.

    ``troubled``: something was killed, or ran out of time, so that messages may be given back.
    """

    deliveries: list[Delivery] = field(default_factory=list[Delivery])
    waiting: list[tuple[int, Fate, str]] = field(default_factory=list[tuple[int, Fate, str]])
    asked: int = 0
    emitted: int = 0
    troubled: bool = False
    retries: bool = False
    handled: dict[tuple[str, int], list[int]] = field(default_factory=dict[Any, list[int]])
    batched: dict[tuple[Any, ...], list[int]] = field(default_factory=dict[Any, list[int]])
    wrong: list[str] = field(default_factory=list[str])

    def deliver(self, key: int, fate: Fate, ack: str, *, pushed: bool = False) -> Message[Delivery]:
        """Another one."""
        delivery = Delivery(len(self.deliveries), key, fate, ack, pushed)
        self.deliveries.append(delivery)
        return Message(delivery, self, ack, delivery.number)

    async def ack(self, reference: str, successful: Messages, failed: Messages) -> None:
        """In time, or late, or not."""
        if reference == "slow":
            await trio.sleep(0.3)
        if reference == "raises":
            raise OSError("disk full")
        self._end("ok", successful)
        self._end("failed", failed)

    def give_back(self, reference: str, messages: Messages) -> None:
        self._end("back", messages)

    def _end(self, end: End, messages: Iterable[Message[Any]]) -> None:
        for message in messages:
            number = message.receipt
            assert isinstance(number, int)
            delivery = self.deliveries[number]
            delivery.ends.append(end)
            if end == "back" and self.retries and not delivery.pushed:
                self.waiting.append((delivery.key, delivery.fate, "at once"))

    def told(self, end: End) -> int:
        """How many came to this end."""
        return sum(one.ends.count(end) for one in self.deliveries)

    def note(self, log: dict[Any, list[int]], place: Any, deliveries: Iterable[Delivery]) -> None:
        """These were seen there, in this order; those of tests come when they like."""
        numbers = [one.number for one in deliveries if not one.pushed]
        log.setdefault(place, []).extend(numbers)


class Emit(Cast, frozen=True):
    """Let a source emit what waits, asked or not."""


class Crash(Cast, frozen=True):
    """Let a source crash."""


class Finish(Cast, frozen=True):
    """Let a source have nothing more."""


class Deliveries(Source[Any]):
    """Delivers what waits in the book, as far as it is asked for."""

    def __init__(self, book: Book, *, raw: bool) -> None:
        self.book, self.raw = book, raw
        self.unmet = 0

    def handle_demand(self, demand: int) -> Emitted[Any]:
        if demand < 1:
            self.book.wrong.append(f"asked for {demand}")
        self.unmet += demand
        return self._made(self.unmet)

    @handles(Emit)
    def emit_all(self, message: Emit) -> None:
        self.emit(self._made(len(self.book.waiting)))

    @handles(Crash)
    def crash(self, message: Crash) -> None:
        raise ValueError("crash")

    @handles(Finish)
    def nothing_more(self, message: Finish) -> None:
        self.finish()

    def _made(self, count: int) -> list[Any]:
        waiting = self.book.waiting
        taken, waiting[:count] = waiting[:count], []
        self.unmet = max(self.unmet - len(taken), 0)
        return taken if self.raw else [self.book.deliver(*one) for one in taken]


class Deeds(Pipeline[Delivery]):
    """Does to each message what its fate is."""

    def __init__(self, book: Book, group: str, batchers: tuple[str, ...]) -> None:
        self.book, self.group, self.batchers = book, group, batchers

    async def handle_message(self, message: Message[Delivery]) -> Message[Any]:
        delivery = message.data
        self.book.note(self.book.handled, (self.group, delivery.key), [delivery])
        if self.batchers:
            batcher = self.batchers[delivery.key % len(self.batchers)]
            message = message.to_batcher(batcher).batch_by(delivery.key % 2)
        result: Any = message
        match delivery.fate:
            case "slow":
                await trio.sleep(0.4)
            case "failed":
                result = message.fail("failed")
            case "raises":
                await trio.sleep(0.1)
                raise ValueError("raises")
            case "exits":
                raise ProcessExit("exits")
            case "nothing":
                result = None
            case "another":
                result = message.anew()
            case "nowhere":
                result = message.to_batcher("nowhere") if self.batchers else None
            case "flush":
                result = message.flush()
            case "early":
                (result,) = await ack_immediately([message])
            case "early, then raises":
                await ack_immediately([message])
                raise ValueError("raises")
            case _:
                pass
        return result  # type: ignore[no-any-return]

    async def handle_batch(self, messages: Messages, batch: BatchInfo) -> Messages:
        place = self.group, batch.batcher, batch.key, batch.partition
        self.book.note(self.book.batched, place, [message.data for message in messages])
        if len(messages) != batch.size or not messages:
            self.book.wrong.append(f"{batch} of {messages}")
        await trio.sleep(0.2)
        if any(message.data.fate == "batch raises" for message in messages):
            raise ValueError("batch")
        return [
            message.fail("failed") if message.data.fate == "batch fails it" else message
            for message in messages
            if message.data.fate != "batch forgets it"
        ]

    async def handle_failed(self, messages: Messages) -> Messages:
        if any(message.data.key == 3 for message in messages):
            raise ValueError("handle_failed")
        return messages[1:]
