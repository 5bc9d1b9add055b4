"""The catalogue and the tables of verdicts fit each other, and what users read is true."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

from tests.conformance.rows import ROWS, rows_in
from tests.conformance.scenarios import Scenario
from tests.conformance.table import GROUPS, as_markdown, as_text, table
from tests.conformance.verdicts import DECISIONS, DIFFERENT, MACHINERY, NOT_APPLICABLE, ids_in

HERE = Path(__file__).parent
README = (HERE.parents[1] / "README.md").read_text()

# Machinery that Python, or this runtime, does not have. A row may be left out for nothing else.
CLOSED_LIST = {
    "hibernation",
    "hot code upgrade",
    "the process dictionary",
    "aliases",
    "module, function and arguments",
    "several schedulers",
    "a process that starts a stream's tasks",
    "a pool's hooks around checkout, and its pings",
    "a source that adds children before the producers and changes the options",
}


def scenarios() -> dict[str, Scenario]:
    """Every scenario by its row."""
    found: dict[str, Scenario] = {}
    for group in GROUPS:
        found |= import_module(f"tests.conformance.test_{group.lower()}").SCENARIOS
    return found


def test_the_catalogue_has_775_rows_of_fourteen_groups() -> None:
    assert len(ROWS) == 775
    assert {row.group for row in ROWS.values()} == set(GROUPS)


def test_every_row_has_a_scenario_or_does_not_apply() -> None:
    assert ROWS.keys() - scenarios().keys() == ROWS.keys() & NOT_APPLICABLE.keys()


def test_a_scenario_says_that_it_differs_if_and_only_if_the_table_does() -> None:
    say_so = {
        row_id for row_id, one in scenarios().items() if (one.__doc__ or "").startswith("differs: ")
    }
    assert say_so == ROWS.keys() & DIFFERENT.keys()


def test_no_row_differs_and_does_not_apply() -> None:
    assert DIFFERENT.keys() & NOT_APPLICABLE.keys() == set()


def test_what_does_not_apply_is_of_the_closed_list() -> None:
    assert {one.about for one in MACHINERY} == CLOSED_LIST
    assert all(one.why and one.rows for one in MACHINERY)


def test_every_difference_follows_from_a_decision_and_has_its_reason() -> None:
    for one in DIFFERENT.values():
        assert one.decision in DECISIONS
        assert one.why, one.about


def test_every_scenario_belongs_to_its_group() -> None:
    for path in HERE.glob("*/*.py"):
        ids = re.findall(r"@row\((.*?)\)", path.read_text())
        groups = {row_id.split("-")[0] for one in ids for row_id in ast.literal_eval(f"({one},)")}
        assert groups <= {path.parent.name.upper()}


def test_the_table_in_the_readme_is_true() -> None:
    assert as_markdown() in README


def test_the_table_adds_up() -> None:
    for _, _, rows, *verdicts in table()[1:]:
        assert int(rows) == sum(map(int, verdicts))
    assert table()[-1][2] == "775"
    assert as_text().splitlines()[0].split()[:3] == ["group", "of", "rows"]


def test_ids_are_read_alone_and_in_ranges() -> None:
    assert list(ids_in("GEN-009, SUP-052 to SUP-054, trace 02, PL-03")) == [
        "GEN-009", "SUP-052", "SUP-053", "SUP-054", "PL-03",
    ]  # fmt: skip


def test_a_bar_within_a_cell_does_not_end_it() -> None:
    (row,) = rows_in("| SUP-1 | a \\| b | c | d | [V] |")
    assert (row.setup, row.action, row.expected) == ("a | b", "c", "d")


def test_the_command_runs_the_rows_and_prints_the_table() -> None:
    command = [sys.executable, "-m", "tests.conformance", "-k", "AGT-001"]
    done = subprocess.run(command, cwd=HERE.parents[1], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout, "in both modes"
    assert done.stdout.rstrip().endswith(as_text().rstrip())
