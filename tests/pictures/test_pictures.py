"""The pictures in docs are what happens: drawn again, they are the same."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from tests.pictures.scenes import PICTURES, picture, told
from tests.pictures.sequence import Arrow, Row, Work, drawn
from tests.pictures.stored import FOLDER, stored


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_shows_what_happens(name: str) -> None:
    assert stored(name).read_text() == picture(name), "make pictures"


def test_no_picture_is_left_over() -> None:
    assert {path.stem for path in FOLDER.iterdir()} == set(PICTURES)


def test_a_diagram_has_a_line_for_each_lane_and_arrow() -> None:
    rows: list[Row] = [
        Arrow(0.0, "c", "p", "2 more", asks=True),
        Arrow(0.0, "p", "c", "1 & 2"),
        Work(1.0, "c", "handles"),
    ]
    svg = ET.fromstring(drawn("a < b", ("p", "c"), rows))
    space = "{http://www.w3.org/2000/svg}"
    assert len(svg.findall(f"{space}line")) == 4
    texts = [one.text for one in svg.findall(f"{space}text")]
    assert texts == ["p", "c", "0 s", "2 more", "1 & 2", "1 s", "handles"]
    assert svg.findtext(f"{space}title") == "a < b"


@pytest.mark.parametrize(
    ("events", "text"),
    [([1], "1"), ([1, 2], "1, 2"), ([1, 2, 3], "1 to 3"), ([1, 3, 5], "1, 3, 5")],
)
def test_rows_of_numbers_are_told_short(events: list[int], text: str) -> None:
    assert told(events) == text
