"""Which pages are worth asking for again."""

from __future__ import annotations

from examples.sitecheck.page import is_broken

DAY = 24 * 60 * 60.0
FRESH = 7 * DAY
BROKEN_FRESH = 3 * DAY


def is_due(now: float, status: int | None, checked_at: float | None) -> bool:
    """Whether a page is to be checked at ``now``.

    Yes if it never was (``checked_at`` is ``None``), if that was more than seven days ago, or if it
    was broken then and that was more than three days ago.
    """
    if checked_at is None:
        return True
    age = now - checked_at
    return age > (BROKEN_FRESH if is_broken(status) else FRESH)
