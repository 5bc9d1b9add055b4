"""The catalogue as data: one row, one observed behaviour of OTP."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

CATALOGUE = Path(__file__).parent / "catalogue"
LINE = re.compile(r"^\| (?P<id>(?P<group>[A-Z]+)-\d+) \|(?P<cells>.*)\|$", re.MULTILINE)
CELL_END = re.compile(r"(?<!\\)\|")


class Row(msgspec.Struct, frozen=True):
    """One line of the catalogue."""

    id: str
    group: str
    setup: str
    action: str
    expected: str
    source: str

    def __str__(self) -> str:
        return f"{self.id}: {self.setup}; {self.action}: {self.expected}"


def rows_in(text: str) -> list[Row]:
    """The rows of a page of the catalogue."""
    return [Row(line["id"], line["group"], *cells(line["cells"])) for line in LINE.finditer(text)]


def cells(line: str) -> list[str]:
    """The cells of a table's line; a bar within a cell is written ``\\|``."""
    return [cell.replace("\\|", "|").strip() for cell in CELL_END.split(line)]


ROWS: dict[str, Row] = {
    row.id: row for page in sorted(CATALOGUE.glob("*.md")) for row in rows_in(page.read_text())
}
"""Every row by its id, in the order of the catalogue."""
