"""Whether there is room for other people's code on the stack of whoever is running."""

from __future__ import annotations

import sys


def has_room() -> bool:
    """Whether half of the stack is free; costs as much as there are frames already."""
    try:
        sys._getframe(sys.getrecursionlimit() // 2)
    except ValueError:
        return True
    return False
