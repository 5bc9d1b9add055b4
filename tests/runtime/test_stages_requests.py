"""What is asked of stages is plain to read where it is told, in crash reports and traces."""

from __future__ import annotations

from typing import Any

from runtime import Call, MailboxLimit, Node, TraceEvent, trace
from runtime.messages import HandleCall
from runtime.stages import buffered_count, get_demand, queue_info, set_demand, subscribe
from runtime.stages.requests import (
    CountBuffered,
    GetDemand,
    QueueInfo,
    Resubscribe,
    SetDemand,
    Subscribe,
)
from runtime.stages.stage import StageCall
from tests.runtime.staging import Sink, Source

REQUESTS = (CountBuffered, GetDemand, QueueInfo, Resubscribe, SetDemand, Subscribe)


def test_they_are_calls_of_a_typed_handle() -> None:
    """So a server that knows nothing of them is only the wrong one."""
    for request in REQUESTS:
        assert issubclass(request, StageCall)
    assert issubclass(StageCall, HandleCall)
    assert issubclass(StageCall, Call)


async def test_they_count_for_the_limit_of_a_mailbox(node: Node) -> None:
    """Unlike what stages tell each other: whoever asks waits, and can be told."""

    class Bounded(Source):
        mailbox = MailboxLimit(1)

    p = await Bounded.start()
    assert await buffered_count(p) == 0


async def test_a_trace_shows_them(node: Node) -> None:
    told: list[Any] = []
    p, c = await Source.start(), await Sink.start()
    for stage in (p, c):
        await trace(stage, told.append)
    await get_demand(p)
    await set_demand(p, "forward")
    await queue_info(p, 5)
    await subscribe(c, p)
    calls = [one.text for one in told if isinstance(one, TraceEvent) and one.what == "call"]
    assert [str(text).partition("(")[0] for text in calls] == [
        "GetDemand", "SetDemand", "QueueInfo", "Subscribe",
    ]  # fmt: skip
