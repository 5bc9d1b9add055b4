from __future__ import annotations

import json
from pathlib import Path

import pytest

import benchmarks.__main__
import benchmarks.options
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
        (["--from", "none.json"], "--from: [Errno 2]"),
        (["--from", "none.json", "call"], "--from: nothing is measured, so there is nothing to"),
        (["--from", "none.json", "--quick"], "--from: nothing is measured, so there is nothing to"),
        (["--write", "none.md"], "--write: there is no file none.md"),
        (["--plots", "none"], "--plots: there is no folder none"),
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


def test_a_file_that_is_no_run_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "results.json"
    file.write_text("{}")
    with pytest.raises(SystemExit):
        main(["--from", str(file)])
    assert "--from: Object missing required field `machine`" in capsys.readouterr().err


def test_plots_want_matplotlib(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(benchmarks.options, "find_spec", lambda _name: None)
    with pytest.raises(SystemExit):
        main(["--plots", str(tmp_path), "call"])
    assert "--plots needs matplotlib: pip install '.[bench]'" in capsys.readouterr().err


def test_a_stored_run_is_shown_written_and_drawn_as_when_it_was_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, page, copy = tmp_path / "results.json", tmp_path / "page.md", tmp_path / "copy.json"
    names = ("run", "targets", "Latency under load")
    page.write_text("".join(f"<!-- bench: {name} --><!-- end -->\n".replace("--><", "-->\n<")
                            for name in names))  # fmt: skip
    main(["--quick", "--rounds", "1", "--without", "elixir", "--json", str(file), "latency"])
    printed = capsys.readouterr()
    assert printed.err.startswith("latency ... ")
    into = ["--json", str(copy), "--write", str(page), "--plots", str(tmp_path)]
    assert main(["--from", str(file), *into]) == 0
    again = capsys.readouterr()
    assert (again.out, again.err) == (printed.out, "")
    assert json.loads(copy.read_text()) == json.loads(file.read_text())
    assert printed.out.removeprefix("## Latency under load\n\n") in page.read_text()
    assert (tmp_path / "performance-latency.svg").exists()


def test_without_elixir_it_is_said_and_left_out(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(benchmarks.__main__, "is_installed", lambda: False)
    assert main(["--quick", "--rounds", "1", "call"]) == 0
    printed = capsys.readouterr()
    assert printed.err.startswith("Elixir is not installed\ncall ... ")
    (head,) = [line for line in printed.out.splitlines() if "ours/trio" in line]
    assert "elixir" not in head
