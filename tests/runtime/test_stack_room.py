from __future__ import annotations

import sys

from runtime.stack_room import has_room


def below(frames: int) -> bool:
    return below(frames - 1) if frames else has_room()


def test_there_is_room_until_half_of_the_stack_is_used() -> None:
    assert has_room()
    assert below(sys.getrecursionlimit() // 2 - 200)
    assert not below(sys.getrecursionlimit() // 2)
