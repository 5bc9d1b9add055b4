"""``make oracle``, with a program in Elixir's place."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.oracle import __main__ as command
from tests.oracle.comparing import table

NAME = "01_rest_for_one"

AS_STORED = 'cat "${1%.exs}.out"'
ONE_LINE_LESS = 'sed 1d "${1%.exs}.out"'
THAT_FAILS = 'cat "${1%.exs}.out"; echo "no luck" >&2; exit 1'
THAT_HANGS = "exec sleep 60"


def put_in_place(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    elixir = folder / "elixir"
    elixir.write_text(f'#!/bin/sh\n[ "$1" = --version ] && echo "Elixir 0" && exit\n{script}\n')
    elixir.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")


DIFFERS = f"{NAME:{command.WIDTH}} DIFFERS"


@pytest.mark.parametrize(
    ("script", "status", "printed"),
    [
        (AS_STORED, 0, [f"{NAME:{command.WIDTH}} as stored"]),
        (
            ONE_LINE_LESS,
            1,
            [
                DIFFERS,
                "    --- stored",
                "    +++ today",
                "    @@ -1,2 +1 @@",
                "    -init a",
                "     init b",
            ],
        ),
        (THAT_FAILS, 1, [DIFFERS, "    status 1: no luck"]),
    ],
)
def test_what_elixir_prints_is_compared_with_what_is_stored(
    script: str,
    status: int,
    printed: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    put_in_place(tmp_path, monkeypatch, script)
    assert command.main([NAME]) == status
    assert capsys.readouterr().out.splitlines() == ["Elixir 0", *printed]


def test_a_script_that_does_not_end_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    put_in_place(tmp_path, monkeypatch, THAT_HANGS)
    monkeypatch.setattr(command, "TIME_LIMIT", 0)
    assert command.main([NAME]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "Elixir 0",
        f"{DIFFERS}: it has not ended within 0 s",
    ]


def test_a_script_that_needs_more_is_not_said_to_be_right(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    put_in_place(tmp_path, monkeypatch, 'echo "there is no GenStage" >&2; exit 3')
    assert command.main([NAME]) == 2
    assert capsys.readouterr().out.splitlines() == [
        "Elixir 0",
        f"{NAME:{command.WIDTH}} NOT CHECKED: there is no GenStage",
    ]


def test_without_elixir_nothing_is_said_to_be_right(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert command.main([]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "Elixir is not installed" in said.err
    assert "apt install elixir" in said.err


def test_the_differences_are_listed_without_elixir(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert command.main(["--differences"]) == 0
    assert capsys.readouterr().out == f"{table()}\n"


def test_an_unknown_trace_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        command.main(["99_nothing"])
    assert left.value.code == 2
    assert "unknown: 99_nothing" in capsys.readouterr().err
