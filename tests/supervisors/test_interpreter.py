"""What a service asks of Python, and gives back."""

from __future__ import annotations

import gc
import sys

import pytest

from supervisors.interpreter import SWITCH_INTERVAL, frozen, quick_switches


@pytest.fixture
def interval() -> float:
    return sys.getswitchinterval()


def test_threads_switch_soon_for_as_long_as_it_runs(interval: float) -> None:
    with pytest.raises(LookupError), quick_switches():
        assert sys.getswitchinterval() == pytest.approx(SWITCH_INTERVAL)
        raise LookupError
    assert sys.getswitchinterval() == interval


def test_an_interval_that_is_shorter_stays(interval: float) -> None:
    sys.setswitchinterval(0.0001)
    try:
        with quick_switches():
            assert sys.getswitchinterval() == pytest.approx(0.0001, rel=0.05)
        assert sys.getswitchinterval() == pytest.approx(0.0001, rel=0.05)
    finally:
        sys.setswitchinterval(interval)


def test_what_is_there_is_not_collected_again_for_as_long_as_it_runs() -> None:
    with pytest.raises(LookupError), frozen():
        assert gc.get_freeze_count() > 1000
        raise LookupError
    assert gc.get_freeze_count() == 0
