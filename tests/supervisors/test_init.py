"""The package as it is imported."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import supervisors

ROOT = Path(supervisors.__file__).parents[1]


def import_beside(foreign: Path) -> subprocess.CompletedProcess[str]:
    """Import supervisors with ``foreign`` first on the path."""
    program = f"import sys; sys.path[:0] = [{str(foreign)!r}, {str(ROOT)!r}]; import supervisors"
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("kind", ["module", "package", "namespace"])
def test_a_foreign_package_called_runtime_is_named_in_the_error(tmp_path: Path, kind: str) -> None:
    """DESIGN 1: whatever kind of package it is."""
    if kind == "module":
        (tmp_path / "runtime.py").touch()
    else:
        (tmp_path / "runtime").mkdir()
        if kind == "package":
            (tmp_path / "runtime" / "__init__.py").touch()
    if kind == "namespace":
        # a regular package further down the path would win over it
        done = import_alone(tmp_path)
    else:
        done = import_beside(tmp_path)
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("ImportError: supervisors needs the package 'runtime' of trio-otp")
    assert str(tmp_path) in last


def import_alone(foreign: Path) -> subprocess.CompletedProcess[str]:
    """Only supervisors and the foreign package are there: no site-packages (``-S``)."""
    (foreign / "supervisors").symlink_to(ROOT / "supervisors")
    program = f"import sys; sys.path.insert(0, {str(foreign)!r}); import supervisors"
    return subprocess.run(
        [sys.executable, "-S", "-c", program],
        capture_output=True,
        text=True,
        check=False,
        cwd=foreign,
    )


def test_the_right_one_is_no_error(tmp_path: Path) -> None:
    done = import_beside(tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


def test_everything_in_all_is_there_and_says_its_public_path() -> None:
    for name in supervisors.__all__:
        public = getattr(supervisors, name)
        if isinstance(public, type):
            assert public.__module__ == "supervisors"
    assert list(supervisors.__all__) == sorted(supervisors.__all__)
    assert supervisors.Supervisor.__module__ == "supervisors"
