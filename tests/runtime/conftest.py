"""What the tests of reports have at hand: the lines that were logged, what reached the hook."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support import captured_logs


@pytest.fixture
def logs() -> Iterator[list[Any]]:
    """Every line that is logged, as the dict it is before it is rendered."""
    with captured_logs() as lines:
        yield lines


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> list[BaseException]:
    """What reached ``sys.excepthook``."""
    caught: list[BaseException] = []
    monkeypatch.setattr(sys, "excepthook", lambda _kind, exc, _trace: caught.append(exc))
    return caught
