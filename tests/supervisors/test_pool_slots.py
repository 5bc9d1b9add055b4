"""Who gets which worker: the decision by itself, case by case."""

from __future__ import annotations

from typing import Any

import pytest

from supervisors.pool_slots import Ended, Lend, Make, Patience, Retire, Slots


class Desk:
    """Slots whose steps are carried out at once; workers are numbers, waiters are letters."""

    def __init__(self, size: int, max_overflow: int = 0, **options: Any) -> None:
        self.doomed: set[int] = set()
        self.gone: set[str] = set()
        self.made = 0
        self.slots: Slots[int, str] = Slots(
            size,
            max_overflow,
            usable=lambda worker: worker not in self.doomed,
            waits=lambda waiter: waiter not in self.gone,
            **options,
        )

    def go(self) -> list[str]:
        """What was done."""
        done: list[str] = []
        while (step := self.slots.next_step()) is not None:
            match step:
                case Lend():
                    done.append(f"lend {step.worker} to {step.waiter}")
                case Make():
                    done.append(f"make {self.made} for {step.waiter}")
                    self.slots.begin(self.made, step.waiter)
                    self.made += 1
                case Retire():
                    done.append(f"retire {step.worker}")
        return done

    def up(self, *workers: int) -> list[str]:
        """These have started."""
        done: list[str] = []
        for worker in workers:
            self.slots.came_up(worker)
            done += self.go()
        return done

    def ask(self, waiters: str) -> list[str]:
        """These want a worker."""
        done: list[str] = []
        for waiter in waiters:
            assert self.slots.ask(waiter)
            done += self.go()
        return done

    def back(self, worker: int) -> list[str]:
        """It was checked in."""
        self.slots.give_back(worker)
        return self.go()


def full_house(size: int, max_overflow: int = 0, **options: Any) -> Desk:
    """A desk whose core workers are up."""
    desk = Desk(size, max_overflow, **options)
    desk.go()
    desk.up(*range(size))
    return desk


def test_a_pool_makes_its_size_and_no_more() -> None:
    """PL-01."""
    desk = Desk(2, 1)
    assert desk.go() == ["make 0 for None", "make 1 for None"]
    assert desk.up(0, 1) == []
    assert (desk.slots.idle, desk.slots.overflow, desk.slots.state) == (2, 0, "ready")


def test_overflow_is_made_for_the_one_that_asks_and_retired_when_nobody_waits() -> None:
    """PL-02, PL-04: whichever comes back first, also a core one."""
    desk = full_house(2, 1)
    assert desk.ask("abc") == ["lend 1 to a", "lend 0 to b", "make 2 for c"]
    assert (desk.slots.overflow, desk.slots.state) == (1, "full")
    assert desk.up(2) == ["lend 2 to c"]
    assert desk.back(1) == ["retire 1"]
    assert desk.slots.ended(1) == Ended(again=False, tell=None)
    assert desk.back(0) == []
    assert desk.back(2) == []
    assert (desk.slots.idle, desk.slots.overflow, desk.slots.state) == (2, 0, "ready")


@pytest.mark.parametrize(("strategy", "order"), [("lifo", "2222"), ("fifo", "0120")])
def test_the_strategy_says_which_idle_one_is_next(strategy: str, order: str) -> None:
    """PL-16."""
    desk = full_house(3, strategy=strategy)
    for waiter, worker in zip("abcd", order, strict=True):
        assert desk.ask(waiter) == [f"lend {worker} to {waiter}"]
        desk.back(int(worker))


def test_waiters_are_served_in_the_order_of_asking() -> None:
    """PL-05."""
    desk = full_house(1)
    assert desk.ask("abcd") == ["lend 0 to a"]
    assert [desk.back(0) for _ in "bcd"] == [["lend 0 to b"], ["lend 0 to c"], ["lend 0 to d"]]


