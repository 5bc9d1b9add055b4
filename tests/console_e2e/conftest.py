from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.console_e2e.terminals import Programs


@pytest.fixture
def programs(tmp_path: Path) -> Iterator[Programs]:
    """To start services and the command, with sockets of this test alone."""
    found = Programs(tmp_path)
    yield found
    found.close()
