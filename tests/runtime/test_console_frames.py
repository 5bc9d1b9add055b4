"""``console.frames``: every frame goes over and comes back as it was."""

from __future__ import annotations

from typing import get_args

import msgspec
import pytest

from runtime.console.frames import (
    Act,
    Answer,
    AskCrashes,
    AskInfo,
    AskStack,
    AskTop,
    AskTree,
    Complete,
    Completions,
    Done,
    Evaluate,
    Failed,
    Frame,
    Goodbye,
    Hello,
    Interrupt,
    Output,
    Refused,
    StopTop,
    ToClient,
    ToService,
    Welcome,
)

REQUESTS: list[Frame] = [
    Hello(1, 2), Evaluate(1, "x"), Interrupt(1), Complete(2, "x"), AskTree(3),
    AskTop(4, "cpu", 5, "find"), StopTop(5), AskInfo(6, "x"), AskStack(7), AskCrashes(8, 9),
    Act(9, "kill", "x"),
]  # fmt: skip

ANSWERS: list[Frame] = [
    Welcome(1, "shop", 2, "3.11", 1.5), Output(1, "x"), Done(1, None), Done(1, "x"),
    Failed(1, "kind", "text"), Completions(1, ("a", "b")), Refused("why"), Goodbye("why"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("frame", "kind"),
    [*((one, ToService) for one in REQUESTS), *((one, ToClient) for one in ANSWERS)],
)
def test_a_frame_comes_back_as_it_was(frame: Frame, kind: object) -> None:
    encoded = msgspec.msgpack.encode(frame)
    assert msgspec.msgpack.Decoder[object](kind).decode(encoded) == frame


def test_every_frame_was_tried() -> None:
    assert {type(one) for one in REQUESTS} == set(get_args(ToService))
    assert {type(one) for one in ANSWERS} | {Answer} == set(get_args(ToClient))


def test_an_answer_carries_a_value_of_its_own() -> None:
    raw = msgspec.Raw(msgspec.msgpack.encode([1, "x"]))
    encoded = msgspec.msgpack.encode(Answer(1, raw))
    answer = msgspec.msgpack.Decoder[ToClient](ToClient).decode(encoded)
    assert isinstance(answer, Answer)
    assert msgspec.msgpack.decode(answer.data) == [1, "x"]


def test_an_unknown_action_is_refused() -> None:
    encoded = msgspec.msgpack.encode({"is": "act", "id": 1, "action": "explode", "target": "x"})
    with pytest.raises(msgspec.ValidationError):
        msgspec.msgpack.Decoder[ToService](ToService).decode(encoded)
