"""The exit status of ``otp``, and what it says when something is wrong."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from runtime.console.places import SOCKETS
from supervisors.command import main as main_module
from supervisors.command.arguments import Arguments
from supervisors.command.main import main
from supervisors.command.problems import Declined, NoService

ROOT = Path(__file__).parents[2]
WITHOUT = """
import sys
sys.modules[{module!r}] = None
from supervisors.command.main import main
sys.exit(main(["list"]))
"""


def raising(error: BaseException) -> object:
    def perform(arguments: Arguments) -> None:
        raise error

    return perform


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (NoService("nobody"), 2, "otp: nobody\n"),
        (Declined("ValueError", "Traceback\nValueError\n"), 1, "Traceback\nValueError\n"),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_a_problem_is_a_line_and_a_status(
    error: BaseException,
    status: int,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(main_module, "perform", raising(error))
    assert main(["list"]) == status
    assert capsys.readouterr() == ("", said)


def test_what_went_well_is_zero(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Arguments] = []
    monkeypatch.setattr(main_module, "perform", asked.append)
    monkeypatch.setattr(sys, "argv", ["otp", "stack", "shop"])
    assert main() == 0
    assert asked == [Arguments(command="stack", service="shop")]


def program(tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**os.environ, SOCKETS: str(tmp_path), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("module", ["rich.console", "prompt_toolkit"])
def test_without_the_extra_it_says_what_to_install(tmp_path: Path, module: str) -> None:
    done = program(tmp_path, "-c", WITHOUT.format(module=module))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == ("otp: its screens are not installed: pip install 'trio-otp[console]'\n")


def test_what_else_cannot_be_imported_is_a_bug(tmp_path: Path) -> None:
    done = program(tmp_path, "-c", WITHOUT.format(module="supervisors.command.top"))
    assert done.returncode == 1
    assert "Traceback" in done.stderr


def test_a_reader_that_has_enough_is_no_failure(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as closed:
        done = subprocess.run(
            [sys.executable, "-m", "supervisors.command", "list", "--json"],
            cwd=ROOT,
            env={**os.environ, SOCKETS: str(tmp_path), "PYTHONPATH": str(ROOT)},
            stdout=closed,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    assert (done.returncode, done.stderr) == (0, "")
