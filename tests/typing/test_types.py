"""Both type checkers agree with every line of this folder.

The files beside this one are never run. What they say with ``assert_type`` must hold, and a line
with an ignore comment must be an error: both checkers are set to refuse a comment that ignores
nothing, ``# type: ignore`` speaking to mypy alone and ``# pyright: ignore`` to pyright.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
CASES = sorted(path for path in HERE.glob("*.py") if path.name != Path(__file__).name)


def checked_by(checker: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Run a checker over the cases, with what it keeps inside the checkout."""
    return subprocess.run(
        [sys.executable, "-m", checker, *options, *map(str, CASES)],
        cwd=ROOT,
        env={
            "PYRIGHT_PYTHON_CACHE_DIR": str(ROOT / ".pytest_cache" / "pyright"),
            "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1",
            **os.environ,
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def test_mypy_agrees() -> None:
    done = checked_by("mypy", "--strict", "--cache-dir", ".mypy_cache")
    assert (done.returncode, done.stderr) == (0, ""), done.stdout


def test_pyright_agrees() -> None:
    done = checked_by("pyright", "--pythonpath", sys.executable)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 errors, 0 warnings" in done.stdout


def test_a_comment_that_ignores_nothing_is_refused() -> None:
    """Else the negative cases would hold nothing."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
    (here,) = [
        one for one in settings["pyright"]["executionEnvironments"] if ROOT / one["root"] == HERE
    ]
    assert here["reportUnnecessaryTypeIgnoreComment"] == "error"
    assert here["enableTypeIgnoreComments"] is False
    assert settings["mypy"]["strict"] is True


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_case_is_refused_for_a_reason_that_is_named(path: Path) -> None:
    """One comment for each checker, unless only one of them can see it."""
    source = path.read_text()
    comments = re.findall(r"#\s*(type|pyright): ignore(\[[\w, -]+\])?", source)
    assert len(comments) > 10
    assert [kind for kind, reason in comments if not reason] == []
    assert "# !" not in source
