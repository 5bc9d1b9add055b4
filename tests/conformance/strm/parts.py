"""What the rows of streams share: a function that ends as its item says, and who is left."""

from __future__ import annotations

from typing import Any

from runtime import ExitReason, ProcessEnded, ProcessInfo, process_info, self_
from tests.conftest import Recorder


class Crash(Exception):
    """What a task of a stream raises."""


async def raises(item: Any) -> Any:
    """Raise the item if it can be raised, else return it."""
    if isinstance(item, BaseException):
        raise item
    return item


def my_info() -> ProcessInfo:
    """What can be seen of the calling process."""
    info = process_info(self_())
    assert info is not None
    return info


def ends(events: Recorder) -> list[ExitReason]:
    """Why processes have ended so far, in the order in which they did."""
    return [event.reason for event in events.of(ProcessEnded)]
