"""Starting the examples as the programs they are."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def start(*command: str) -> subprocess.Popen[str]:
    """``python`` with this command line, in the root of the project."""
    return subprocess.Popen(
        [sys.executable, *command],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "150"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(*command: str) -> subprocess.CompletedProcess[str]:
    """Run it to its end."""
    with start(*command) as program:
        output, errors = program.communicate(timeout=60)
    return subprocess.CompletedProcess(command, program.returncode, output, errors)
