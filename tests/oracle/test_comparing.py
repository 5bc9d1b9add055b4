"""That the comparison would notice: a ``.diff`` that is wrong is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.oracle.comparing import Difference, Expected, read, reasons, summary, table
from tests.oracle.rendering import say


def text(*lines: str) -> str:
    return "\n".join(lines)


def test_marked_lines_belong_to_one_side_and_the_others_to_both() -> None:
    assert read(
        text(
            "  -- stop",
            "# differs: one",
            "# and why that is so",
            "- theirs",
            "+ ours",
            "# differs: two",
            "+ more of ours",
            "  stop ok",
            "# differs: three",
            "- the last",
        )
    ) == Expected(
        theirs=("-- stop", "theirs", "stop ok", "the last"),
        ours=("-- stop", "ours", "more of ours", "stop ok"),
        differences=(
            Difference("one", ("theirs",), ("ours",)),
            Difference("two", (), ("more of ours",)),
            Difference("three", ("the last",), ()),
        ),
    )


def test_lines_of_several_processes_may_swap() -> None:
    lines = ["# swaps: one", "- A 1", "- B 1", "- A 2", "+ B 1", "+ A 1", "+ A 2"]
    theirs, ours = ("A 1", "B 1", "A 2"), ("B 1", "A 1", "A 2")
    assert read(text(*lines)) == Expected(
        theirs, ours, (Difference("one", theirs, ours, swaps=True),)
    )


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (["  a", "- b"], "must stand before"),
        (["# b is different", "- b"], "must stand before"),
        (["- b", "# differs: one", "+ c"], "must stand before"),
        (["# differs: one", "  a"], "no line differs"),
        (["# differs: one", "+ a", "# differs: two"], "no line differs"),
        (["# swaps: one", "- A 1", "+ A 2"], "more differs"),
        (["# swaps: one", "- A 1", "- A 2", "+ A 2", "+ A 1"], "more differs"),
        (["a"], "begins with"),
        (["  a", "", "  b"], "begins with"),
        (["-- stop"], "begins with"),
    ],
)
def test_a_text_that_is_marked_wrongly_is_refused(lines: list[str], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        read(text(*lines))


def test_a_reason_is_the_first_cell_of_a_row_of_the_differences() -> None:
    assert "a throw is a return value" in reasons()
    assert "OTP" not in reasons(), "the heading"
    assert "hibernation" not in reasons(), "what does not apply is another table"


def test_the_table_for_people_says_each_line_and_why() -> None:
    lines = table().splitlines()
    assert lines[-1] == summary()
    assert lines[-1].startswith(
        f"oracle: {1063 - len(missing(lines))} of Elixir's 1063 lines in 18 "
    )
    assert lines[-1].endswith(f", and {sum(line.startswith('    + ') for line in lines)} others")
    assert lines[:2] == [
        "05_async_stream_mixed: anything can be thrown",
        "    - item {exit,throw(ball)}",
    ]


def test_what_the_readme_says_of_it_is_true() -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    lines = table().splitlines()
    others = sum(line.startswith("    + ") for line in lines)
    left = len(missing(lines))
    assert f"of the 1063 lines that Elixir prints, {1063 - left} are printed here" in readme
    assert f"the other {left}, and {others} that stand in their stead" in readme


def missing(lines: list[str]) -> list[str]:
    return [line for line in lines if line.startswith("    - ")]


def test_a_value_without_words_is_refused() -> None:
    with pytest.raises(TypeError, match="no words yet"):
        say(object())
