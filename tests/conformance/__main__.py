"""``python -m tests.conformance``: run every row, then count them; more arguments go to pytest."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.conformance.table import as_text

HERE = Path(__file__).parent


def main() -> int:
    """The table if all rows pass; pytest's own report and status if not."""
    # Not in this process, which has imported what pytest wants to rewrite.
    command = [sys.executable, "-m", "pytest", "--no-header", str(HERE), *sys.argv[1:]]
    done = subprocess.run(command, check=False)
    if done.returncode == 0:
        print(f"\n{as_text()}")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
