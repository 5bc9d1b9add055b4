"""Telling what a stage does, to whoever listens; nothing is built for nobody."""

from __future__ import annotations

import trio

from runtime import ExitReason
from runtime.process import Process
from runtime.telemetry.pipeline_events import CallbackFailed, Phase, SpanEvent


class Telling:
    """What one stage tells of itself."""

    __slots__ = ("_instruments", "_pid", "_pipeline", "_stage")

    def __init__(self, pipeline: str, stage: str, process: Process) -> None:
        self._pipeline, self._stage = pipeline, stage
        self._pid = process.pid
        self._instruments = process.table.instruments

    def begin(self, kind: type[SpanEvent], messages: int) -> Span | None:
        """A span begins; ``None`` if nobody listens to those."""
        if kind not in self._instruments.wanted:
            return None
        event = kind(self._pipeline, self._stage, self._pid, "start", 0.0, messages)
        self._instruments.emit(event)
        return Span(self, kind, messages)

    def failed(self, callback: str, messages: int, reason: ExitReason) -> None:
        """A callback has failed, and its messages with it."""
        if CallbackFailed in self._instruments.wanted:
            self._instruments.emit(CallbackFailed(
                self._pipeline, self._stage, self._pid, callback, messages, reason
            ))  # fmt: skip

    def end(
        self,
        kind: type[SpanEvent],
        seconds: float,
        messages: int,
        counts: tuple[int, int, int],
        reason: ExitReason | None,
    ) -> None:
        """A span has ended."""
        phase: Phase = "stop" if reason is None else "exception"
        self._instruments.emit(kind(
            self._pipeline, self._stage, self._pid, phase, seconds, messages, *counts, reason
        ))  # fmt: skip


class Span:
    """One that has begun."""

    __slots__ = ("_began", "_kind", "_messages", "_telling")

    def __init__(self, telling: Telling, kind: type[SpanEvent], messages: int) -> None:
        self._telling, self._kind, self._messages = telling, kind, messages
        self._began = trio.current_time()

    def end(
        self,
        successful: int = 0,
        failed: int = 0,
        forwarded: int = 0,
        reason: ExitReason | None = None,
    ) -> None:
        """It has ended, for a ``reason`` if it did not do what it was there for."""
        seconds = trio.current_time() - self._began
        counts = successful, failed, forwarded
        self._telling.end(self._kind, seconds, self._messages, counts, reason)
