"""Pipelines: messages from sources, handled, batched and acknowledged. Elixir: Broadway."""

from supervisors.pipeline.batches import BatchInfo
from supervisors.pipeline.declaration import Batcher, Processors, Producers
from supervisors.pipeline.message import Acknowledger, Message
from supervisors.pipeline.pipeline import Pipeline
from supervisors.pipeline.pipeline_ref import PipelineRef
from supervisors.pipeline.source import Source

__all__ = [
    "Acknowledger", "BatchInfo", "Batcher", "Message", "Pipeline", "PipelineRef", "Processors", "Producers", "Source"
]
