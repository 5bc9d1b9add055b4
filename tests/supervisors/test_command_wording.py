from __future__ import annotations

from datetime import datetime

import pytest

from supervisors.command.wording import (
    harmless,
    line,
    lines,
    moment,
    number,
    per_second,
    seconds,
    share,
    title_of,
)
from tests.supervisors.seen import process


@pytest.mark.parametrize(
    ("span", "said"),
    [
        (None, "-"),
        (0.0, "0 ms"),
        (0.25, "250 ms"),
        (0.9994, "999 ms"),
        (0.9996, "1.0 s"),
        (12.34, "12.3 s"),
        (59.94, "59.9 s"),
        (59.96, "1m00"),
        (245.0, "4m05"),
        (3599.6, "1h00"),
        (12_000.0, "3h20"),
        (86_399.0, "23h59"),
        (86_400.0, "1d00h"),
        (446_400.0, "5d04h"),
    ],
)
def test_a_span_of_time(span: float | None, said: str) -> None:
    assert seconds(span) == said


def test_numbers() -> None:
    assert number(12_345) == "12,345"
    assert [per_second(one) for one in (None, 0.0, 99.9, 99.96, 12_345.6)] == [
        "-", "0.0", "99.9", "100", "12,346",
    ]  # fmt: skip
    assert [share(one) for one in (None, 0.0, 0.125)] == ["-", "0.0 %", "12.5 %"]


def test_a_moment_is_on_the_clock_of_who_looks() -> None:
    shown = moment(86_400.0)
    assert datetime.strptime(shown, "%Y-%m-%d %H:%M:%S").timestamp() == 86_400.0


def test_what_a_terminal_would_obey_is_taken_out() -> None:
    evil = "a\x1b[2J\tb\nc\u202e"
    assert str(line(evil)) == "a\ufffd[2J    b\ufffdc\ufffd"
    assert str(lines(evil)) == "a\ufffd[2J    b\nc\ufffd"
    assert harmless(evil) == "a\ufffd[2J\tb\nc\ufffd"
    assert str(line("[bold]x")) == "[bold]x"
    assert str(line(None)) == "-"


def test_a_style_is_of_its_words_alone() -> None:
    both = line("a", "dim") + line("b", "bold") + line(None)
    assert [(one.start, one.end, one.style) for one in both.spans] == [
        (0, 1, "dim"), (1, 2, "bold"), (2, 3, "dim"),
    ]  # fmt: skip
    assert both.style == ""


def test_what_a_process_is_called() -> None:
    assert title_of(process(1, name="n", label="l")) == "n"
    assert title_of(process(1, label="l")) == "l"
    assert title_of(process(1)) == "Counter"
