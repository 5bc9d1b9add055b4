"""What a callback has returned, against what it was given. Pure.

Messages are told apart by their ``holding``. What is missing is failed, never lost; what was not
given, or twice, makes the result wrong. The failure of a message is the exception, or a
``BadResult`` (``runtime``) whose text names the callback and what is allowed.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from supervisors.pipeline.message import Message


def checked_message(
    callback: str, given: Message[Any], returned: object, batchers: Collection[str]
) -> Message[Any]:
    """What ``handle_message`` made of one; failed if it is no such message or its batcher unknown.

    ``batchers`` is empty where there are none.
    """
    raise NotImplementedError


def checked_chunk(
    callback: str, given: Sequence[Message[Any]], returned: object
) -> list[Message[Any]] | None:
    """All that ``prepare_messages`` was given, in the order returned; ``None`` if that is wrong."""
    raise NotImplementedError


def checked_batch(
    callback: str, given: Sequence[Message[Any]], returned: object
) -> list[Message[Any]]:
    """All that ``handle_batch`` was given: as returned, then what is missing, failed."""
    raise NotImplementedError


def checked_failed(
    callback: str, given: Sequence[Message[Any]], returned: object
) -> tuple[list[Message[Any]], Exception | None]:
    """All that ``handle_failed`` was given, rewritten where it did so, and what was wrong, if so.

    Each stays failed, whatever it returned.
    """
    raise NotImplementedError


def wrong_result(callback: str, returned: object, allowed: str) -> Exception:
    """The ``BadResult`` that says so."""
    raise NotImplementedError
