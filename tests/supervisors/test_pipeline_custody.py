"""Who holds which message, without any process."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime import Pid
from supervisors.pipeline.custody import Custody, MessageCounts
from supervisors.pipeline.message import AnyMessage, Message

SOURCE, STAGE, OTHER = (Pid(number, f"p{number}") for number in range(3))


def custody(groups: int = 1) -> Custody:
    made = Custody(groups)
    for holder in (SOURCE, STAGE, OTHER):
        made.began(holder)
    return made


def returned(held: Custody) -> list[Any]:
    return [message.data for message in held.returned.values()]


def of(*data: object) -> list[AnyMessage]:
    return [Message(one) for one in data]


def test_a_message_is_under_way_from_its_source_to_its_acknowledgement() -> None:
    held, (a, b) = custody(), of("a", "b")
    held.admit([a, b], SOURCE)
    assert held.under_way == held.held_by(SOURCE) == 2
    held.move([a.replace("A")], STAGE)
    assert (held.held_by(SOURCE), held.held_by(STAGE)) == (1, 1)
    assert held.finish([a], [b], STAGE) == ([a], [b])
    assert held.under_way == 2, "until the acknowledger has been told"
    held.settle([a], [b])
    assert held.under_way == 0
    assert not held.is_open(a)
    assert held.counts == MessageCounts(emitted=2, successful=1, failed=1)
    assert held.finish([a], [b], STAGE) == ([], []), "once is enough"
    held.settle([a], [b])
    assert held.counts == MessageCounts(emitted=2, successful=1, failed=1)


def test_what_a_stage_held_that_ends_is_given_back_as_it_left_its_source() -> None:
    held, (a, b, c) = custody(), of("a", "b", "c")
    told: list[int] = []
    held.on_return = lambda: told.append(len(held.returned))
    held.admit([a, b, c], SOURCE)
    held.move([a.replace("A"), b], STAGE)
    assert held.ended(OTHER) == 0
    assert held.ended(STAGE) == 2
    assert told == [2]
    assert returned(held) == ["a", "b"]
    assert all(message.holding is not a.holding for message in held.returned.values())
    assert held.counts.given_back == 2
    assert held.under_way == 1
    assert held.give_back([a.holding]) == 0, "once is enough"
    held.admit(list(held.returned.values()), SOURCE)
    assert held.under_way == 3


def test_what_is_delivered_to_a_stage_that_has_ended_is_given_back() -> None:
    held, (a,) = custody(), of("a")
    held.admit([a], SOURCE)
    held.ended(STAGE)
    held.move([a], STAGE)
    assert returned(held) == ["a"]


def test_a_message_can_be_emitted_once() -> None:
    held, (a,) = custody(), of("a")
    held.admit([a], SOURCE)
    with pytest.raises(ValueError, match="a second time, allowed is a new message"):
        held.admit([a.replace("b")], SOURCE)
    held.admit([a.anew()], SOURCE)
    assert held.counts.emitted == 2


def test_a_message_that_no_source_has_emitted_is_none_of_its_business() -> None:
    held, (a,) = custody(), of("a")
    assert held.finish([a], [], STAGE) == ([], [])
    held.settle([a], [])
    assert held.give_back([a.holding]) == 0
    assert held.counts == MessageCounts()


def test_what_its_acknowledger_does_not_take_is_given_back() -> None:
    held, (a,) = custody(), of("a")
    held.admit([a], SOURCE)
    held.refuse([a])
    assert returned(held) == ["a"]
    held.settle([a], [])
    assert held.counts == MessageCounts(emitted=1, given_back=1)


# ---------------------------------------------------------------------- several groups


def parted(held: Custody, message: AnyMessage, groups: int = 2) -> list[AnyMessage]:
    """Its parts, all of them with STAGE."""
    held.admit([message], SOURCE)
    lists = [[message] for _ in range(groups)]
    for one in lists:
        held.hand_out(one, STAGE)
    return [part for (part,) in lists]


def test_of_several_groups_the_last_one_acknowledges() -> None:
    held, (a,) = custody(2), of("a")
    one, other = parted(held, a)
    assert one.data == other.data == "a"
    assert held.under_way == 1
    assert (held.held_by(SOURCE), held.held_by(STAGE)) == (0, 2)
    assert held.finish([one], [], STAGE) == ([], [])
    assert held.finish([one], [], STAGE) == ([], [])
    assert held.finish([other], [], OTHER) == ([other], [])
    assert held.held_by(OTHER) == 1, "the message itself, until it is settled"
    held.settle([other], [])
    assert held.counts == MessageCounts(emitted=1, successful=1)
    assert held.under_way == 0


def test_a_part_that_failed_is_a_failure_of_the_whole() -> None:
    held, (a,) = custody(3), of("a")
    one, other, last = parted(held, a, 3)
    assert held.finish([], [one.fail("first")], STAGE) == ([], [])
    assert held.finish([], [other.fail("second")], STAGE) == ([], [])
    _, (failed,) = held.finish([last], [], STAGE)
    assert (failed.failure, failed.holding) == ("first", last.holding)


def test_a_part_that_is_lost_is_a_loss_of_the_whole_once_all_have_ended() -> None:
    held, (a, b) = custody(2), of("a", "b")
    one, other = parted(held, a)
    two, another = parted(held, b)
    held.move([one, another], OTHER)
    assert held.ended(OTHER) == 0
    assert held.under_way == 2
    assert held.finish([other], [], STAGE) == ([], [])
    assert returned(held) == ["a"]
    assert held.finish([], [two.fail("no")], STAGE) == ([], [])
    assert returned(held) == ["a", "b"]
    assert held.counts == MessageCounts(emitted=2, given_back=2)


def test_a_lost_part_that_is_the_last_gives_the_whole_back() -> None:
    held, (a,) = custody(2), of("a")
    one, _ = parted(held, a)
    held.finish([one], [], STAGE)
    assert held.ended(STAGE) == 1
    assert returned(held) == ["a"]


def test_a_message_whose_source_ends_before_all_groups_have_it_is_given_back_at_once() -> None:
    held, (a,) = custody(2), of("a")
    held.admit([a], SOURCE)
    part = [a]
    held.hand_out(part, STAGE)
    assert held.ended(SOURCE) == 1
    assert returned(held) == ["a"]
    assert held.finish(part, [], STAGE) == ([], []), "whatever becomes of its part"
    assert held.under_way == 0
    late = [a]
    held.hand_out(late, STAGE)
    assert held.ended(STAGE) == 0
    assert returned(held) == ["a"]


@given(
    st.integers(1, 3),
    st.lists(
        st.tuples(
            st.sampled_from(["ok", "failed", "refused", "killed", "interrupted"]),
            st.integers(0, 5),
            st.integers(0, 2),
        ),
        max_size=40,
    ),
)
def test_whatever_happens_each_message_has_one_end(
    groups: int, steps: list[tuple[str, int, int]]
) -> None:
    held, messages = Custody(groups), of(*range(6))
    ends: list[Any] = []
    stages = [[Pid(10 * group + index, "stage") for index in range(6)] for group in range(3)]
    held.began(SOURCE)
    held.admit(messages, SOURCE)
    parts: list[list[AnyMessage]] = [list(messages) for _ in range(groups)]
    for group in range(groups):
        for index, message in enumerate(parts[group]):
            held.began(stages[group][index])
            single = [message]
            if groups > 1:
                held.hand_out(single, stages[group][index])
            else:
                held.move(single, stages[group][index])
            parts[group][index] = single[0]
    for what, index, group in [*steps, *(("ok", one, two) for one in range(6) for two in range(3))]:
        if group >= groups:
            continue
        part, stage = parts[group][index], stages[group][index]
        if what == "killed":
            held.ended(stage)
            continue
        failed = [part.fail("no")] if what == "failed" else []
        due = held.finish([] if failed else [part], failed, stage)
        if what == "interrupted":
            held.ended(stage)
        elif what == "refused":
            held.refuse(due[0] + due[1])
        else:
            ends += [one.data for one in due[0] + due[1]]
            held.settle(*due)
    assert sorted([*ends, *returned(held)]) == list(range(6))
    assert held.under_way == 0
    counts = held.counts
    assert counts.successful + counts.failed + counts.given_back == counts.emitted == 6


def brought_to_its_end(held: Custody, message: AnyMessage, end: str, *, parted: bool) -> None:
    """In one group, or in all there are."""
    part = [message]
    if parted:
        held.hand_out(part, STAGE)
    if end == "settled":
        held.settle(*held.finish(part, [], STAGE))
    else:
        held.give_back([one.holding for one in part])


@pytest.mark.parametrize("groups", [1, 2])
def test_what_has_ended_leaves_no_cycle_behind(groups: int) -> None:
    held, gone = custody(groups), list[object]()
    gc.disable()
    try:
        for end in ("settled", "given back"):
            message: AnyMessage = Message(Custody())  # anything that can be watched
            weakref.finalize(message.data, gone.append, end)
            held.admit([message], SOURCE)
            for _ in range(groups):
                brought_to_its_end(held, message, end, parted=groups > 1)
            held.returned.clear()
            del message
        assert gone == ["settled", "given back"]
    finally:
        gc.enable()
