"""How many rows of each group pass as they are, differ on purpose, do not apply."""

from __future__ import annotations

from collections import Counter

from tests.conformance.rows import ROWS
from tests.conformance.verdicts import DIFFERENT, NOT_APPLICABLE

GROUPS = {
    "PROC": "processes, links, monitors, signals",
    "GEN": "GenServer",
    "SUP": "Supervisor",
    "DYN": "DynamicSupervisor",
    "PAR": "PartitionSupervisor",
    "TASK": "Task",
    "TSUP": "Task.Supervisor",
    "STRM": "async_stream",
    "REG": "Registry",
    "AGT": "Agent",
    "SYS": "`:sys` and timers",
    "PL": "poolboy and NimblePool",
    "GS": "GenStage",
    "BW": "Broadway",
}
HEAD = ("group", "of", "rows", "as in OTP", "different on purpose", "not applicable")


def verdict_of(row_id: str) -> str:
    """Under which heading of the table a row counts that its test does not fail."""
    if row_id in NOT_APPLICABLE:
        return "not applicable"
    return "different on purpose" if row_id in DIFFERENT else "as in OTP"


def table() -> list[tuple[str, ...]]:
    """The lines of the table, the head first and the sums last."""
    counts = {group: Counter[str]() for group in GROUPS}
    for row in ROWS.values():
        counts[row.group][verdict_of(row.id)] += 1
    lines = [line(group, of, counts[group]) for group, of in GROUPS.items()]
    return [HEAD, *lines, line("all", "", sum(counts.values(), Counter[str]()))]


def line(group: str, of: str, count: Counter[str]) -> tuple[str, ...]:
    """One line, in the order of the head."""
    return (group, of, str(count.total()), *(str(count[verdict]) for verdict in HEAD[3:]))


def as_text() -> str:
    """The table for a terminal."""
    rows = table()
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if number < 2 else cell.rjust(width)
            for number, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def as_markdown() -> str:
    """The table as it stands in the README."""
    head, *rest = table()
    rule = ("---", "---", "--:", "--:", "--:", "--:")
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, rule, *rest))
