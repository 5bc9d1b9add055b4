"""What a callback returned, against what it was given: nothing is lost, nothing comes twice."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime import BadResult
from supervisors.pipeline.checking import (
    checked_batch,
    checked_chunk,
    checked_failed,
    checked_message,
)
from supervisors.pipeline.message import AnyMessage, Message

A, B, C = (Message(letter) for letter in "abc")
GIVEN = [A, B, C]
ALLOWED = "a list of the messages it was given, each once, perhaps changed"
WRONG: dict[str, object] = {
    "nothing": None,
    "no list": {A, B, C},
    "no messages": [1, 2, 3],
    "a foreign one": [A, B, Message("c")],
    "one twice": [A, B, C, B.flush()],
    "one anew": [A, B, C.anew()],
}


def said(message: AnyMessage) -> str:
    assert isinstance(message.failure, BadResult)
    return str(message.failure)


def test_a_message_comes_back_as_it_was_changed() -> None:
    changed = A.replace(1).flush()
    assert checked_message("handle_message", A, changed, ()) is changed
    assert checked_message("handle_message", A, changed, {"default"}) is changed


@pytest.mark.parametrize("returned", [None, "a", B, [A], A.anew()])
def test_another_message_is_no_result(returned: object) -> None:
    message = checked_message("handle_message", A, returned, ())
    assert message.holding is A.holding
    assert said(message) == (
        f"handle_message returned {returned!r}, allowed is the message it was given, "
        "perhaps changed by the message's methods"
    )
    assert isinstance(message.failure, BadResult)
    assert message.failure.value is returned


def test_a_message_goes_to_a_batcher_that_is_there() -> None:
    lost = checked_message("handle_message", A, A.replace(1).to_batcher("b"), ["sql", "mail"])
    assert said(lost) == "handle_message: got the batcher 'b', allowed are 'mail', 'sql'"
    assert lost.data == 1
    failed = A.to_batcher("b").fail("no")
    assert checked_message("handle_message", A, failed, ["sql"]) is failed


def test_a_chunk_comes_back_in_any_order() -> None:
    changed = [C.flush(), A, B.fail("no")]
    assert checked_chunk("prepare_messages", GIVEN, changed) == changed
    assert checked_chunk("prepare_messages", GIVEN, tuple(changed)) == changed
    assert checked_chunk("prepare_messages", [], []) == []


@pytest.mark.parametrize("what", [*WRONG, "fewer"])
def test_a_chunk_that_is_not_whole_is_none(what: str) -> None:
    assert checked_chunk("prepare_messages", GIVEN, {**WRONG, "fewer": [A, B]}[what]) is None


def test_of_a_batch_what_is_missing_has_failed() -> None:
    changed = C.replace(3)
    first, second, third = checked_batch("handle_batch", GIVEN, [changed, A])
    assert (first, second) == (changed, A)
    assert third.holding is B.holding
    assert said(third) == f"handle_batch returned without this message, allowed is {ALLOWED}"
    assert checked_batch("handle_batch", GIVEN, [A, C, B]) == [A, C, B]


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_batch_has_failed_whole(what: str) -> None:
    batch = checked_batch("handle_batch", GIVEN, WRONG[what])
    assert [message.holding for message in batch] == [message.holding for message in GIVEN]
    for message in batch:
        assert said(message).startswith("handle_batch returned ")
        assert said(message).endswith(f", allowed is {ALLOWED}")


def test_failed_messages_may_be_rewritten_and_stay_failed_in_their_places() -> None:
    failed = [message.fail(message.data) for message in GIVEN]
    rewritten = [C.replace("C").fail("other"), failed[0].replace("A"), B.replace("B")]
    messages, wrong = checked_failed("handle_failed", failed, rewritten)
    assert wrong is None
    assert [(one.data, one.failure) for one in messages] == [
        ("A", "a"),
        ("B", "b"),
        ("C", "other"),
    ]


def test_failed_messages_that_are_missing_stay_as_they_were() -> None:
    failed = [message.fail(message.data) for message in GIVEN]
    messages, wrong = checked_failed("handle_failed", failed, [failed[1].replace("B")])
    assert [(one.data, one.failure) for one in messages] == [("a", "a"), ("B", "b"), ("c", "c")]
    assert isinstance(wrong, BadResult)
    assert str(wrong).startswith("handle_failed returned [<Message 'B', failed: 'b'>], allowed is")


@pytest.mark.parametrize("what", WRONG)
def test_failed_messages_stay_as_they_were_if_the_result_is_wrong(what: str) -> None:
    failed = [message.fail(message.data) for message in GIVEN]
    messages, wrong = checked_failed("handle_failed", failed, WRONG[what])
    assert messages == failed
    assert isinstance(wrong, BadResult)


@given(st.lists(st.integers(-2, 5), max_size=9))
def test_of_any_result_every_message_comes_once(picked: list[int]) -> None:
    failed = [message.fail(1) for message in (*GIVEN, Message("d"))]
    returned = [failed[one] if 0 <= one < 4 else Message(one) for one in picked]
    right = set(picked) <= {0, 1, 2, 3} and len(set(picked)) == len(picked)
    holdings = [message.holding for message in failed]
    batch = checked_batch("handle_batch", failed, returned)
    assert sorted(map(id, holdings)) == sorted(id(message.holding) for message in batch)
    again, wrong = checked_failed("handle_failed", failed, returned)
    assert [message.holding for message in again] == holdings
    whole = right and len(picked) == 4
    assert (wrong is None) == whole
    assert (checked_chunk("prepare_messages", failed, returned) is None) == (not whole)
