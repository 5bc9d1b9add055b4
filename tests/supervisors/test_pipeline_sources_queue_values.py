"""The values a durable queue tells: plain, and never changed."""

from __future__ import annotations

import pytest

from supervisors.pipeline.sources import Failure, Lease, QueueStatistics


def test_a_lease_is_a_key_for_ever() -> None:
    assert Lease(1, 2) == Lease(1, 2)
    assert len({Lease(1, 2), Lease(1, 2), Lease(1, 3)}) == 2


def test_what_failed_comes_again_at_once_unless_it_says_otherwise() -> None:
    assert Failure(Lease(1, 1), "no").delay == 0.0


def test_numbers_do_not_change() -> None:
    numbers = QueueStatistics(1, 2, 3, 4, 5.0)
    with pytest.raises(AttributeError):
        numbers.ready = 2  # type: ignore[misc]
