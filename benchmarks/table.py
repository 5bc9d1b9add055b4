"""The tables: a line for each row of a figure, with absolute figures, ratios and targets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from benchmarks.figure import OURS, SIDES, Figure, Ratios, Target
from benchmarks.measuring import Summary, is_close, verdict
from benchmarks.rounds import Measured, rows
from benchmarks.run import Result

NOTHING = "-"


@dataclass(frozen=True, slots=True)
class Part:
    """A figure with what was measured of it."""

    figure: Figure
    rows: Sequence[Measured]


def number(value: float) -> str:
    """Three digits that say something."""
    if value >= 100:
        return f"{value:,.0f}"
    if value >= 10:
        return f"{value:.1f}"
    if value >= 0.995:
        return f"{value:.2f}"
    return f"{value:.3f}"


def cell(measured: Summary | None) -> str:
    """The median, and from where to where the rounds went if there was more than one."""
    if measured is None:
        return NOTHING
    if measured.low == measured.high:
        return number(measured.median)
    return f"{number(measured.median)} ({number(measured.low)}..{number(measured.high)})"


def target_cell(target: Target | None, unit: str) -> str:
    """What it should come to."""
    if target is None:
        return ""
    return f"≤ {target.most:g} " + (unit if target.beside is None else f"x {target.beside}")


def met_cell(measured: Measured) -> str:
    """Whether it does; with a question mark if the target lies within the spread."""
    target = measured.row.target
    if target is None:
        return ""
    value = measured.against(target, OURS)
    if value is None:
        return NOTHING
    return verdict(value, target.most) + ("?" if is_close(value, target.most) else "")


def title(figure: Figure, measured: Measured) -> str:
    """What the line is about."""
    return ", ".join(part for part in (figure.title, measured.row.name) if part)


def tables(results: Iterable[Result]) -> dict[str, str]:
    """A table in Markdown for each section, also fit to be read as it is."""
    return {
        section: table(members[0][0].ratios, parts_of(members))
        for section, group in groupby(results, key=lambda result: result[0].section)
        if (members := list(group))
    }


def parts_of(results: Iterable[Result]) -> list[Part]:
    """What the tables are made of."""
    return [Part(figure, rows(figure, samples)) for _, figure, samples in results]


def table(ratios: Ratios, parts: Sequence[Part]) -> str:
    """A line for each row; what took other ways below."""
    sides = sides_of(parts)
    shown = [(one, other) for one, other in ratios if one in sides and other in sides]
    has_targets = any(row.row.target for part in parts for row in part.rows)
    head = ["", *sides, *(f"{one}/{other}" for one, other in shown)]
    lines = [head + (["target", "met"] if has_targets else [])]
    for part in parts:
        for row in part.rows:
            cells = [with_unit(title(part.figure, row), row.row.unit)]
            cells += [cell(row.summary(side)) for side in sides]
            cells += [cell(row.ratio(one, other)) for one, other in shown]
            if has_targets:
                cells += [target_cell(row.row.target, row.row.unit), met_cell(row)]
            lines.append(cells)
    return "\n".join([*aligned(lines), "", *notes(parts)]).rstrip()


def targets(parts: Sequence[Part]) -> str:
    """A table of everything that has a target, and what it came to."""
    lines = [["", "came to", "target", "met"]]
    for part in parts:
        for row in part.rows:
            target = row.row.target
            if target is not None:
                came_to = cell(row.against(target, OURS))
                wanted = target_cell(target, row.row.unit)
                lines.append([title(part.figure, row), came_to, wanted, met_cell(row)])
    return "\n".join(aligned(lines))


def sides_of(parts: Sequence[Part]) -> list[str]:
    """Who took part: those known everywhere in their own order, others after them."""
    sides = dict.fromkeys(side for part in parts for row in part.rows for side in row.samples)
    return [side for side in SIDES if side in sides] + [one for one in sides if one not in SIDES]


def with_unit(text: str, unit: str) -> str:
    """Microseconds go without saying."""
    return text if unit == "µs" else f"{text} [{unit}]"


def aligned(lines: Sequence[Sequence[str]]) -> list[str]:
    """Cells of one column have one width: text on the left, the rest on the right."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    head, *body = [
        "| "
        + " | ".join(
            text.ljust(width) if column == 0 else text.rjust(width)
            for column, (text, width) in enumerate(zip(cells, widths, strict=True))
        )
        + " |"
        for cells in lines
    ]
    rule = [
        "-" * (width + 2) if column == 0 else "-" * (width + 1) + ":"
        for column, width in enumerate(widths)
    ]
    return [head, f"|{'|'.join(rule)}|", *body]


def notes(parts: Sequence[Part]) -> list[str]:
    """Of each row in which a side went several ways: which counts, and what the others took."""
    found: list[str] = []
    for part in parts:
        for row in part.rows:
            for side, others in row.others.items():
                if others:
                    rest = ", ".join(f"{way} {cell(value)}" for way, value in others.items())
                    line = f"- {title(part.figure, row)}: {side} is {row.ways[side]}; {rest}"
                    found.append(line)
    return found
