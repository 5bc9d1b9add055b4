from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from benchmarks.curves import Curve, latency_panel, place, scale_panels
from benchmarks.effort import Effort, Values
from benchmarks.figure import ELIXIR, OURS, TRIO, Contender, Figure, Subject
from benchmarks.measuring import QUANTILES, Summary
from benchmarks.plots import draw, in_words
from benchmarks.rounds import Samples
from benchmarks.run import Run
from benchmarks.scale import OPERATIONS, SIZES

SVG = "{http://www.w3.org/2000/svg}"


def unused(effort: Effort) -> Values:
    raise AssertionError("nothing is measured here")


def everywhere(names: list[str], *sides: str) -> Samples:
    """Two rounds of each side, in which the first row takes 1 and 3, the next twice as long"""
    runs = [{name: low * 2.0**number for number, name in enumerate(names)} for low in (1.0, 3.0)]
    return {Contender(side, unused): [*runs] for side in sides}


SCALE = everywhere([f"{op}, {size:,}" for op in OPERATIONS for size in SIZES], ELIXIR, OURS)
LATENCY = everywhere(list(QUANTILES), TRIO)


def run_of(**figures: Samples) -> Run:
    results = [
        (Subject(name, name, ()), Figure(name, "", "", tuple(samples)), samples)
        for name, samples in figures.items()
    ]
    return Run({}, 2, 0.05, 1.0, results)


def test_a_panel_for_each_operation_and_a_curve_for_each_side() -> None:
    panels = scale_panels(SCALE)
    assert [panel.title for panel in panels] == list(OPERATIONS)
    assert [[curve.side for curve in panel.curves] for panel in panels] == [[OURS, ELIXIR]] * 5
    cast = [(100, 16.0), (1_000, 32.0), (10_000, 64.0), (100_000, 128.0)]
    expected = [(size, Summary(2 * low, low, 3 * low)) for size, low in cast]
    assert panels[1].curves == [Curve(OURS, expected), Curve(ELIXIR, expected)]


def test_a_step_to_the_right_is_ten_times_as_rare() -> None:
    places = [place(name) for name in ("p90", "p99", "p99.9", "p99.99", "max")]
    assert places == pytest.approx([1.0, 2.0, 3.0, 4.0, 5.0])
    (curve,) = latency_panel(LATENCY).curves
    assert curve.points[-1] == (place("max"), Summary(512.0, 256.0, 768.0))
    assert [x for x, _ in curve.points] == sorted(map(place, QUANTILES))


def test_what_a_run_does_not_have_is_no_point() -> None:
    (curve,) = latency_panel(everywhere(["p50", "max"], TRIO)).curves
    assert [x for x, _ in curve.points] == [place("p50"), place("max")]


def test_the_same_run_gives_the_same_plots_on_white(tmp_path: Path) -> None:
    run = run_of(scale=SCALE, latency=LATENCY)
    drawn = draw(run, tmp_path)
    assert [file.name for file in drawn] == ["performance-scale.svg", "performance-latency.svg"]
    first = [file.read_text() for file in drawn]
    draw(run, tmp_path)
    assert [file.read_text() for file in drawn] == first
    for text in first:
        assert "dc:date" not in text
        background = next(ET.fromstring(text).iter(f"{SVG}path"))
        assert "fill: #ffffff" in background.attrib["style"]
        assert "opacity" not in background.attrib["style"]


def test_only_what_was_measured_is_drawn(tmp_path: Path) -> None:
    assert draw(run_of(call=LATENCY), tmp_path) == []
    assert draw(run_of(latency=LATENCY), tmp_path) == [tmp_path / "performance-latency.svg"]


@pytest.mark.parametrize(
    ("microseconds", "words"),
    [(0.05, "50 ns"), (1.0, "1 µs"), (500.0, "500 µs"), (1e3, "1 ms"), (2e6, "2 s")],
)
def test_a_round_number_of_the_unit_that_suits(microseconds: float, words: str) -> None:
    assert in_words(microseconds) == words
