"""Which columns of a table a narrow screen has room for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

GAP: Final = 2
"""Between two columns."""


def columns_that_fit(widths: Mapping[str, int], spare: Sequence[str], width: int) -> list[str]:
    """The columns without as many of ``spare``, the first ones first, as are too much."""
    kept = list(widths)
    for name in spare:
        if sum(widths[one] for one in kept) + GAP * (len(kept) - 1) <= width:
            break
        kept.remove(name)
    return kept


def longest_that_fits(texts: Sequence[str], width: int) -> str:
    """The first one that has room, else the last. The longest stands first."""
    return next((text for text in texts if len(text) <= width), texts[-1])
