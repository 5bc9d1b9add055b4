"""What the scenarios of AGT share: plain functions on a state."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import trio
import trio.testing

BOOM = ValueError("boom")


def number(first: int = 0) -> int:
    """A first state."""
    return first


def same(state: Any) -> Any:
    """Read the state."""
    return state


def add(state: int, by: int = 1) -> int:
    """The next state."""
    return state + by


def boom(*_: object) -> Any:
    """A function with a bug."""
    raise BOOM


def never(*_: object) -> Any:
    """For what must not run."""
    raise AssertionError("called")


def in_a_minute(fn: Callable[[int], int]) -> Callable[[int], int]:
    """``fn``, taking a minute in which nothing else runs, as a plain function that is slow does."""
    clock = trio.lowlevel.current_clock()
    assert isinstance(clock, trio.testing.MockClock)
    jump = clock.jump

    def slow(state: int) -> int:
        jump(60)
        return fn(state)

    return slow
