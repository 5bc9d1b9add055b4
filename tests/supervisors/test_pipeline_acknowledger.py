"""One call for each acknowledger and reference; one that raises harms nobody."""

from __future__ import annotations

from typing import Any, TypeAlias

import trio
from hypothesis import given
from hypothesis import strategies as st

from runtime import AcknowledgerFailed, Crashed, Node, Normal, open_node, spawn, wait_exit
from supervisors.pipeline.acknowledger import ack, ack_groups, give_back
from supervisors.pipeline.message import UNACKNOWLEDGED, Acknowledger, Message
from tests.conftest import Recorder
from tests.support import in_process

Messages: TypeAlias = list[Message[Any]]


class Writer(Acknowledger):
    """Writes down what it is told."""

    def __init__(self, name: str, log: list[object]) -> None:
        self.name, self.log = name, log

    def __repr__(self) -> str:
        return self.name

    def ack(self, reference: Any, successful: Messages, failed: Messages) -> None:
        self.log.append((self.name, reference, data_of(successful), data_of(failed)))

    def give_back(self, reference: Any, messages: Messages) -> None:
        self.log.append((self.name, reference, "back", data_of(messages)))


class Slow(Writer):
    """Takes a second, as a source does that writes to a disk."""

    async def ack(  # type: ignore[override]
        self, reference: Any, successful: Messages, failed: Messages
    ) -> None:
        await trio.sleep(1)
        super().ack(reference, successful, failed)


class Broken(Writer):
    """Raises."""

    def ack(self, reference: Any, successful: Messages, failed: Messages) -> None:
        raise ERROR

    async def give_back(self, reference: Any, messages: Messages) -> None:  # type: ignore[override]
        raise ERROR


ERROR = OSError("disk full")


async def acknowledge(successful: Messages, failed: Messages) -> list[bool]:
    return [await ack(group) for group in ack_groups(successful, failed)]


async def give_all_back(messages: Messages) -> list[bool]:
    return [await give_back(group) for group in ack_groups(messages, [])]


def data_of(messages: Messages) -> str:
    return "".join(message.data for message in messages)


async def test_the_groups_keep_the_order_within_and_come_as_they_first_do() -> None:
    log: list[object] = []
    one, two = Writer("one", log), Writer("two", log)
    a, b, c, d = (Message(data, one, 1) for data in "abcd")
    e, f = Message("e", one, 2), Message("f", two, 1)
    assert await acknowledge([b, f, a], [d, e, c, Message("g")]) == [True] * 3
    assert log == [("one", 1, "ba", "dc"), ("two", 1, "f", ""), ("one", 2, "", "e")]


async def test_an_acknowledger_may_take_its_time() -> None:
    log: list[object] = []
    slow, quick = Slow("slow", log), Writer("quick", log)
    await acknowledge([Message("a", slow), Message("b", quick)], [])
    assert trio.current_time() == 1
    assert log == [("slow", None, "a", ""), ("quick", None, "b", "")]


async def test_messages_are_given_back_in_the_same_groups() -> None:
    log: list[object] = []
    one = Writer("one", log)
    await give_all_back([Message("a", one, 1), Message("b", one, 2), Message("c", one, 1)])
    assert log == [("one", 1, "back", "ac"), ("one", 2, "back", "b")]


async def test_one_that_raises_is_told_of_and_keeps_nobody_from_being_told(
    node: Node, events: Recorder
) -> None:
    log: list[object] = []
    broken, fine = Broken("broken", log), Writer("fine", log)

    async def stage() -> None:
        told = await acknowledge(
            [Message("a", broken, 1)], [Message("b", broken, 1), Message("c", fine)]
        )
        back = await give_all_back([Message("d", broken, 2), Message("e", fine)])
        assert (told, back) == ([False, True], [False, True])

    pid = spawn(stage)
    assert await wait_exit(pid) == Normal()
    assert log == [("fine", None, "", "c"), ("fine", None, "back", "e")]
    assert events.of(AcknowledgerFailed) == [
        AcknowledgerFailed(pid, "broken", "1", 2, Crashed(ERROR)),
        AcknowledgerFailed(pid, "broken", "2", 1, Crashed(ERROR)),
    ]


async def test_nobody_listens() -> None:
    async with open_node(instruments=[]):
        failing = Message("a", Broken("broken", []))
        assert await in_process(lambda: acknowledge([failing], [])) == [False]


async def test_a_cancelled_stage_tells_nobody_else() -> None:
    log: list[object] = []
    with trio.move_on_after(0.5):
        await acknowledge([Message("a", Slow("slow", log)), Message("b", Writer("w", log))], [])
    assert log == []


async def test_what_cannot_be_hashed_is_told_apart_by_identity() -> None:
    class Equal(Writer):
        def __eq__(self, other: object) -> bool:
            return True

        __hash__ = None  # type: ignore[assignment]

    log: list[object] = []
    one, two = Equal("one", log), Equal("two", log)
    shared: Any = ["shared"]
    own: Any = ["shared"]
    a, b = Message("a", one, shared), Message("b", two, 1)
    c, d = Message("c", one, shared), Message("d", one, own)
    await acknowledge([a, b], [c, d])
    assert log == [
        ("one", ["shared"], "a", "c"),
        ("two", 1, "b", ""),
        ("one", ["shared"], "", "d"),
    ]


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), st.booleans())))
def test_every_message_is_in_one_group_and_in_order(
    choices: list[tuple[int, int, bool]],
) -> None:
    writers: list[Acknowledger] = [Writer("one", []), Writer("two", []), UNACKNOWLEDGED]
    messages: list[tuple[Message[Any], bool]] = [
        (Message(number, writers[writer], reference), good)
        for number, (writer, reference, good) in enumerate(choices)
    ]
    groups = ack_groups(
        [message for message, good in messages if good],
        [message for message, good in messages if not good],
    )
    assert len({(one.acknowledger, one.reference) for one in groups}) == len(groups)
    for group in groups:
        assert group.successful or group.failed
        for told, wanted in ((group.successful, True), (group.failed, False)):
            assert told == [
                message
                for message, good in messages
                if (message.acknowledger, message.reference, good)
                == (group.acknowledger, group.reference, wanted)
            ]
    counted = sum(len(one.successful) + len(one.failed) for one in groups)
    assert counted == sum(message.acknowledger is not UNACKNOWLEDGED for message, _ in messages)
