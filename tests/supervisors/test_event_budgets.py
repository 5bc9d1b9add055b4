"""The account of a consumer supervisor, without a process."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from runtime.pid import Pid
from runtime.stages import Subscription, SubscriptionOptions
from supervisors.event_budgets import EventBudgets


def subscription(max_demand: int, min_demand: int) -> Subscription:
    pid = object.__new__(Pid)
    return Subscription(pid, pid, SubscriptionOptions(max_demand, min_demand))


def test_it_asks_for_all_at_first_and_again_for_as_many_as_are_done() -> None:
    budgets, one = EventBudgets(), subscription(4, 2)
    assert budgets.open(one) == 4
    assert budgets.arrived(one, 4) == 0
    assert [budgets.done(one) for _ in range(4)] == [0, 2, 0, 2]
    assert budgets.under_way == 0


def test_with_a_min_demand_of_none_each_is_asked_for_at_once() -> None:
    budgets, one = EventBudgets(), subscription(2, 0)
    budgets.open(one)
    budgets.arrived(one, 2)
    assert [budgets.done(one), budgets.done(one)] == [1, 1]


def test_those_that_are_done_together_are_asked_for_together() -> None:
    budgets, one = EventBudgets(), subscription(9, 4)
    budgets.open(one)
    budgets.arrived(one, 9)
    assert [budgets.done(one, 3), budgets.done(one, 3), budgets.done(one, 3)] == [0, 6, 0]


def test_what_was_not_asked_for_is_excess_once() -> None:
    budgets, one = EventBudgets(), subscription(3, 0)
    budgets.open(one)
    assert budgets.arrived(one, 5) == 2
    assert budgets.arrived(one, 1) == 1
    assert budgets.under_way == 6


def test_each_subscription_has_its_own_and_one_that_has_ended_has_none() -> None:
    budgets, one, two = EventBudgets(), subscription(2, 0), subscription(3, 0)
    assert (budgets.open(one), budgets.open(two)) == (2, 3)
    budgets.arrived(one, 2)
    budgets.arrived(two, 3)
    assert (len(budgets), budgets.under_way, set(budgets)) == (2, 5, {one, two})
    budgets.close(one)
    assert (budgets.done(one), budgets.arrived(one, 7)) == (0, 0)
    assert (budgets.done(two), budgets.under_way, len(budgets)) == (1, 2, 1)
    budgets.close(one)
    assert len(budgets) == 1


@given(
    st.integers(1, 20).flatmap(lambda top: st.tuples(st.just(top), st.integers(0, top - 1))),
    st.lists(st.integers(0, 30), max_size=60),
)
def test_there_is_never_more_under_way_than_may_be_and_nothing_is_forgotten(
    demand: tuple[int, int], draws: list[int]
) -> None:
    """Against a producer that sends anything up to what it was asked, and children that end."""
    budgets, one = EventBudgets(), subscription(*demand)
    open_asks, alive = budgets.open(one), 0
    for draw in draws:
        if draw % 2:
            count = min(open_asks, draw)
            assert budgets.arrived(one, count) == 0
            open_asks, alive = open_asks - count, alive + count
        elif alive:
            open_asks, alive = open_asks + budgets.done(one), alive - 1
        assert budgets.under_way == alive
        assert 0 <= open_asks + alive <= one.max_demand
        assert one.max_demand - open_asks - alive <= max(0, one.min_demand - 1)
