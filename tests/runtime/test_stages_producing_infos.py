"""Infos that wait behind events, and what a producing stage says of itself."""

from __future__ import annotations

from typing import Any

import pytest
import trio

from runtime import (
    Continue,
    Idle,
    IdleTimeout,
    Node,
    Stop,
    snapshot,
)
from runtime.stages import (
    PartitionDispatcher,
    queue_info,
)
from tests.runtime.staging import (
    KINDS,
    Do,
    Log,
    Middle,
    Sink,
    Source,
    emitted,
    joined,
    settled,
)
from tests.support import end_of


@pytest.mark.parametrize("kinds", KINDS)
async def test_an_info_is_handled_as_any(node: Node, events: list[Any], kinds: Any) -> None:
    """What it returns counts: ``Stop``, ``Continue``, ``Idle``."""

    class Told(kinds[0]):  # type: ignore[misc]
        def handle_info(self, message: object) -> Any:
            self.log.append(message)
            return message if isinstance(message, Stop | Idle | Continue) else None

        def handle_continue(self, arg: object) -> None:
            self.log.append(("continue", arg))

    log: Log = []
    p = await Told.start(log)
    for message in (Continue(5), Idle(1)):
        await queue_info(p, message)
    await trio.sleep(2)
    assert log == [Continue(5), ("continue", 5), Idle(1), IdleTimeout()]
    await p.call(Do(lambda stage: stage.queue_info(Stop("told"))))
    await settled()
    assert end_of(events, p.pid) == "told"


async def test_an_info_behind_a_partition_waits_for_that(node: Node) -> None:
    """GS-77."""
    log: Log = []
    p = await Source.start(log, 0, make=lambda: PartitionDispatcher(2))
    odd = await joined(await Sink.start(), p, partition=1, mode="manual")
    even = await joined(await Sink.start(), p, partition=0, mode="manual")
    even.ask(5)
    await settled()
    await emitted(p, 1, 3, 2)
    await p.call(Do(lambda stage: stage.queue_info("marker")))
    odd.ask(1)
    await settled()
    assert ("info", "marker") not in log
    odd.ask(1)
    await settled()
    assert log[-1] == ("info", "marker")


# ---------------------------------------------------------------------- facts


def facts_of(stage: Any) -> dict[str, Any]:
    (found,) = [one for one in snapshot().processes if one.pid == stage.pid.number]
    return dict(found.facts)


async def test_what_it_says_of_itself(node: Node) -> None:
    p = await Source.start()
    assert facts_of(p) == {}, "not used yet"
    await joined(await Sink.start(), p, max_demand=5)
    await emitted(p, *range(7))
    assert facts_of(p) == {"consumers": 1, "buffered": 0, "queued": 0, "unanswered demand": 5}
    q, b = await Source.start(), await Middle.start()
    assert facts_of(b) == {"producers": 0, "pending demand": 0, "waiting": 0}
    await joined(b, q, max_demand=2)
    await emitted(q, 1, 2)
    assert facts_of(b) == {
        "producers": 1, "pending demand": 2, "waiting": 1,
        "consumers": 0, "buffered": 0, "queued": 0, "unanswered demand": 0,
    }  # fmt: skip
