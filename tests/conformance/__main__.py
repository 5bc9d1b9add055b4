"""``python -m tests.conformance``: run every row, then count them; more arguments go to pytest."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.conformance.table import as_text

HERE = Path(__file__).parent


def main() -> int:
    """The table if all rows pass; pytest's own report and status if not."""
    status = int(pytest.main(["--no-header", str(HERE), *sys.argv[1:]]))
    if status == 0:
        print(f"\n{as_text()}")
    return status


if __name__ == "__main__":
    sys.exit(main())
