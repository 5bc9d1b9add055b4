"""Acknowledging in the middle of a callback. Elixir: ``Broadway.Message.ack_immediately``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from runtime import OutsideProcess
from runtime.current import require_process
from supervisors.pipeline.message import Message
from supervisors.pipeline.stage import LineStage
from supervisors.pipeline.work import parted

T = TypeVar("T")


async def ack_immediately(messages: Iterable[Message[T]]) -> list[Message[T]]:
    """Acknowledge these now, as they are: those that have failed as failed. They are returned.

    For a callback of a pipeline whose later work must not hold up the source. The callback still
    returns them, and nothing is acknowledged twice; but whatever becomes of them from now on, the
    source hears nothing of it, nor are they given back. Of several groups, each says so for itself.
    """
    given = list(messages)
    process = require_process("ack_immediately")
    stage: object = getattr(process.body, "server", None)
    if not isinstance(stage, LineStage):
        raise OutsideProcess("ack_immediately was called outside a callback of a pipeline")
    successful, failed = parted(given)
    await stage.work.acknowledge(successful, failed)
    return given
