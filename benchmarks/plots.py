"""The plots, as SVG. The same run gives the same file, with the same release of matplotlib.

A side is told by its colour, its line and its mark: the colours are Okabe's and Ito's, which most
people with a colour blindness can tell apart. The background is white, for dark pages too.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullLocator

from benchmarks.curves import (
    LATENCY,
    MAX,
    SCALE,
    Curve,
    Panel,
    digest,
    latency_panel,
    place,
    scale_panels,
)
from benchmarks.figure import ASYNCIO, ELIXIR, OURS, TRIO
from benchmarks.measuring import QUANTILES
from benchmarks.run import Run
from benchmarks.scale import SIZES

GREY = "#444444"
FAINT = "#d9d9d9"


@dataclass(frozen=True, slots=True)
class Look:
    """How a side looks, and what it is called."""

    name: str
    colour: str
    line: str | tuple[int, tuple[float, ...]]
    mark: str


LOOK_OF = {
    OURS: Look("trio-otp", "#0072B2", "-", "o"),
    TRIO: Look("raw Trio", "#D55E00", (0, (5, 1.5)), "s"),
    ASYNCIO: Look("raw asyncio", "#CC79A7", (0, (1, 1)), "D"),
    ELIXIR: Look("Elixir, on the BEAM", "#009E73", (0, (6, 1.5, 1, 1.5)), "^"),
}


def looks() -> AbstractContextManager[None]:
    """What every plot looks like."""
    return mpl.rc_context(
        {
            "svg.hashsalt": "trio-otp",
            "font.family": "DejaVu Sans",
            "font.size": 9,
            "text.color": "#111111",
            "axes.edgecolor": GREY,
            "axes.labelcolor": GREY,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "xtick.color": GREY,
            "ytick.color": GREY,
            "axes.grid": True,
            "grid.color": FAINT,
            "grid.linewidth": 0.7,
            "figure.facecolor": "white",
            "savefig.facecolor": "white",
        }
    )


def draw(run: Run, folder: Path) -> list[Path]:
    """The plots of what was measured, into that folder."""
    drawn: list[Path] = []
    samples = run.samples_of(SCALE)
    if samples is not None:
        panels = scale_panels(samples)
        drawn.append(_drawn(_scale(panels), panels, folder / "performance-scale.svg"))
    samples = run.samples_of(LATENCY)
    if samples is not None:
        panel = latency_panel(samples)
        drawn.append(_drawn(_latency(panel), [panel], folder / "performance-latency.svg"))
    return drawn


def _drawn(figure: Figure, panels: Sequence[Panel], file: Path) -> Path:
    kept = {"Date": None, "Creator": None, "Description": digest(panels)}
    with looks():
        figure.savefig(file, format="svg", metadata=kept)
    # matplotlib ends some lines with a space
    lines = (line.rstrip() for line in file.read_text().splitlines())
    file.write_text("\n".join(lines) + "\n")
    return file


def _scale(panels: Sequence[Panel]) -> Figure:
    """All panels span as many powers of ten, so that the same slope is the same growth."""
    with looks():
        figure = Figure(figsize=(9, 5.6), layout=ConstrainedLayoutEngine(h_pad=0.1))
        axes = figure.subplots(2, 3).flat
        ends = {panel.title: _ends(panel) for panel in panels}
        span = max(high / low for low, high in ends.values()) ** 0.5 * 1.5
        for panel, axis in zip(panels, axes, strict=False):
            _lines(axis, panel.curves)
            low, high = ends[panel.title]
            middle = (low * high) ** 0.5
            axis.set(title=panel.title, xscale="log", yscale="log")
            axis.set_ylim(middle / span, middle * span)
            axis.xaxis.set_major_locator(FixedLocator(SIZES))
            axis.xaxis.set_minor_locator(NullLocator())
            axis.xaxis.set_major_formatter(FuncFormatter(lambda size, _: f"{size:,.0f}"))
            _times(axis, 1, 2, 5)
        legend = figure.axes[len(panels)]
        legend.axis("off")
        handles, names = figure.axes[0].get_legend_handles_labels()
        legend.legend(
            handles, names, loc="upper left", frameon=False, handlelength=4, fontsize=10,
            title="time for one operation,\nbeside so many idle processes", alignment="left",
        )  # fmt: skip
    return figure


def _latency(panel: Panel) -> Figure:
    with looks():
        figure = Figure(figsize=(9, 4.5), layout="constrained")
        axis = figure.subplots()
        _lines(axis, panel.curves)
        axis.set(
            yscale="log",
            xlabel="so many of the calls took no longer",
            ylabel="time of a call beside 1,000 busy processes",
        )
        shown = [name for name in QUANTILES if name != "p25"]  # there is no room for it
        axis.xaxis.set_major_locator(FixedLocator([place(name) for name in shown]))
        names = [name if name == MAX else f"{name[1:]} %" for name in shown]
        axis.set_xticklabels(names)
        _times(axis, 1)
        axis.legend(loc="upper left", frameon=False, handlelength=4, fontsize=10)
    return figure


def _lines(axis: Axes, curves: Sequence[Curve]) -> None:
    """The medians, and from where to where the rounds went."""
    for curve in curves:
        look = LOOK_OF[curve.side]
        places = [x for x, _ in curve.points]
        values = [value for _, value in curve.points]
        lows, highs = [value.low for value in values], [value.high for value in values]
        axis.fill_between(places, lows, highs, color=look.colour, alpha=0.15, linewidth=0)
        axis.plot(
            places, [value.median for value in values], label=look.name, color=look.colour,
            linestyle=look.line, linewidth=1.8, marker=look.mark, markersize=5,
        )  # fmt: skip


def _ends(panel: Panel) -> tuple[float, float]:
    values = [value for curve in panel.curves for _, value in curve.points]
    return min(value.low for value in values), max(value.high for value in values)


def _times(axis: Axes, *steps: float) -> None:
    """So many steps for each power of ten, as one says them."""
    axis.yaxis.set_major_locator(LogLocator(subs=steps))
    axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: in_words(value)))
    axis.yaxis.set_minor_locator(NullLocator())


def in_words(microseconds: float) -> str:
    """A round number of nanoseconds, microseconds or milliseconds."""
    for unit, size in (("s", 1e6), ("ms", 1e3), ("µs", 1.0)):
        if microseconds >= size:
            return f"{microseconds / size:g} {unit}"
    return f"{microseconds * 1000:g} ns"
