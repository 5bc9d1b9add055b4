from __future__ import annotations

import pytest

from examples.sitecheck.recheck import DAY, is_due

NOW = 1_000 * DAY


def test_a_page_that_was_never_checked_is_due() -> None:
    assert is_due(NOW, None, None)


@pytest.mark.parametrize(
    ("status", "age_in_days", "due"),
    [
        (200, 0, False),
        (200, 3.1, False),
        (200, 7, False),
        (200, 7.1, True),
        (301, 3.1, False),
        (404, 0, False),
        (404, 3, False),
        (404, 3.1, True),
        (500, 3.1, True),
        (None, 2.9, False),
        (None, 3.1, True),
    ],
)
def test_a_page_is_due_after_seven_days_a_broken_one_after_three(
    status: int | None, age_in_days: float, due: bool
) -> None:
    assert is_due(NOW, status, NOW - age_in_days * DAY) is due
