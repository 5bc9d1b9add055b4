"""What the rows of BW are shown with: a source, its acknowledger, callbacks, and a pipeline."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

import trio

from runtime import Cast, ChildSpec, Pid, handles, kill, named, start, wait_exit, whereis
from runtime.stages import Emitted
from supervisors.pipeline import (
    Acknowledger,
    Batcher,
    BatchInfo,
    Message,
    Pipeline,
    PipelineRef,
    Processors,
    Producers,
    Source,
)

Messages: TypeAlias = list[Message[Any]]
Log: TypeAlias = list[Any]


class Do(Cast, frozen=True):
    """Let a source run ``fn(source)``."""

    fn: Callable[[Any], Any]


class Items(Source[Any]):
    """Gives what is in ``items`` as far as it is asked; all incarnations share it.

    ``log`` has ``("ask", 5)`` for each time it is asked, and ``"drain"``.
    """

    def __init__(self, items: list[Any], log: Log) -> None:
        self.items, self.log = items, log

    def handle_demand(self, demand: int) -> Emitted[Any]:
        self.log.append(("ask", demand))
        given, self.items[:demand] = self.items[:demand], []
        return given

    def prepare_for_draining(self) -> Emitted[Any]:
        self.log.append("drain")
        return None

    @handles(Do)
    def do(self, message: Do) -> Any:
        return message.fn(self)


class Told(Acknowledger):
    """Writes down what it is told: ``("ack", successful, failed)`` and ``("back", messages)``."""

    def __init__(self, log: Log, name: str | None = None) -> None:
        self.log, self.name = log, name

    def ack(self, reference: object, successful: Messages, failed: Messages) -> None:
        self._write(reference, ("ack", data_of(successful), data_of(failed)))

    def give_back(self, reference: object, messages: Messages) -> None:
        self._write(reference, ("back", data_of(messages)))

    def _write(self, reference: object, told: tuple[Any, ...]) -> None:
        self.log.append(told if self.name is None else (self.name, reference, *told))


def data_of(messages: Iterable[Message[Any]]) -> list[Any]:
    return [message.data for message in messages]


class Callbacks(Pipeline[Any]):
    """Does with a message what ``handle`` says, and writes down batches."""

    def __init__(self, log: Log, handle: Callable[[Message[Any]], Any] | None = None) -> None:
        self.log, self.handle = log, handle

    async def handle_message(self, message: Message[Any]) -> Message[Any]:
        if self.handle is None:
            return message
        result = self.handle(message)
        made: Message[Any] = await result if hasattr(result, "__await__") else result
        return made

    async def handle_batch(self, messages: Messages, batch: BatchInfo) -> Messages:
        self.log.append((batch.trigger, batch.key, data_of(messages)))
        return messages


class Line:
    """The pipeline ``line``, with one producer and one processor unless it is told otherwise.

    ``log`` is what its acknowledger was told, and what its callbacks and its source write.
    """

    def __init__(
        self,
        items: Iterable[Any] = (),
        handle: Callable[[Message[Any]], Any] | None = None,
        *,
        callbacks: Callable[[Log], Pipeline[Any]] | None = None,
    ) -> None:
        self.log: Log = []
        self.asks: Log = []
        self.told = Told(self.log)
        self.items: list[Any] = self.messages(items)
        self.callbacks = callbacks(self.log) if callbacks else Callbacks(self.log, handle)
        self.ref = PipelineRef("line")

    def messages(self, items: Iterable[Any]) -> list[Any]:
        """One of each."""
        return [Message(item, self.told) for item in items]

    def producers(self, **options: Any) -> Producers:
        return Producers(lambda _: Items(self.items, self.asks), **options)

    def spec(
        self,
        producers: Producers | None = None,
        processors: Processors | None = None,
        batchers: Mapping[str, Batcher] | None = None,
        **options: Any,
    ) -> ChildSpec:
        if "groups" not in options:
            options["processors"] = processors or Processors(1)
            options["batchers"] = batchers or {}
        return self.callbacks.child_spec(
            name="line", producers=producers or self.producers(), **options
        )

    async def start(self, *args: Any, **options: Any) -> Line:
        await start(self.spec(*args, **options))
        return await self.settle()

    async def settle(self, seconds: float = 0) -> Line:
        """So much later, and all that happens then has happened."""
        await trio.sleep(seconds)
        await trio.testing.wait_all_tasks_blocked()
        return self

    async def emit(self, *items: Any) -> None:
        """Let the first source emit messages of these, asked or not."""
        messages = self.messages(items)
        named("line.producer_0").cast(Do(lambda source: source.emit(messages)))
        await self.settle()

    async def stop(self) -> None:
        await self.ref.stop()

    def pid(self, stage: str) -> Pid:
        """Of a stage, ``processor_0`` say."""
        found = whereis(f"line.{stage}")
        assert found is not None, stage
        return found

    async def kill(self, stage: str) -> None:
        pid = self.pid(stage)
        kill(pid)
        await wait_exit(pid)
        await self.settle()

    def told_of(self, kind: str) -> list[Any]:
        """Everything that came to this end: ``ok``, ``failed``, ``back``."""
        found: list[Any] = []
        for one in self.log:
            match one:
                case ("ack", successful, failed):
                    found += {"ok": successful, "failed": failed}.get(kind, [])
                case ("back", messages) if kind == "back":
                    found += messages
                case _:
                    pass
        return found
