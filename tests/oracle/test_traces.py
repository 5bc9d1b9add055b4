"""Whole scenarios against what Elixir printed for them, line by line."""

from __future__ import annotations

import pytest

from tests.conftest import in_both_modes
from tests.oracle.comparing import DIFFERENCES, expected, names, printed_by_elixir, reasons
from tests.oracle.playing import TRACES, play

DIFFERING = sorted(path.stem for path in DIFFERENCES.iterdir())


def test_every_trace_of_elixir_has_its_port() -> None:
    assert list(TRACES) == names()


@pytest.mark.parametrize(("name", "dispatch"), in_both_modes(*TRACES), indirect=["dispatch"])
def test_a_trace_prints_what_elixir_printed_but_for_what_is_named(name: str, dispatch: str) -> None:
    assert play(name) == list(expected(name).ours)


@pytest.mark.parametrize("name", DIFFERING)
def test_what_is_named_is_elixirs_text_with_marks(name: str) -> None:
    assert expected(name).theirs == printed_by_elixir(name)
    assert expected(name).differences


@pytest.mark.parametrize("name", DIFFERING)
def test_every_difference_stands_in_the_table_that_users_read(name: str) -> None:
    whys = {one.why for one in expected(name).differences if not one.swaps}
    assert whys - reasons() == set()
