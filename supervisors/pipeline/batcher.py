"""Batchers: messages become batches. Elixir: Broadway's of that name.

A batcher has one timer however many batches it fills: it is for the oldest of them, as all are
given the same time. One that rings too late finds nothing to do.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping

import msgspec
import trio

from runtime import Crashed, Pid, handles, self_, send_at
from runtime.inspection.views import Plain
from runtime.stages.demand_dispatcher import DemandDispatcher
from runtime.stages.dispatcher import Dispatcher
from runtime.stages.partition_dispatcher import PartitionDispatcher
from runtime.stages.producer_consumer import ProducerConsumer
from runtime.stages.subscription import Subscription
from runtime.telemetry.pipeline_events import BatchesMade
from supervisors.pipeline.batches import Batch, Batches
from supervisors.pipeline.line import Line
from supervisors.pipeline.message import AnyMessage
from supervisors.pipeline.stage import Finished, LineStage


class BatchDue(msgspec.Struct, frozen=True):
    """The time of a batch is over, unless it has left before."""

    at: float


class BatcherStage(LineStage[AnyMessage], ProducerConsumer[AnyMessage, Batch]):
    """Collects the messages of all processors that are for ``batcher``."""

    def __init__(self, line: Line, group: str, batcher: str) -> None:
        name = line.batcher_name(group, batcher)
        super().__init__(line, group, name, line.processor_names(group))
        self._batcher = batcher
        self._declared = line.declaration.groups[group].batchers[batcher]
        self._batches = Batches(batcher, self._declared)
        self._rings_at: float | None = None

    def subscribe_to(self, producer: Pid) -> Subscription:
        """For the messages that are for it."""
        most = self._declared.max_demand
        assert most is not None, "the declaration is complete"
        return self.subscribe(
            producer, max_demand=most, cancel="temporary", partition=self._batcher
        )

    def make_dispatcher(self) -> Dispatcher[Batch]:
        """To the batch processor that is free, or to that of its partition."""
        declared = self._declared
        if declared.partition_by is None:
            return DemandDispatcher()
        return PartitionDispatcher(declared.concurrency, hash=_partition_of, max_queued=1)

    async def handle_events(
        self, events: list[AnyMessage], subscription: Subscription
    ) -> list[Batch]:
        """Put them into batches; those that are complete leave."""
        span = self.work.telling.begin(BatchesMade, len(events))
        added = self._batches.add(events, trio.current_time())
        self._set_timer()
        for message in added.failed:
            assert isinstance(message.failure, Exception), "it was raised"
            self.work.telling.failed("batcher", 1, Crashed(message.failure))
        if added.failed:
            await self.work.finish([], added.failed)
        if span is not None:
            left = sum(batch.info.size for batch in added.batches)
            span.end(0, len(added.failed), left)
        return added.batches

    def _set_timer(self) -> None:
        due = self._batches.next_due
        if due is not None and (self._rings_at is None or due < self._rings_at):
            self._rings_at = due
            send_at(self_(), BatchDue(due), due)

    @handles(BatchDue)
    def _batch_due(self, message: BatchDue) -> None:
        self._rings_at = None
        self.emit(self._batches.due(trio.current_time()))
        self._set_timer()

    def _stage_delivering(self, subscription: Subscription, events: list[Batch]) -> None:
        for batch in events:
            self.line.custody.move(batch.messages, subscription.consumer)

    def finish(self) -> None:
        """What has not become a batch yet leaves as it is."""
        self.emit(self._batches.flush())
        self.queue_info(Finished())

    def facts(self) -> Mapping[str, Plain]:
        """Also how many messages are in unfinished batches."""
        return {**super().facts(), "unfinished": self._batches.held}


def _partition_of(batch: Batch) -> Hashable:
    return batch.info.partition
