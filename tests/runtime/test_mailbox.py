"""The mailbox as data, and what its limit may be."""

from __future__ import annotations

import pytest

from runtime import Down, Exit, MailboxLimit, MonitorRef, Normal
from runtime.mailbox import Mailbox, is_droppable

SYSTEM = Down(MonitorRef(), None, Normal())


def filled(*messages: object, limit: MailboxLimit | None = None) -> Mailbox:
    mailbox = Mailbox(limit)
    for message in messages:
        mailbox.put(message)
    mailbox.system = sum(not is_droppable(message) for message in messages)
    return mailbox


def test_taking_one_leaves_the_others_in_order() -> None:
    """PROC-002."""
    mailbox = filled("a", "b", "c")
    assert mailbox.take(1) == "b"
    assert list(mailbox.items) == ["a", "c"]
    assert len(mailbox) == 2


def test_a_scan_gives_positions_from_where_it_starts() -> None:
    mailbox = filled("a", "b", "c")
    assert list(mailbox.scan(0)) == [(0, "a"), (1, "b"), (2, "c")]
    assert list(mailbox.scan(2)) == [(2, "c")]
    assert list(mailbox.scan(3)) == []


def test_an_item_that_has_moved_since_it_was_scanned_is_found() -> None:
    first, second = ["same"], ["same"]
    mailbox = filled("a", first, second)
    mailbox.remove(0)
    assert mailbox.take_item(2, second)
    assert len(mailbox) == 1
    assert mailbox.items[0] is first
    assert not mailbox.take_item(0, second)
    assert mailbox.take_item(0, first)
    assert not mailbox.take_item(0, first)


def test_a_scan_is_not_disturbed_by_what_arrives_meanwhile() -> None:
    mailbox = filled("a", "b")
    seen: list[object] = []
    for _, item in mailbox.scan(0):
        mailbox.put("more")
        seen.append(item)
    assert seen == ["a", "b"]


def test_removing_behind_a_readers_back_is_counted_taking_is_not() -> None:
    mailbox = filled("a", "b", "c")
    mailbox.take(0)
    assert mailbox.evicted == 0
    assert mailbox.remove(1) == "c"
    assert mailbox.evicted == 1


def test_without_a_limit_it_is_never_full() -> None:
    assert not filled(*range(10_000)).full


def test_it_is_full_at_its_limit() -> None:
    limit = MailboxLimit(2)
    assert not filled("a", limit=limit).full
    assert filled("a", "b", limit=limit).full
    assert filled("a", "b", "c", limit=limit).full


def test_the_runtimes_own_messages_do_not_count() -> None:
    limit = MailboxLimit(2)
    assert not filled(SYSTEM, SYSTEM, SYSTEM, "a", limit=limit).full
    mailbox = filled(SYSTEM, "a", SYSTEM, "b", limit=limit)
    assert mailbox.full
    mailbox.take(1)
    assert not mailbox.full
    mailbox.put("c")
    assert mailbox.full
    assert mailbox.system == 2


def test_the_oldest_of_a_user_is_evicted() -> None:
    mailbox = filled(SYSTEM, "a", "b")
    assert mailbox.evict_oldest() == "a"
    assert mailbox.evict_oldest() == "b"
    assert mailbox.evict_oldest() is None
    assert list(mailbox.items) == [SYSTEM]
    assert mailbox.evicted == 2


def test_what_the_runtime_sends_is_never_dropped() -> None:
    assert not is_droppable(SYSTEM)
    assert not is_droppable(Exit(None, Normal()))
    assert is_droppable("a")
    assert is_droppable(None)


@pytest.mark.parametrize("length", [0, -1, 1.5, "3", None, True])
def test_a_length_that_is_no_positive_int_is_refused(length: object) -> None:
    with pytest.raises(ValueError, match=r"^MailboxLimit.length: got .*, allowed is an int >= 1$"):
        MailboxLimit(length)  # type: ignore[arg-type]


@pytest.mark.parametrize("policy", ["drop", "", None, "RAISE"])
def test_a_policy_that_is_none_is_refused_with_the_allowed_ones(policy: object) -> None:
    says = r"^MailboxLimit.policy: got .*'raise', 'drop_newest', 'drop_oldest'$"
    with pytest.raises(ValueError, match=says):
        MailboxLimit(1, policy)  # type: ignore[arg-type]


def test_a_limit_is_a_value() -> None:
    assert MailboxLimit(5) == MailboxLimit(5, "raise")
    assert MailboxLimit(5, "drop_oldest") != MailboxLimit(5)