def test_one_who_has_left_is_skipped() -> None:
    """PL-06, PL-08."""
    desk = full_house(1)
    desk.ask("abcd")
    desk.slots.leave("b")
    desk.gone.add("c")
    assert desk.slots.waiting == 1
    assert desk.back(0) == ["lend 0 to d"]


def test_a_worker_made_for_one_goes_to_whoever_has_waited_longest() -> None:
    desk = full_house(1, 2)
    assert desk.ask("abc") == ["lend 0 to a", "make 1 for b", "make 2 for c"]
    assert desk.up(2) == ["lend 2 to b"]
    assert desk.back(0) == ["lend 0 to c"]
    assert desk.up(1) == ["retire 1"]


def test_one_that_is_still_starting_is_no_reason_to_end_one_that_is_there() -> None:
    desk = full_house(1, 1)
    assert desk.ask("ab") == ["lend 0 to a", "make 1 for b"]
    assert desk.back(0) == ["lend 0 to b"]
    assert desk.back(0) == []
    assert desk.up(1) == ["retire 1"]


def test_no_second_start_is_made_while_one_is_under_way_for_nobody() -> None:
    desk = full_house(1, 2)
    assert desk.ask("ab") == ["lend 0 to a", "make 1 for b"]
    desk.slots.leave("b")
    assert desk.ask("c") == []
    assert desk.up(1) == ["lend 1 to c"]


def test_a_start_is_made_for_the_first_in_line_that_has_none() -> None:
    desk = full_house(0, 2)
    assert desk.ask("abc") == ["make 0 for a", "make 1 for b"]
    assert desk.slots.ended(1) == Ended(again=False, tell="b")
    assert desk.go() == ["make 2 for c"]


def test_a_start_that_failed_for_one_who_was_served_meanwhile_is_made_for_the_next() -> None:
    desk = full_house(1, 1)
    assert desk.ask("abc") == ["lend 0 to a", "make 1 for b"]
    assert desk.back(0) == ["lend 0 to b"]
    assert desk.slots.ended(1) == Ended(again=False, tell=None)
    assert desk.go() == ["make 2 for c"]


@pytest.mark.parametrize(
    ("size", "max_overflow", "asking", "then"),
    [
        (1, 0, "", []),  # idle
        (1, 0, "a", []),  # PL-10: lent
        (1, 1, "abc", ["lend 0 to c"]),  # PL-12: somebody waits
        (0, 1, "ab", ["lend 0 to b"]),
    ],
)
def test_a_worker_that_ended_is_started_again_if_it_is_missed(
    size: int, max_overflow: int, asking: str, then: list[str]
) -> None:
    """PL-10, PL-12."""
    desk = full_house(size, max_overflow)
    desk.ask(asking)
    desk.up(*range(size, desk.made))
    assert desk.slots.ended(0) == Ended(again=True, tell=None)
    assert desk.slots.start_again(0)
    assert desk.up(0) == then


@pytest.mark.parametrize(("size", "asking"), [(1, "ab"), (0, "a")])
def test_a_worker_that_ended_in_overflow_while_nobody_waits_is_not_missed(
    size: int, asking: str
) -> None:
    """PL-11."""
    desk = full_house(size, 1)
    desk.ask(asking)
    desk.up(size)
    assert desk.slots.overflow == 1
    assert desk.slots.ended(0) == Ended(again=False, tell=None)
    assert desk.go() == []
    assert desk.slots.overflow == 0


def test_a_start_that_was_put_off_is_not_made_if_it_is_not_missed_any_more() -> None:
    desk = full_house(1, 1)
    desk.ask("a")
    assert desk.slots.ended(0) == Ended(again=True, tell=None)
    assert desk.ask("b") == ["make 1 for b"], "who asks does not wait for the backoff"
    assert desk.up(1) == ["lend 1 to b"]
    assert not desk.slots.start_again(0)
    assert desk.back(1) == []


