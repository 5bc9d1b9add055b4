"""Sources for tests: what they were asked for and when, and what they are told to emit."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import trio

from runtime import Cast, Pid, Ref, handles, named, start, whereis
from runtime.stages import Emitted
from supervisors.pipeline.declaration import Processors, Producers
from supervisors.pipeline.message import Acknowledger, Message
from supervisors.pipeline.pipeline import Pipeline
from supervisors.pipeline.pipeline_ref import PipelineRef
from supervisors.pipeline.source import Source


class Do(Cast, frozen=True):
    """Let a ``Pushing`` source run ``fn(source)``."""

    fn: Callable[[Any], Any]


class Pushing(Source[Any]):
    """Gives what is in ``items``, as far as it is asked, and does what it is told.

    ``asked`` says when it was asked for how many; all its incarnations share both.
    """

    def __init__(self, items: list[Any], asked: list[tuple[float, int]]) -> None:
        self.items, self.asked = items, asked

    def handle_demand(self, demand: int) -> Emitted[Any]:
        self.asked.append((round(trio.current_time(), 6), demand))
        given, self.items[:demand] = self.items[:demand], []
        return given

    @handles(Do)
    def do(self, message: Do) -> Any:
        return message.fn(self)


class Book(Acknowledger):
    """Writes down when which data came to which end."""

    def __init__(self) -> None:
        self.log: list[tuple[float, str, list[Any]]] = []

    def _write(self, how: str, messages: list[Message[Any]]) -> None:
        if messages:
            now = round(trio.current_time(), 6)
            self.log.append((now, how, [message.data for message in messages]))

    def ack(
        self, reference: object, successful: list[Message[Any]], failed: list[Message[Any]]
    ) -> None:
        self._write("ok", successful)
        self._write("failed", failed)

    def give_back(self, reference: object, messages: list[Message[Any]]) -> None:
        self._write("back", messages)

    def times(self, how: str) -> dict[float, list[Any]]:
        """What came to this end, by when."""
        found: dict[float, list[Any]] = {}
        for now, told, data in self.log:
            if told == how:
                found.setdefault(now, []).extend(data)
        return found


class Passing(Pipeline[Any]):
    """Takes every message, perhaps after a while."""

    def __init__(self, seconds: float = 0) -> None:
        self.seconds = seconds

    async def handle_message(self, message: Message[Any]) -> Message[Any]:
        await trio.sleep(self.seconds)
        return message


class Fed:
    """A pipeline ``fed`` with one processor and ``Pushing`` sources of its ``items``."""

    def __init__(self, items: Iterable[Any] = (), *, seconds: float = 0) -> None:
        self.book = Book()
        self.items = self.messages(items)
        self.asked: list[tuple[float, int]] = []
        self.passing = Passing(seconds)
        self.ref = PipelineRef("fed")
        self.kind: type[Pushing] = Pushing

    def messages(self, items: Iterable[Any]) -> list[Any]:
        """A message of each."""
        return [Message(item, self.book) for item in items]

    async def start(self, max_demand: int = 10, **producers: Any) -> Fed:
        await start(
            self.passing.child_spec(
                name="fed",
                producers=Producers(lambda _: self.kind(self.items, self.asked), **producers),
                processors=Processors(1, max_demand=max_demand),
            )
        )
        await trio.testing.wait_all_tasks_blocked()
        return self

    @property
    def source(self) -> Ref:
        """The first producer."""
        return named("fed.producer_0")

    @property
    def source_pid(self) -> Pid:
        found = whereis("fed.producer_0")
        assert found is not None
        return found

    async def tell(self, fn: Callable[[Any], Any]) -> None:
        """Let the source run it, and everything happen that comes of it now."""
        self.source.cast(Do(fn))
        await trio.testing.wait_all_tasks_blocked()

    async def emit(self, items: Iterable[Any]) -> None:
        """Let the source emit a message of each, asked or not."""
        messages = self.messages(items)
        await self.tell(lambda source: source.emit(messages))
