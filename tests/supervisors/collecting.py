"""Pipelines over real sources: a handler that is given, and what came to it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import trio

from runtime import ExitReason, Pid, Ref, start, wait_exit, whereis
from supervisors.pipeline.declaration import Processors, Producers
from supervisors.pipeline.message import Message
from supervisors.pipeline.pipeline import Pipeline
from supervisors.pipeline.pipeline_ref import PipelineRef
from supervisors.pipeline.source import Source

Handler = Callable[[Message[Any]], Awaitable[Message[Any] | None] | None]


class Collecting(Pipeline[Any]):
    """Remembers what it was given; ``handle`` may wait, raise, or return another message."""

    def __init__(self, handle: Handler | None = None) -> None:
        self.handle = handle
        self.messages: list[Message[Any]] = []
        self.failed: list[Message[Any]] = []
        self._more = trio.Event()

    @property
    def data(self) -> list[Any]:
        """What the messages are about, in the order in which they came."""
        return [message.data for message in self.messages]

    async def handle_message(self, message: Message[Any]) -> Message[Any]:
        self.messages.append(message)
        self._more.set()
        self._more = trio.Event()
        if self.handle is not None:
            result = self.handle(message)
            if result is not None:
                return await result or message
        return message

    def handle_failed(self, messages: list[Message[Any]]) -> list[Message[Any]]:
        self.failed += messages
        return messages

    async def come(self, count: int) -> None:
        """Until so many have come."""
        with trio.fail_after(10):
            while len(self.messages) < count:
                await self._more.wait()

    async def start(
        self,
        make: Callable[[], Source[Any]],
        *,
        concurrency: int = 1,
        max_demand: int = 10,
        **options: Any,
    ) -> Ref:
        """Run it as ``line``, with one source, to the end of that."""
        spec = self.child_spec(
            name="line",
            producers=Producers(lambda index: make()),
            processors=Processors(concurrency=concurrency, max_demand=max_demand),
            ends=True,
            **options,
        )
        return await start(spec)

    @asynccontextmanager
    async def running(self, make: Callable[[], Source[Any]], **options: Any) -> AsyncGenerator[Ref]:
        """Run it for the length of the block, and stop it as its supervisor would."""
        running = await self.start(make, **options)
        try:
            yield running
        finally:
            if running.whereis() is not None:
                await PipelineRef("line").stop()

    async def to_the_end(self, make: Callable[[], Source[Any]], **options: Any) -> ExitReason:
        """Run it until its source has ended, and how it ended."""
        with trio.fail_after(20):
            return await wait_exit(await self.start(make, **options))


def stage(name: str) -> Pid:
    """The process of a stage."""
    pid = whereis(f"line.{name}")
    assert pid is not None
    return pid


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Wait for what another thread or program is to do."""
    with trio.fail_after(10):
        while not await condition():
            await trio.sleep(0.002)
