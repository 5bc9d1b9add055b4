"""Processors: ``prepare_messages`` and ``handle_message``. Elixir: Broadway's of that name.

There are two kinds, as a stage is one or the other: those that hand messages on to batchers, and
those that come last and finish them.
"""

from __future__ import annotations

from collections.abc import Hashable

import msgspec

from runtime import Crashed, Exited, ExitReason, Pid, self_, send
from runtime.stages.consumer import Consumer
from runtime.stages.dispatcher import Dispatcher
from runtime.stages.partition_dispatcher import PartitionDispatcher
from runtime.stages.producer_consumer import ProducerConsumer
from runtime.stages.subscription import Subscription
from runtime.telemetry.pipeline_events import ChunkHandled, MessageHandled
from supervisors.pipeline.callbacks import has
from supervisors.pipeline.checking import (
    THE_MESSAGES,
    checked_chunk,
    checked_message,
    wrong_result,
)
from supervisors.pipeline.line import Line
from supervisors.pipeline.message import AnyMessage
from supervisors.pipeline.spans import Span
from supervisors.pipeline.stage import Finished, LineStage
from supervisors.pipeline.work import all_failed, failure_of, parted


class Processing(LineStage[AnyMessage]):
    """What both kinds do; ``index`` says which of the processors of its group this is."""

    def __init__(self, line: Line, group: str, index: int) -> None:
        name = line.processor_name(group, index)
        super().__init__(line, group, name, line.producer_names())
        made = line.declaration.groups[group]
        self._index, self._declared = index, made.processors
        self._batchers = tuple(made.batchers)

    def subscribe_to(self, producer: Pid) -> Subscription:
        """For the messages of its partition, if there are partitions."""
        declared = self._declared
        by_partition = declared.partition_by is not None
        partition: Hashable | msgspec.UnsetType = self._index if by_partition else msgspec.UNSET
        return self.subscribe(
            producer,
            max_demand=declared.max_demand,
            min_demand=declared.min_demand,
            cancel="temporary",
            partition=partition,
        )

    def begin(self, messages: list[AnyMessage]) -> Span | None:
        """A chunk has arrived."""
        return self.work.telling.begin(ChunkHandled, len(messages))

    async def handled(self, arrived: list[AnyMessage]) -> tuple[list[AnyMessage], list[AnyMessage]]:
        """What the callbacks made of a chunk: those that went well, and those that failed.

        One that has failed on its way here, in ``partition_by`` say, is not handled.
        """
        messages, failed = parted(arrived)
        for message in failed:
            self.work.telling.failed("partition_by", 1, _reason_of(message))
        messages, unprepared = await self._prepared(messages)
        done = [await self._handled(message) for message in messages]
        successful, more = parted(done)
        return successful, [*failed, *unprepared, *more]

    async def _prepared(
        self, messages: list[AnyMessage]
    ) -> tuple[list[AnyMessage], list[AnyMessage]]:
        """What is to be handled, and what not since preparing it failed: all or nothing."""
        callbacks, count = self.work.callbacks, len(messages)
        if not messages or not has(callbacks, "prepare_messages"):
            return messages, []
        outcome = await self.work.call(callbacks.prepare_messages, count, list(messages))
        if isinstance(outcome, Exited):
            return [], all_failed(messages, outcome.reason)
        prepared = checked_chunk("prepare_messages", messages, outcome.value)
        if prepared is not None:
            return prepared, []
        error = wrong_result("prepare_messages", outcome.value, THE_MESSAGES)
        self.work.refused("prepare_messages", count, error)
        return [], all_failed(messages, Crashed(error))

    async def _handled(self, given: AnyMessage) -> AnyMessage:
        """What ``handle_message`` made of one; failed, if that failed."""
        work = self.work
        span = work.telling.begin(MessageHandled, 1)
        outcome = await work.call(work.callbacks.handle_message, 1, given)
        if isinstance(outcome, Exited):
            message = given.fail(failure_of(outcome.reason))
        else:
            value = outcome.value
            message = checked_message("handle_message", given, value, self._batchers)
            if message is not value:
                work.telling.failed("handle_message", 1, _reason_of(message))
        if span is not None:
            if message.failure is None:
                span.end(successful=1)
            else:
                span.end(failed=1, reason=_reason_of(message))
        return message


def _reason_of(message: AnyMessage) -> ExitReason:
    failure = message.failure
    return Crashed(failure) if isinstance(failure, BaseException) else failure


class LastProcessor(Processing, Consumer[AnyMessage]):
    """One behind which there are no batchers."""

    async def handle_events(self, events: list[AnyMessage], subscription: Subscription) -> None:
        """Handle and finish a chunk."""
        span = self.begin(events)
        successful, failed = await self.handled(events)
        await self.work.finish(successful, failed)
        if span is not None:
            span.end(len(successful), len(failed))

    def finish(self) -> None:
        """Nothing is ever left here."""
        send(self_(), Finished())


class Processor(Processing, ProducerConsumer[AnyMessage, AnyMessage]):
    """One that hands on to batchers what went well."""

    async def handle_events(
        self, events: list[AnyMessage], subscription: Subscription
    ) -> list[AnyMessage]:
        """Handle a chunk and finish what failed in it."""
        span = self.begin(events)
        successful, failed = await self.handled(events)
        await self.work.finish([], failed)
        if span is not None:
            span.end(0, len(failed), len(successful))
        return successful

    def make_dispatcher(self) -> Dispatcher[AnyMessage]:
        """Every batcher is a partition; a full one holds up the others rather than fill memory."""
        batchers = self.line.declaration.groups[self._group].batchers
        most = max(batcher.max_demand or 1 for batcher in batchers.values())
        return PartitionDispatcher(
            self._batchers,
            hash=_batcher_of,
            max_queued=max(most, self._declared.max_demand),
        )

    def _stage_delivering(self, subscription: Subscription, events: list[AnyMessage]) -> None:
        self.line.custody.move(events, subscription.consumer)

    def finish(self) -> None:
        """Once the batchers have taken everything."""
        self.queue_info(Finished())


def _batcher_of(message: AnyMessage) -> Hashable:
    return message.batcher
