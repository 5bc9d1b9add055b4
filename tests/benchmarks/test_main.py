from __future__ import annotations

import json
from pathlib import Path

import pytest

import benchmarks.__main__
from benchmarks.__main__ import main
from benchmarks.catalogue import SUBJECTS


def test_the_list_has_every_figure_and_measures_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list"]) == 0
    printed = capsys.readouterr()
    listed = [tuple(line.split()[:2]) for line in printed.out.splitlines()]
    assert listed == [
        (subject.name, figure.name) for subject in SUBJECTS for figure in subject.figures
    ]
    assert printed.err == ""


def test_a_name_is_that_of_a_subject_or_of_a_figure(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list", "call-async", "tasks"]) == 0
    assert [line.split()[1] for line in capsys.readouterr().out.splitlines()] == [
        "call-async", "task", "task-supervised",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["calll"], "unknown: calll; allowed are what --list shows"),
        (["--rounds", "0"], "--rounds: got 0, allowed is a number above 0"),
        (["--without", "ours"], "invalid choice: 'ours'"),
    ],
)
def test_what_is_wrong_is_refused(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert said in capsys.readouterr().err


def test_a_quick_run_prints_a_table_and_saves_its_samples(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "results.json"
    without = ["--without", "elixir", "--without", "asyncio"]
    assert main(["--quick", "--rounds", "2", *without, "--json", str(file), "lookup"]) == 0
    printed = capsys.readouterr()
    assert printed.err.startswith("lookup ... ")
    head = printed.out.splitlines()[:3]
    assert head[:2] == ["## Registry and limiter", ""]
    assert [cell.strip() for cell in head[2].split("|")] == [
        "", "", "ours", "trio", "ours/trio", "",
    ]  # fmt: skip
    (figure,) = json.loads(file.read_text())["figures"]
    (row,) = figure["rows"]
    assert [(one["side"], len(one["samples"])) for one in row["contenders"]] == [
        ("ours", 2), ("trio", 2),
    ]  # fmt: skip


def test_without_elixir_it_is_said_and_left_out(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(benchmarks.__main__, "is_installed", lambda: False)
    assert main(["--quick", "--rounds", "1", "call"]) == 0
    printed = capsys.readouterr()
    assert printed.err.startswith("Elixir is not installed\ncall ... ")
    (head,) = [line for line in printed.out.splitlines() if "ours/trio" in line]
    assert "elixir" not in head
