"""What a screen has room for."""

from __future__ import annotations

from supervisors.command.narrow import columns_that_fit, longest_that_fits

WIDTHS = {"a": 3, "b": 4, "c": 5}


def test_columns_go_in_their_order_until_the_others_fit() -> None:
    assert columns_that_fit(WIDTHS, ("b", "c"), 16) == ["a", "b", "c"]
    assert columns_that_fit(WIDTHS, ("b", "c"), 15) == ["a", "c"]
    assert columns_that_fit(WIDTHS, ("b", "c"), 10) == ["a", "c"]
    assert columns_that_fit(WIDTHS, ("b", "c"), 9) == ["a"]
    assert columns_that_fit(WIDTHS, ("b", "c"), 1) == ["a"]


def test_of_several_texts_the_longest_that_fits_is_taken() -> None:
    assert longest_that_fits(("three", "two", "x"), 5) == "three"
    assert longest_that_fits(("three", "two", "x"), 4) == "two"
    assert longest_that_fits(("three", "two", "x"), 0) == "x"
