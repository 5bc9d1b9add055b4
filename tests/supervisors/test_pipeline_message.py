"""A message never changes, and what is made of it is still the same message."""

from __future__ import annotations

from typing import Any

import pytest

from supervisors.pipeline.holding import Holding
from supervisors.pipeline.message import (
    DEFAULT_BATCHER,
    DEFAULT_KEY,
    UNACKNOWLEDGED,
    Acknowledger,
    Message,
)


class Rows(Acknowledger):
    """Takes options."""

    def ack(
        self, reference: int, successful: list[Message[Any]], failed: list[Message[Any]]
    ) -> None: ...

    def configure(self, reference: int, receipt: int, options: object) -> tuple[int, int, object]:
        return reference, receipt, options


class Plain(Acknowledger):
    """Takes none, and gets back what it has sent without being asked."""

    def ack(
        self, reference: object, successful: list[Message[Any]], failed: list[Message[Any]]
    ) -> None: ...


def test_a_message_as_the_source_made_it() -> None:
    message = Message("a")
    assert (message.data, message.failure, message.is_flush) == ("a", None, False)
    assert (message.batcher, message.batch_key) == (DEFAULT_BATCHER, DEFAULT_KEY)
    assert (message.acknowledger, message.reference) == (UNACKNOWLEDGED, None)
    assert message.receipt is None
    assert dict(message.metadata) == {}


def test_every_message_has_an_identity_of_its_own_that_its_copies_keep() -> None:
    rows = Rows()
    message = Message("a", rows, 7, 1, {"line": 3})
    other = Message("a", rows, 7, 1, {"line": 3})
    copies = [
        message.replace(1),
        message.with_metadata(line=4),
        message.fail("no"),
        message.to_batcher("sql"),
        message.batch_by("k"),
        message.flush(),
        message.configure_ack(retry=True),
        message.with_acknowledger(UNACKNOWLEDGED),
    ]
    assert {one.holding for one in copies} == {message.holding}
    assert other.holding is not message.holding
    assert message != other
    assert message != message.flush()
    assert len({message, other, message}) == 2
    assert (message.data, message.failure, message.batcher) == ("a", None, DEFAULT_BATCHER)
    assert (message.is_flush, message.metadata, message.receipt) == (False, {"line": 3}, 1)


def test_other_data_keeps_the_rest() -> None:
    message = Message("a", Rows(), 7, 1, {"line": 3}).to_batcher("sql").batch_by(1).flush()
    changed = message.replace(b"b")
    assert (changed.data, changed.reference, changed.receipt) == (b"b", 7, 1)
    assert (changed.batcher, changed.batch_key, changed.is_flush) == ("sql", 1, True)
    assert changed.metadata == {"line": 3}


def test_metadata_are_added() -> None:
    message = Message("a", metadata={"line": 3})
    assert message.with_metadata(file="f").metadata == {"line": 3, "file": "f"}
    assert message.with_metadata(line=4).metadata == {"line": 4}


def test_a_failed_message_says_why() -> None:
    error = ValueError("no")
    failed = Message("a").fail("too old")
    assert failed.failure == "too old"
    assert failed.fail(error).failure is error
    with pytest.raises(TypeError, match=r"^reason: got None, allowed is what says why"):
        failed.fail(None)


def test_a_batcher_has_a_name_and_a_key_can_be_hashed() -> None:
    with pytest.raises(TypeError, match=r"^batcher: got 1, allowed is a name of a batcher$"):
        Message("a").to_batcher(1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    with pytest.raises(TypeError, match=r"^key: got \[\], allowed is what can be hashed$"):
        Message("a").batch_by([])  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def test_options_go_to_the_acknowledger_which_may_have_none() -> None:
    configured = Message("a", Rows(), 7, 1).configure_ack(retry=2)
    assert (configured.reference, configured.receipt) == (7, (7, 1, {"retry": 2}))
    with pytest.raises(TypeError, match=r"^Plain has no options: its class defines no configure"):
        Message("a", Plain()).configure_ack(retry=2)


def test_what_a_source_need_not_say() -> None:
    assert Plain().give_back(None, [Message("a")]) is None
    told = UNACKNOWLEDGED.ack(None, [Message("a")], [])  # type: ignore[func-returns-value]
    assert told is None


def test_a_message_sent_again_or_to_a_group_is_another_one() -> None:
    message = Message("a", Rows(), 7, 1).batch_by("k")
    again, of_group = message.anew(), message.anew(message.holding)
    assert len({message.holding, again.holding, of_group.holding}) == 3
    assert (again.holding.whole, of_group.holding.whole) == (None, message.holding)
    assert isinstance(again.holding, Holding)
    assert (again.data, again.acknowledger, again.receipt) == ("a", message.acknowledger, 1)
    assert of_group.batch_key == "k"


def test_a_message_is_shown_by_what_is_not_as_ever() -> None:
    assert repr(Message("a")) == "<Message 'a'>"
    assert repr(Message("a").fail(ValueError("no"))) == "<Message 'a', failed: ValueError('no')>"
