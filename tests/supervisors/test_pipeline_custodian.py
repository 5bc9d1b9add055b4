"""The custodian: giving back what stages leave behind."""

from __future__ import annotations

from typing import Any

import trio

from runtime import AcknowledgerFailed, MessagesGivenBack, Node, whereis
from supervisors.pipeline.declaration import Producers
from supervisors.pipeline.message import Message
from supervisors.pipeline.source import Source
from tests.conftest import Recorder
from tests.supervisors.pipeline_parts import Listed, Messages, Running, Told


async def for_ever(message: Message[Any]) -> Message[Any]:
    await trio.sleep_forever()
    raise AssertionError


async def test_what_a_killed_stage_held_is_given_back_in_one_call_and_told(
    node: Node, events: Recorder
) -> None:
    """BW-19."""
    run = await Running(range(3), for_ever).start(drain_timeout=0.0)
    await run.settle()
    await run.kill("processor_0")
    await run.settle()
    assert run.told.log == [("back", [0, 1, 2])]
    assert events.of(MessagesGivenBack) == [MessagesGivenBack("line", "line.processor_0", 3)]
    await run.stop()


async def test_a_source_may_emit_what_it_gets_back(node: Node) -> None:
    """They have holdings of their own."""

    class Again(Told):
        def __init__(self, items: list[Any]) -> None:
            super().__init__()
            self.items = items

        def give_back(self, reference: object, messages: Messages) -> None:
            super().give_back(reference, messages)
            self.items.extend(messages)

    async def first_never(message: Message[Any]) -> Message[Any]:
        return message if run.told.log else await for_ever(message)

    run = Running(range(3), first_never)
    run.told = Again(run.items)

    class Sending(Listed):
        def handle_demand(self, demand: int) -> Any:
            given = [
                one if isinstance(one, Message) else Message(one, self.told, None, one)
                for one in self.items
            ]
            self.items.clear()
            return given

    sending = Producers(lambda index: Sending(run.items, run.told))
    await run.start(producers=sending, drain_timeout=0.0)
    await run.settle()
    await run.kill("processor_0")
    await run.after(1)
    assert run.told.log == [("back", [0, 1, 2]), ("ok", [0, 1, 2])]
    await run.stop()


async def test_one_acknowledger_that_raises_keeps_no_other_from_being_told(
    node: Node, events: Recorder
) -> None:
    class Raising(Told):
        def give_back(self, reference: object, messages: Messages) -> None:
            raise OSError("gone")

    raising, other = Raising(), Told()

    class Two(Source[Any]):
        left = True

        def handle_demand(self, demand: int) -> list[Message[Any]]:
            left, self.left = self.left, False
            return [Message(1, raising), Message(2, other, None, 2), Message(3)] if left else []

    run = Running(handle=for_ever)
    await run.start(producers=Producers(lambda index: Two()), drain_timeout=0.0)
    await run.settle()
    await run.stop()
    assert other.log == [("back", [2])]
    (failed,) = events.of(AcknowledgerFailed)
    assert failed.messages == 1


async def test_a_successor_goes_on_where_one_was_killed(node: Node) -> None:
    class Slow(Told):
        async def give_back(  # type: ignore[override]
            self, reference: object, messages: Messages
        ) -> None:
            await trio.sleep(1)
            super().give_back(reference, messages)

    run = Running(range(3), for_ever)
    run.told = run.acknowledger = Slow()
    await run.start(drain_timeout=0.0)
    await run.settle()
    await run.kill("processor_0")
    await trio.sleep(0.5)
    await run.kill("custodian")
    await run.after(5)
    assert run.told.log == [("back", [0, 1, 2])]
    assert whereis("line.custodian") is not None
    assert (await run.ref.statistics()).given_back == 3
    await run.stop()
