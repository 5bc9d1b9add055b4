"""What becomes of messages after the callbacks: ``handle_failed`` and acknowledgements."""

from __future__ import annotations

from typing import Any

import pytest
import trio

from runtime import AcknowledgerFailed, CallbackFailed, Crashed, Killed, Node, Normal
from supervisors.pipeline.message import Message
from supervisors.pipeline.pipeline import Pipeline
from supervisors.pipeline.work import all_failed, failure_of, parted
from tests.conftest import Recorder
from tests.supervisors.pipeline_parts import Listed, Messages, Running, Told, message


class Failing(Pipeline[int]):
    """Every message fails; ``failed`` is what ``handle_failed`` does with them."""

    def __init__(self, failed: Any) -> None:
        self.failed = failed
        self.log: list[list[int]] = []

    def handle_message(self, message: Message[int]) -> Message[Any]:
        return message.fail(f"{message.data}") if message.data > 0 else message

    def handle_failed(self, messages: Messages) -> Any:
        self.log.append([one.data for one in messages])
        return self.failed(messages)


async def ran(pipeline: Pipeline[int], *items: int) -> Running:
    run = await Running(items, pipeline=pipeline).start()
    await run.settle()
    await run.stop()
    return run


async def test_handle_failed_is_called_once_with_all_that_failed_and_never_with_none(
    node: Node,
) -> None:
    """BW-27."""
    pipeline = Failing(lambda messages: messages)
    run = await ran(pipeline, 1, 0, 2)
    assert pipeline.log == [[1, 2]]
    assert run.told.log == [("ok", [0]), ("failed", [1, 2])]
    pipeline.log.clear()
    await ran(pipeline, 0, 0)
    assert pipeline.log == []


async def test_the_acknowledger_sees_what_handle_failed_made_of_them_still_failed(
    node: Node,
) -> None:
    """BW-28, BW-30."""
    seen: list[Message[Any]] = []

    class Seeing(Told):
        def ack(self, reference: object, successful: Messages, failed: Messages) -> None:
            seen.extend(failed)

    pipeline = Failing(lambda messages: [one.replace(f"was {one.data}") for one in messages])
    run = await Running([1], pipeline=pipeline, told=Seeing()).start()
    await run.settle()
    await run.stop()
    assert [(one.data, one.failure) for one in seen] == [("was 1", "1")]


@pytest.mark.parametrize("wrong", ["raise", "none", "fewer"])
async def test_a_wrong_handle_failed_is_told_and_changes_nothing(
    wrong: str, node: Node, events: Recorder
) -> None:
    """BW-29, BW-31."""

    def failed(messages: Messages) -> Any:
        if wrong == "raise":
            raise ValueError(wrong)
        return None if wrong == "none" else messages[1:]

    run = await ran(Failing(failed), 1, 2)
    assert run.told.log == [("failed", [1, 2])]
    assert run.told.failures == {1: "1", 2: "2"}
    (told,) = events.of(CallbackFailed)
    assert (told.callback, told.messages) == ("handle_failed", 2)


async def test_an_acknowledger_that_raises_harms_no_stage_and_gets_its_messages_back(
    node: Node, events: Recorder
) -> None:
    """BW-46."""

    class Raising(Told):
        def ack(self, reference: object, successful: Messages, failed: Messages) -> None:
            raise OSError("full")

    raising, run = Raising(), Running([1, 2])
    other = run.told

    class Both(Listed):
        def handle_demand(self, demand: int) -> list[Message[Any]]:
            items, self.items[:demand] = self.items[:demand], []
            return [message(one, raising if one == 1 else other) for one in items]

    run.source = lambda index: Both(run.items, other)  # type: ignore[method-assign]
    await run.start()
    await run.settle()
    assert other.log == [("ok", [2])]
    assert raising.log == [("back", [1])]
    (failed,) = events.of(AcknowledgerFailed)
    assert failed.messages == 1
    assert await run.ref.all_running()
    await run.stop()


async def test_a_slow_acknowledger_holds_its_stage_up(node: Node) -> None:
    """BW-49."""

    class Slow(Told):
        async def ack(  # type: ignore[override]
            self, reference: object, successful: Messages, failed: Messages
        ) -> None:
            await trio.sleep(10)
            super().ack(reference, successful, failed)

    told = Slow()
    run = await Running(range(100), told=told).start()
    await run.settle()
    assert len(run.items) == 90
    await run.after(10)
    assert len(told.of("ok")) == 5
    await run.stop()


async def test_messages_nobody_wants_told_of_are_done_with_too(node: Node) -> None:
    run = Running()

    class Plain(Listed):
        def init(self) -> None:
            self.emit([Message(1), Message(2)])

    run.source = lambda index: Plain([], run.told)  # type: ignore[method-assign]
    await run.start()
    await run.settle()
    statistics = await run.ref.statistics()
    assert (statistics.successful, statistics.under_way) == (2, 0)
    await run.stop()


def test_the_failure_of_a_message_is_the_exception_where_there_is_one() -> None:
    error = ValueError()
    assert failure_of(Crashed(error)) is error
    assert failure_of(Killed()) == Killed()
    one, other = Message(1), Message(2).fail("before")
    assert [each.failure for each in all_failed([one, other], Crashed(error))] == [error, "before"]
    assert [each.failure for each in all_failed([one], Normal())] == [Normal()]
    assert parted([other, one]) == ([one], [other])
