"""Batch processors: ``handle_batch``, one batch at a time. Elixir: Broadway's of that name."""

from __future__ import annotations

from collections.abc import Hashable

import msgspec

from runtime import BadResult, Crashed, Exited, ExitReason, Pid, self_, send
from runtime.stages.consumer import Consumer
from runtime.stages.subscription import Subscription
from runtime.telemetry.pipeline_events import BatchHandled
from supervisors.pipeline.batches import Batch
from supervisors.pipeline.checking import checked_batch
from supervisors.pipeline.line import Line
from supervisors.pipeline.message import AnyMessage
from supervisors.pipeline.stage import Finished, LineStage
from supervisors.pipeline.work import all_failed, parted


class BatchProcessor(LineStage[Batch], Consumer[Batch]):
    """Handles and finishes the batches of ``batcher``, or those of its partition, ``index``."""

    def __init__(self, line: Line, group: str, batcher: str, index: int) -> None:
        name = line.batch_processor_name(group, batcher, index)
        super().__init__(line, group, name, [line.batcher_name(group, batcher)])
        self._index = index
        self._declared = line.declaration.groups[group].batchers[batcher]

    def subscribe_to(self, producer: Pid) -> Subscription:
        """For one batch after the other: the next is asked for when this is done."""
        by_partition = self._declared.partition_by is not None
        partition: Hashable | msgspec.UnsetType = self._index if by_partition else msgspec.UNSET
        return self.subscribe(
            producer, max_demand=1, min_demand=0, cancel="temporary", partition=partition
        )

    async def handle_events(self, events: list[Batch], subscription: Subscription) -> None:
        """Handle and finish a batch."""
        for batch in events:
            span = self.work.telling.begin(BatchHandled, batch.info.size)
            done, reason = await self._handled(batch)
            successful, failed = parted(done)
            await self.work.finish(successful, failed)
            if span is not None:
                span.end(len(successful), len(failed), reason=reason)

    async def _handled(self, batch: Batch) -> tuple[list[AnyMessage], ExitReason | None]:
        """What ``handle_batch`` made of it, and why that was wrong, if it was."""
        work, messages = self.work, batch.messages
        outcome = await work.call(
            work.callbacks.handle_batch, len(messages), list(messages), batch.info
        )
        if isinstance(outcome, Exited):
            return all_failed(messages, outcome.reason), outcome.reason
        done = checked_batch("handle_batch", messages, outcome.value)
        wrong = [one.failure for one in done if isinstance(one.failure, BadResult)]
        if not wrong:
            return done, None
        work.refused("handle_batch", len(wrong), wrong[0])
        return done, Crashed(wrong[0])

    def finish(self) -> None:
        """Nothing is ever left here."""
        send(self_(), Finished())
