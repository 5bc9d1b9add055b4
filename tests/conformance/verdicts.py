"""Which rows differ on purpose and which do not apply, as ``docs/semantics.md`` says to users."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

SEMANTICS = Path(__file__).parents[2] / "docs" / "semantics.md"
ID = re.compile(r"([A-Z]+)-(\d+)(?: to ([A-Z]+)-(\d+))?")


class Verdict(msgspec.Struct, frozen=True):
    """A line of a table: what it is about, why, and the rows it is true of.

    ``decision`` is the heading it stands under.
    """

    decision: str
    about: str
    why: str
    rows: tuple[str, ...]


def ids_in(text: str) -> Iterator[str]:
    """The ids a cell names; ``REG-027 to REG-031`` names five."""
    for group, first, last_group, last in ID.findall(text):
        assert last_group in ("", group), f"{text!r} runs from one group into another"
        for number in range(int(first), int(last or first) + 1):
            yield f"{group}-{number:0{len(first)}}"


def verdicts_under(heading: str) -> Iterator[Verdict]:
    """The lines of the tables under a heading of ``docs/semantics.md`` and its subheadings."""
    _, _, rest = SEMANTICS.read_text().partition(f"\n## {heading}\n")
    decision = ""
    for line in rest.partition("\n## ")[0].splitlines():
        if line.startswith("### "):
            decision = line.removeprefix("### ")
        elif line.startswith("| ") and not line.endswith("| rows |"):
            yield verdict(decision, line.strip("|").split(" | "))


def verdict(decision: str, cells: list[str]) -> Verdict:
    """The first cell is what the line is about, the last but one why, the last the rows."""
    return Verdict(decision, cells[0].strip(), cells[-2].strip(), tuple(ids_in(cells[-1])))


def by_row(verdicts: list[Verdict]) -> dict[str, Verdict]:
    """Each row's line; no row stands in two."""
    found: dict[str, Verdict] = {}
    for one in verdicts:
        for row_id in one.rows:
            assert row_id not in found, f"{row_id} stands in two lines: {one.about!r}"
            found[row_id] = one
    return found


MACHINERY = list(verdicts_under("Not applicable"))
"""The machinery that is not here."""

NOT_APPLICABLE = by_row(MACHINERY)
"""The rows about it."""

DIFFERENT = by_row(list(verdicts_under("Differences from OTP")))
"""The rows in which what happens is not what happens in OTP."""

DECISIONS = {one.decision for one in DIFFERENT.values()} - {""}
"""What the differences follow from: the subheadings."""
