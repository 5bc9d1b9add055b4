from __future__ import annotations

import math

import pytest
import trio
import trio.testing
from hypothesis import given
from hypothesis import strategies as st

from examples.sitecheck.chaos import ALWAYS, cause_chaos, choose_victims
from runtime import is_alive, open_node, receive, spawn

OTHERS = ["reporter", "fetchers", "fetcher-1", "fetcher-2"]


@given(st.integers(2, 30), st.integers())
def test_the_store_and_the_frontier_are_among_the_victims(times: int, seed: int) -> None:
    victims = choose_victims(times, OTHERS, seed)
    assert len(victims) == times
    assert set(ALWAYS) <= set(victims) <= {*ALWAYS, *OTHERS}


def test_the_same_seed_is_the_same_chaos_and_another_is_another() -> None:
    assert choose_victims(9, OTHERS, 1) == choose_victims(9, OTHERS, 1)
    assert choose_victims(9, OTHERS, 1) != choose_victims(9, OTHERS, 2)


@pytest.mark.parametrize("times", [0, 1])
def test_a_little_chaos_is_possible(times: int) -> None:
    assert len(choose_victims(times, OTHERS, 0)) == times


async def test_victims_are_killed_one_after_the_other_and_who_is_not_there_is_spared(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async def idle() -> None:
        await receive(lambda message: False, timeout=math.inf)

    async with open_node(instruments=[]):
        started = trio.current_time()
        first, second = spawn(idle, name="first"), spawn(idle, name="second")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(cause_chaos, ["first", "nobody", "second"], 10.0)
            await trio.sleep(11)
            assert (is_alive(first), is_alive(second)) == (False, True)
        assert not is_alive(second)
        assert trio.current_time() - started == 30
