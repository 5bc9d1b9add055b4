"""What follows when a child ends: pure functions, against tables and an independent model."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime import Crashed, ExitReason, Killed, NoProcess, Normal, Restart, Shutdown
from supervisors import AutoShutdown, Strategy
from supervisors.strategies import (
    check_auto_shutdown,
    check_strategy,
    is_restarted,
    restart_group,
    shuts_down,
)

CLEAN: list[ExitReason] = [Normal(), Shutdown(), Shutdown("x"), Shutdown(detail=("a", 1))]
UNCLEAN: list[ExitReason] = [
    "boom",
    Killed(),
    NoProcess(),
    Crashed(ValueError("boom")),
    0,
    "normal",
    "shutdown",
    ("shutdown", "x"),
]


@pytest.mark.parametrize("reason", [*CLEAN, *UNCLEAN])
def test_a_permanent_child_is_always_restarted(reason: ExitReason) -> None:
    """SUP-024."""
    assert is_restarted("permanent", reason)


@pytest.mark.parametrize("reason", CLEAN)
def test_a_transient_child_that_ended_clean_is_not_restarted(reason: ExitReason) -> None:
    """SUP-025."""
    assert not is_restarted("transient", reason)


@pytest.mark.parametrize("reason", UNCLEAN)
def test_a_transient_child_that_did_not_is_restarted(reason: ExitReason) -> None:
    """SUP-026: a value of the user's own is never clean, whatever it says."""
    assert is_restarted("transient", reason)


@pytest.mark.parametrize("reason", [*CLEAN, *UNCLEAN])
def test_a_temporary_child_is_never_restarted(reason: ExitReason) -> None:
    """SUP-027."""
    assert not is_restarted("temporary", reason)


@pytest.mark.parametrize(
    ("strategy", "ended", "group"),
    [
        ("one_for_one", "a", "a"),
        ("one_for_one", "c", "c"),
        ("one_for_all", "a", "abcd"),
        ("one_for_all", "c", "abcd"),
        ("rest_for_one", "a", "abcd"),
        ("rest_for_one", "b", "bcd"),
        ("rest_for_one", "d", "d"),
    ],
)
def test_who_is_restarted_together(strategy: Strategy, ended: str, group: str) -> None:
    """SUP-020 to SUP-023: in start order."""
    assert list(restart_group(strategy, list("abcd"), ended)) == list(group)


@given(
    st.sampled_from(get_args(Strategy)),
    st.lists(st.one_of(st.integers(), st.text()), min_size=1, unique=True),
    st.data(),
)
def test_the_group_agrees_with_its_definition(
    strategy: Strategy, ids: list[Hashable], data: st.DataObject
) -> None:
    """A child belongs to the group if the strategy's sentence says so of it."""
    ended = data.draw(st.sampled_from(ids))
    position = {one: at for at, one in enumerate(ids)}
    belongs: Callable[[Hashable], bool] = {
        "one_for_one": lambda one: one == ended,
        "one_for_all": lambda one: one in position,
        "rest_for_one": lambda one: position[one] >= position[ended],
    }[strategy]
    group = list(restart_group(strategy, ids, ended))
    assert group == [one for one in ids if belongs(one)]


@pytest.mark.parametrize(
    ("auto_shutdown", "significant", "others_alive", "expected"),
    [
        ("never", True, False, False),
        ("never", True, True, False),
        ("never", False, False, False),
        ("any_significant", True, True, True),
        ("any_significant", True, False, True),
        ("any_significant", False, False, False),
        ("any_significant", False, True, False),
        ("all_significant", True, True, False),
        ("all_significant", True, False, True),
        ("all_significant", False, False, False),
        ("all_significant", False, True, False),
    ],
)
def test_when_a_childs_end_ends_the_supervisor(
    auto_shutdown: AutoShutdown, significant: bool, others_alive: bool, expected: bool
) -> None:
    """SUP-082 to SUP-088."""
    answer = shuts_down(auto_shutdown, significant=significant, others_alive=others_alive)
    assert answer is expected


@given(
    st.sampled_from(get_args(AutoShutdown)),
    st.lists(st.booleans(), min_size=1, max_size=8),
    st.data(),
)
def test_a_whole_run_of_ends_stops_where_the_model_says(
    auto_shutdown: AutoShutdown, significant: list[bool], data: st.DataObject
) -> None:
    """Children end one after the other; the model counts the significant ones."""
    order = data.draw(st.permutations(range(len(significant))))
    total = sum(significant)
    goal = {"never": None, "any_significant": 1, "all_significant": total}[auto_shutdown]
    alive = set(order)
    ended = 0
    for one in order:
        alive.discard(one)
        ended += significant[one]
        stops = shuts_down(
            auto_shutdown,
            significant=significant[one],
            others_alive=any(significant[other] for other in alive),
        )
        assert stops is (significant[one] and goal is not None and ended >= goal)
        if stops:
            break


@pytest.mark.parametrize("strategy", get_args(Strategy))
def test_a_strategy_is_one_of_three(strategy: str) -> None:
    check_strategy(strategy)


@pytest.mark.parametrize(
    "value", ["simple_one_for_one", "", None, 1, ["one_for_one"], "ONE_FOR_ONE"]
)
def test_another_strategy_is_refused(value: Any) -> None:
    """SUP-013."""
    with pytest.raises(ValueError, match="strategy: got ") as caught:
        check_strategy(value)
    assert str(caught.value) == (
        f"strategy: got {value!r}, allowed are 'one_for_one', 'one_for_all', 'rest_for_one'"
    )


@pytest.mark.parametrize("value", get_args(AutoShutdown))
def test_an_auto_shutdown_is_one_of_three(value: str) -> None:
    check_auto_shutdown(value)


@pytest.mark.parametrize("value", ["always", "", None, True, "any"])
def test_another_auto_shutdown_is_refused(value: Any) -> None:
    """SUP-013."""
    with pytest.raises(ValueError, match="auto_shutdown: got ") as caught:
        check_auto_shutdown(value)
    assert str(caught.value) == (
        f"auto_shutdown: got {value!r}, allowed are 'never', 'any_significant', 'all_significant'"
    )


def test_every_restart_type_is_decided() -> None:
    assert {one: is_restarted(one, "boom") for one in get_args(Restart)} == {
        "permanent": True,
        "transient": True,
        "temporary": False,
    }