def test_a_start_that_was_put_off_is_not_made_for_one_who_has_left() -> None:
    desk = full_house(0, 1)
    desk.ask("ab")
    desk.up(0)
    assert desk.slots.ended(0) == Ended(again=True, tell=None)
    desk.gone.add("b")
    assert not desk.slots.start_again(0)
    assert desk.go() == []


def test_a_failed_start_of_one_that_is_needed_anyway_is_tried_again() -> None:
    desk = full_house(1, 1)
    desk.ask("ab")
    assert desk.slots.ended(0) == Ended(again=False, tell=None), "the one for b is on its way"
    assert desk.slots.ended(1) == Ended(again=True, tell="b")


def test_one_that_is_about_to_end_is_lent_to_nobody() -> None:
    desk = full_house(2, strategy="fifo")
    desk.doomed.add(0)
    assert desk.ask("ab") == ["lend 1 to a"]
    assert desk.slots.ended(0) == Ended(again=True, tell=None)
    assert desk.slots.start_again(0)
    desk.doomed.clear()
    assert desk.up(0) == ["lend 0 to b"]


@pytest.mark.parametrize("strategy", ["lifo", "fifo"])
@pytest.mark.parametrize("doomed", [0, 1])
def test_one_that_is_about_to_end_is_not_counted_as_idle(strategy: Any, doomed: int) -> None:
    desk = full_house(2, strategy=strategy)
    desk.doomed.add(doomed)
    assert (desk.slots.state, desk.slots.idle) == ("ready", 1)


@pytest.mark.parametrize("strategy", ["lifo", "fifo"])
def test_one_that_is_about_to_end_is_not_retired_in_the_stead_of_another(strategy: Any) -> None:
    desk = full_house(1, 1, strategy=strategy)
    assert desk.ask("ab") == ["lend 0 to a", "make 1 for b"]
    desk.gone.add("b")
    assert desk.back(0) == []
    desk.doomed.add(1)
    assert desk.up(1) == ["retire 0"]
    assert desk.slots.ended(1) == Ended(again=True, tell=None)


def test_a_discarded_worker_keeps_its_slot_until_it_is_gone() -> None:
    desk = full_house(1)
    desk.ask("ab")
    desk.slots.discard(0)
    assert desk.go() == []
    assert desk.slots.state == "full"
    assert desk.slots.ended(0) == Ended(again=False, tell=None)
    assert desk.go() == ["make 1 for b"]
    assert desk.up(1) == ["lend 1 to b"]


@pytest.mark.parametrize(
    ("patience", "idle", "can_make", "under_way", "busy"),
    [
        ("queue", True, True, True, True),
        ("start", True, True, True, False),
        ("none", True, False, False, False),
    ],
)
def test_patience_says_what_one_waits_for(
    patience: Patience, idle: bool, can_make: bool, under_way: bool, busy: bool
) -> None:
    """PL-03."""
    assert full_house(1).slots.ask("x", patience) is idle
    desk = full_house(0, 1)
    assert desk.slots.ask("x", patience) is can_make
    desk = full_house(0, 1)
    desk.ask("a")
    desk.slots.leave("a")
    assert desk.slots.ask("x", patience) is under_way
    desk = full_house(1)
    desk.ask("a")
    assert desk.slots.ask("x", patience) is busy


def test_a_start_that_was_for_one_who_has_left_is_there_for_one_who_waits_for_no_more() -> None:
    """PL-03, PL-08."""
    desk = full_house(0, 1)
    desk.ask("a")
    assert not desk.slots.ask("b", "start")
    desk.gone.add("a")
    assert desk.slots.ask("b", "start")
    assert desk.up(0) == ["lend 0 to b"]


def test_the_queue_has_its_limit_and_those_with_a_start_of_their_own_are_not_in_it() -> None:
    desk = full_house(1, 1, max_queue=1)
    desk.ask("abc")
    assert desk.slots.waiting == 2
    assert not desk.slots.ask("d")
    desk.gone.add("c")
    assert desk.slots.ask("d"), "one who has left has no place"
    assert full_house(1, max_queue=0).slots.ask("a")
