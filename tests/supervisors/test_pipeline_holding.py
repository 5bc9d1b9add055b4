"""A holding: what all copies of a message share."""

from __future__ import annotations

from supervisors.pipeline.holding import Holding
from supervisors.pipeline.message import Message


def test_it_is_equal_only_to_itself_and_begins_with_nobody() -> None:
    one, other = Holding(), Holding()
    assert one != other
    assert len({one, other, one}) == 2
    assert (one.holder, one.outcome, one.original, one.whole) == (None, None, None, None)
    assert (one.undelivered, one.unfinished, one.worst, one.failure) == (0, 0, "successful", None)


def test_all_copies_of_a_message_share_one() -> None:
    message = Message(1)
    assert message.replace("one").fail("no").holding is message.holding
    assert message.anew(message.holding).holding.whole is message.holding
