"""What the tests of pipelines are made of: a source, its acknowledger, and pipelines that log."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Any, TypeAlias

import trio
import trio.testing

from runtime import ChildSpec, Pid, Stop, kill, start, wait_exit, whereis
from runtime.exits import NORMAL
from runtime.stages import Emitted
from supervisors.pipeline.batches import BatchInfo
from supervisors.pipeline.declaration import Batcher, Processors, Producers
from supervisors.pipeline.message import Acknowledger, Message
from supervisors.pipeline.pipeline import Pipeline
from supervisors.pipeline.pipeline_ref import PipelineRef
from supervisors.pipeline.source import Source

Messages: TypeAlias = list[Message[Any]]


class Told(Acknowledger):
    """Remembers what it was told, as ``("ok", [1, 2])``, ``("failed", ...)``, ``("back", ...)``.

    By the ``receipt`` of each message, which is what the source had made it of.
    """

    def __init__(self) -> None:
        self.log: list[tuple[str, list[Any]]] = []
        self.failures: dict[Any, object] = {}

    def ack(self, reference: object, successful: Messages, failed: Messages) -> None:
        if successful:
            self.log.append(("ok", [message.receipt for message in successful]))
        if failed:
            self.log.append(("failed", [message.receipt for message in failed]))
            self.failures |= {message.receipt: message.failure for message in failed}

    def give_back(self, reference: object, messages: Messages) -> None:
        self.log.append(("back", [message.receipt for message in messages]))

    def of(self, kind: str) -> list[Any]:
        """All that was told of this kind, in order."""
        return [one for told, ones in self.log if told == kind for one in ones]

    @property
    def all(self) -> list[Any]:
        """All that was told of anything, sorted."""
        return sorted(one for _, ones in self.log for one in ones)


class Listed(Source[Any]):
    """Gives out the items of a list that all incarnations share; ends with it if ``ends``."""

    def __init__(self, items: list[Any], told: Acknowledger, *, ends: bool = False) -> None:
        self.items, self.told, self.ends = items, told, ends
        self.asked: list[int] = []

    def handle_demand(self, demand: int) -> Emitted[Message[Any]]:
        self.asked.append(demand)
        items, self.items[:demand] = self.items[:demand], []
        if self.ends and not self.items:
            self.emit(message(item, self.told) for item in items)
            return Stop(NORMAL)
        return [message(item, self.told) for item in items]


def message(item: Any, told: Acknowledger) -> Message[Any]:
    """A message of a source."""
    return Message(item, told, None, item)


Handler: TypeAlias = Callable[[Message[Any]], Message[Any] | Awaitable[Message[Any]]]
BatchHandler: TypeAlias = Callable[[Messages, BatchInfo], Messages | Awaitable[Messages]]


class Logging(Pipeline[Any]):
    """Does what the functions it is given say; by default nothing. ``log`` is what it did."""

    def __init__(
        self, handle: Handler | None = None, handle_batch: BatchHandler | None = None
    ) -> None:
        self.log: list[Any] = []
        self._handle, self._handle_batch = handle, handle_batch

    async def handle_message(self, message: Message[Any]) -> Message[Any]:
        self.log.append(message.data)
        if self._handle is None:
            return message
        result = self._handle(message)
        if isinstance(result, Message):
            return result
        return await result

    async def handle_batch(self, messages: Messages, batch: BatchInfo) -> Messages:
        self.log.append((batch.trigger, batch.key, [message.data for message in messages]))
        if self._handle_batch is None:
            return messages
        result = self._handle_batch(messages, batch)
        return result if isinstance(result, list) else await result


class Running:
    """A pipeline named ``line`` over ``items``, its log, and what its acknowledger was told."""

    def __init__(
        self,
        items: Iterable[Any] = (),
        handle: Handler | None = None,
        handle_batch: BatchHandler | None = None,
        *,
        pipeline: Pipeline[Any] | None = None,
        told: Acknowledger | None = None,
        ends: bool = False,
    ) -> None:
        self.told = Told()
        self.items = list(items)
        self.logging = Logging(handle, handle_batch)
        self.pipeline = pipeline or self.logging
        self.acknowledger = told or self.told
        self.ends = ends
        self.ref = PipelineRef("line")
        self.pid: Pid

    @property
    def log(self) -> list[Any]:
        """What the callbacks have done."""
        return self.logging.log

    def source(self, index: int) -> Source[Any]:
        return Listed(self.items, self.acknowledger, ends=self.ends)

    def producers(self, **options: Any) -> Producers:
        return Producers(self.source, **options)

    def spec(self, **options: Any) -> ChildSpec:
        """One producer and one processor, unless the options say otherwise."""
        options.setdefault("producers", self.producers())
        if "groups" not in options:
            options.setdefault("processors", Processors(concurrency=1))
        return self.pipeline.child_spec(name="line", **options)

    async def start(self, **options: Any) -> Running:
        self.pid = (await start(self.spec(**options))).pid
        return self

    async def stop(self) -> None:
        """As its supervisor would stop it."""
        await self.ref.stop()

    async def settle(self) -> Running:
        """Whatever can happen without the clock moving on."""
        await trio.testing.wait_all_tasks_blocked()
        return self

    async def after(self, seconds: float) -> Running:
        """So much later, and all that happens then has happened."""
        await trio.sleep(seconds)
        return await self.settle()

    async def kill(self, stage: str) -> None:
        """Kill a stage, ``processor_0`` say, and wait until it is gone."""
        found = whereis(f"line.{stage}")
        assert found is not None, stage
        kill(found)
        await wait_exit(found)


def batched(size: int = 3, timeout: float = 60.0, **options: Any) -> dict[str, Batcher]:
    """One batcher."""
    return {"default": Batcher(size=size, timeout=timeout, **options)}
