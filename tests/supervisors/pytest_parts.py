"""A project of a user: a file of tests, run by pytest with the plugin."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

HEAD = """
import pytest, trio
from runtime import *
from runtime.testing import *
from supervisors import *

class Log(GenServer):
    def __init__(self, name, log=None):
        self.name, self.log = name, log
    def terminate(self, reason):
        if self.log is not None:
            self.log.append((self.name, type(reason).__name__))

log = []

"""


def run_pytest(folder: Path, tests: str, *options: str) -> tuple[dict[str, str], str]:
    """What became of each test, and what was printed."""
    (folder / "test_it.py").write_text(HEAD + tests)
    (folder / "pytest.ini").write_text("[pytest]\ntrio_mode = true\nfilterwarnings = error\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-rA", "--strict-markers", "-p", "no:cacheprovider",
         "--color=no", *options],
        cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200"},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    outcome = r"^(PASSED|FAILED|ERROR|XFAIL) test_it\.py::(\w+)"
    found = re.findall(outcome, done.stdout, re.MULTILINE)
    return {name: became for became, name in found}, done.stdout + done.stderr
