"""Processors: ``prepare_messages`` and ``handle_message``. Elixir: ``Broadway``'s of that name.

There are two kinds, as a stage is one or the other: those that hand messages on to batchers, and
those that are the last.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from runtime import Exited, Pid, ref, self_, send
from runtime.process import Process
from runtime.stages import Consumer, Dispatcher, ProducerConsumer, Subscription
from runtime.stages.partition_dispatcher import PartitionDispatcher
from runtime.telemetry.pipeline_events import ChunkHandled, MessageHandled
from supervisors.pipeline.callbacks import has
from supervisors.pipeline.checking import checked_chunk, checked_message, wrong_result
from supervisors.pipeline.line import Line
from supervisors.pipeline.message import AnyMessage
from supervisors.pipeline.stage import Finished, Stage
from supervisors.pipeline.work import all_failed, parted
