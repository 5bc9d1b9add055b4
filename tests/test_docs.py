"""The programs in docs/ print what is shown beside them, and the files they link to exist."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TEXTS = {path.name: path.read_text() for path in sorted((ROOT / "docs").glob("*.md"))}
SHOWN = re.compile(r"```python\n(.*?)```\n\n```text\n(.*?)```", re.DOTALL)
PROGRAMS = [(name, *found) for name, text in TEXTS.items() for found in SHOWN.findall(text)]


@pytest.mark.parametrize(
    ("program", "output"),
    [(program, output) for _, program, output in PROGRAMS],
    ids=[f"{name}-{number}" for number, (name, *_) in enumerate(PROGRAMS)],
)
def test_a_program_prints_what_is_shown(tmp_path: Path, program: str, output: str) -> None:
    (tmp_path / "program.py").write_text(program)
    done = subprocess.run(
        [sys.executable, "-W", "error", "program.py"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.stdout, done.stderr, done.returncode) == (output, "", 0)


def test_every_program_has_its_output() -> None:
    assert sum(text.count("```python") for text in TEXTS.values()) == len(PROGRAMS) > 5


@pytest.mark.parametrize("name", TEXTS)
def test_every_file_it_links_to_exists(name: str) -> None:
    prose = re.sub(r"```.*?```", "", TEXTS[name], flags=re.DOTALL)
    for link in re.findall(r"\]\((?!https?:|#)([^)#]*)[^)]*\)", prose):
        assert (ROOT / "docs" / link).exists(), link
