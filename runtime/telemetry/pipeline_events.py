"""What pipelines tell: a span for each step, and what somebody should hear of.

A span is told twice: as it begins, with ``phase`` ``start``, and as it ends, with ``stop``, or with
``exception`` and a ``reason`` if it did not do what it was there for. Elixir: Broadway's telemetry,
but with numbers in the place of the messages, which are nobody else's business.
"""

from __future__ import annotations

from typing import Final, Literal, TypeAlias, get_args

import msgspec

from runtime.exits import ExitReason
from runtime.pid import Pid

Phase: TypeAlias = Literal["start", "stop", "exception"]
"""Which of its ends a span tells."""


class PipelineSpan(msgspec.Struct, frozen=True):
    """What all spans say: where, how long (``seconds``, 0 at the start), and of how many messages.

    At the end each of the ``messages`` is ``successful`` (done with), ``failed`` or ``forwarded``.
    """

    pipeline: str
    stage: str
    pid: Pid
    phase: Phase
    seconds: float
    messages: int
    successful: int = 0
    failed: int = 0
    forwarded: int = 0
    reason: ExitReason | None = None


class ChunkHandled(PipelineSpan, frozen=True):
    """A processor and the messages that it got at once, up to their acknowledgement."""


class MessageHandled(PipelineSpan, frozen=True):
    """One ``handle_message``."""


class BatchesMade(PipelineSpan, frozen=True):
    """A batcher and the messages that it got at once; ``forwarded`` are those that left."""


class BatchHandled(PipelineSpan, frozen=True):
    """A batch processor and a batch, up to its acknowledgement."""


class FailuresHandled(PipelineSpan, frozen=True):
    """One ``handle_failed``."""


class PipelineStarted(msgspec.Struct, frozen=True):
    """A pipeline is up, with all its stages, by name. Elixir: the topology's ``init``."""

    pid: Pid
    pipeline: str
    stages: tuple[str, ...]


class PipelineDrained(msgspec.Struct, frozen=True):
    """A pipeline has been drained, for ``seconds``; ``left`` messages were not finished in time."""

    pid: Pid
    pipeline: str
    seconds: float
    left: int


class CallbackFailed(msgspec.Struct, frozen=True):
    """A pipeline's callback raised, or returned what it may not; its messages have failed.

    Also ``handle_failed``, and a user's function that is asked for a partition or a size.
    """

    pipeline: str
    stage: str
    pid: Pid
    callback: str
    messages: int
    reason: ExitReason


class AcknowledgerFailed(msgspec.Struct, frozen=True):
    """An acknowledger raised, in the stage ``pid``, while it was told of so many ``messages``.

    ``acknowledger`` and ``reference`` are text. The messages are given back to it.
    """

    pid: Pid
    acknowledger: str
    reference: str
    messages: int
    reason: ExitReason


class MessagesGivenBack(msgspec.Struct, frozen=True):
    """A stage has ended and held ``messages``, which are given back to their source."""

    pipeline: str
    stage: str
    messages: int


SpanEvent: TypeAlias = ChunkHandled | MessageHandled | BatchesMade | BatchHandled | FailuresHandled
"""A span of any kind."""

PipelineEvent: TypeAlias = (
    SpanEvent
    | PipelineStarted
    | PipelineDrained
    | CallbackFailed
    | MessagesGivenBack
    | AcknowledgerFailed
)
"""Everything a pipeline tells."""

SPANS: Final = get_args(SpanEvent)
"""What ordinary work tells, every time."""
