"""A sequence diagram as SVG: lanes side by side, and what happens from top to bottom."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape
from typing import Final, TypeAlias

import msgspec

LANE: Final = 260
ROW: Final = 34
TOP: Final = 60
LEFT: Final = 90
ASK: Final = "#b45309"
EVENTS: Final = "#1d4ed8"


class Arrow(msgspec.Struct, frozen=True):
    """Something goes from one lane to another; ``asks`` if it is demand and no events."""

    at: float
    source: str
    target: str
    text: str
    asks: bool = False


class Work(msgspec.Struct, frozen=True):
    """A lane is busy with something."""

    at: float
    lane: str
    text: str


Row: TypeAlias = Arrow | Work


def drawn(title: str, lanes: tuple[str, ...], rows: Iterable[Row]) -> str:
    """The picture. Its rows stand in order; the clock is told at the left when it has moved."""
    rows = list(rows)
    width, height = LEFT + LANE * len(lanes), TOP + ROW * len(rows) + 30
    places = {lane: LEFT + LANE * (number + 0.5) for number, lane in enumerate(lanes)}
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
            f'width="{width}" height="{height}" font-family="sans-serif" font-size="14">'
        ),
        f"<title>{escape(title)}</title>",
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        "<defs>",
        *(_head(name, colour) for name, colour in (("ask", ASK), ("events", EVENTS))),
        "</defs>",
        *_lanes(places, height),
        *_rows(places, rows),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _head(name: str, colour: str) -> str:
    return (
        f'<marker id="{name}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" '
        f'markerHeight="7" orient="auto-start-reverse">'
        f'<path d="M 0 0 L 10 5 L 0 10 z" fill="{colour}"/></marker>'
    )


def _lanes(places: dict[str, float], height: int) -> Iterator[str]:
    for lane, x in places.items():
        yield _text(x, 28, lane, weight="bold")
        yield (
            f'<line x1="{x:g}" y1="40" x2="{x:g}" y2="{height - 14}" '
            'stroke="#9ca3af" stroke-dasharray="4 4"/>'
        )


def _rows(places: dict[str, float], rows: list[Row]) -> Iterator[str]:
    before = -1.0
    for number, row in enumerate(rows):
        y = TOP + ROW * (number + 0.5)
        if row.at != before:
            before = row.at
            yield _text(16, y + 5, f"{row.at:g} s", anchor="start", colour="#6b7280")
        yield from _arrow(places, row, y) if isinstance(row, Arrow) else _work(places, row, y)


def _arrow(places: dict[str, float], row: Arrow, y: float) -> Iterator[str]:
    start, end = places[row.source], places[row.target]
    name, colour = ("ask", ASK) if row.asks else ("events", EVENTS)
    dashed = ' stroke-dasharray="6 4"' if row.asks else ""
    yield (
        f'<line x1="{start:g}" y1="{y:g}" x2="{end:g}" y2="{y:g}" stroke="{colour}" '
        f'stroke-width="1.6"{dashed} marker-end="url(#{name})"/>'
    )
    yield _text((start + end) / 2, y - 5, row.text, colour=colour)


def _work(places: dict[str, float], row: Work, y: float) -> Iterator[str]:
    width = 9 * len(row.text) + 16
    yield (
        f'<rect x="{places[row.lane] - width / 2:g}" y="{y - 12:g}" width="{width}" height="24" '
        'rx="4" fill="#e5e7eb" stroke="#6b7280"/>'
    )
    yield _text(places[row.lane], y + 5, row.text)


def _text(
    x: float,
    y: float,
    text: str,
    *,
    anchor: str = "middle",
    colour: str = "#111827",
    weight: str = "normal",
) -> str:
    return (
        f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}" fill="{colour}" '
        'stroke="#ffffff" stroke-width="4" paint-order="stroke" '
        f'font-weight="{weight}">{escape(text)}</text>'
    )
