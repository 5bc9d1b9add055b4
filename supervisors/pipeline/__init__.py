"""Pipelines: messages from sources, handled, batched and acknowledged. Elixir: ``Broadway``.

A ``Pipeline`` is a class of callbacks; its ``child_spec`` makes a supervised tree of stages of it.
Nothing is taken from a source that nobody is ready for, and every message that was taken ends in
one of three ways: acknowledged as successful, acknowledged as failed, or given back.
"""

from runtime.annotations import publish as _publish
from supervisors.pipeline.ack_immediately import ack_immediately
from supervisors.pipeline.batches import BatchInfo, Trigger
from supervisors.pipeline.declaration import (
    FULL,
    Batcher,
    Full,
    Group,
    PartitionBy,
    Processors,
    Producers,
    RateLimit,
    SizedBy,
)
from supervisors.pipeline.message import Acknowledger, Message
from supervisors.pipeline.pipeline import Pipeline
from supervisors.pipeline.pipeline_ref import (
    BatcherTopology,
    GroupTopology,
    NoRateLimit,
    PipelineRef,
    PipelineStatistics,
    Topology,
)
from supervisors.pipeline.source import Source
from supervisors.pipeline.trials import Acked, Trial

__all__ = [
    "FULL",
    "Acked",
    "Acknowledger",
    "BatchInfo",
    "Batcher",
    "BatcherTopology",
    "Full",
    "Group",
    "GroupTopology",
    "Message",
    "NoRateLimit",
    "PartitionBy",
    "Pipeline",
    "PipelineRef",
    "PipelineStatistics",
    "Processors",
    "Producers",
    "RateLimit",
    "SizedBy",
    "Source",
    "Topology",
    "Trial",
    "Trigger",
    "ack_immediately",
]

_publish("supervisors.pipeline", {name: globals()[name] for name in __all__})
