from __future__ import annotations

import pytest

from runtime.inspection.views import Plain
from supervisors.command.process_words import fact_text, status_text


@pytest.mark.parametrize(
    ("fact", "said"),
    [
        (None, "-"),
        (True, "yes"),
        (False, "no"),
        (3, "3"),
        (0.5, "0.5"),
        ("a\x1bb", "a\ufffdb"),
        ([1, "x"], "1, x"),
        ({"a": 1, "b": [2, 3]}, "a 1, b 2, 3"),
    ],
)
def test_a_fact_is_one_line(fact: Plain, said: str) -> None:
    assert str(fact_text(fact)) == said


def test_a_status_has_its_colour() -> None:
    assert status_text("running").markup == "[green]running[/green]"
    assert status_text("dreaming").markup == "dreaming"
