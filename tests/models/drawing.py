"""How machines draw what they do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from hypothesis import strategies as st

T = TypeVar("T")


def often(weights: Sequence[tuple[int, st.SearchStrategy[T]]]) -> st.SearchStrategy[T]:
    """One of several, each so often: ``one_of`` knows no weights."""
    each = [strategy for weight, strategy in weights for _ in range(weight)]
    return st.sampled_from(range(len(each))).flatmap(lambda index: each[index])
