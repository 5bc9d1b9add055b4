"""The events of pipelines: which are spans, and that they are events like all others."""

from __future__ import annotations

from typing import get_args

from runtime import Crashed, Pid, PipelineSpan
from runtime.instruments import FREQUENT, REPORTS, Event
from runtime.telemetry.pipeline_events import SPANS, BatchHandled, PipelineEvent


def test_spans_are_frequent_and_the_others_are_reports() -> None:
    events = set(get_args(PipelineEvent))
    assert set(SPANS) == {event for event in events if issubclass(event, PipelineSpan)}
    assert set(SPANS) <= set(FREQUENT)
    assert events - set(SPANS) <= set(REPORTS)
    assert events <= set(get_args(Event))


def test_a_span_says_nothing_of_an_end_that_it_has_not_had() -> None:
    pid = Pid(1, "stage")
    begun = BatchHandled("line", "line.stage", pid, "start", 0.0, 3)
    assert (begun.successful, begun.failed, begun.forwarded, begun.reason) == (0, 0, 0, None)
    reason = Crashed(ValueError())
    ended = BatchHandled("line", "line.stage", pid, "exception", 1.0, 3, 0, 3, 0, reason)
    assert ended.reason is reason
    assert ended != begun
