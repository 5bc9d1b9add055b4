from __future__ import annotations

import sys

import pytest

from runtime.stack_room import has_room


def below(frames: int) -> bool:
    return below(frames - 1) if frames else has_room()


def test_there_is_room_until_half_of_the_stack_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    assert has_room()
    monkeypatch.setattr(sys, "getrecursionlimit", lambda: 400)
    assert below(100)
    assert not below(200)
