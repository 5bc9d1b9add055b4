"""What a callback has returned, against what it was given. Pure.

Messages are told apart by their ``holding``. What is missing is failed, never lost; what was not
given, or twice, makes the result wrong. The failure of a message is the exception, or a
``BadResult`` (``runtime``) whose text names the callback and what is allowed.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import cast

from runtime.containment import short_repr
from runtime.errors import BadResult
from supervisors.pipeline.holding import Holding
from supervisors.pipeline.message import AnyMessage, is_message

THE_MESSAGE = "the message it was given, perhaps changed by the message's methods"
THE_MESSAGES = "a list of the messages it was given, each once, perhaps changed"


def checked_message(
    callback: str, given: AnyMessage, returned: object, batchers: Collection[str]
) -> AnyMessage:
    """What ``handle_message`` made of one; failed if it is no such message or its batcher unknown.

    ``batchers`` is empty where there are none.
    """
    found = _found([given], [returned])
    if not found:
        return given.fail(wrong_result(callback, returned, THE_MESSAGE))
    message = found[given.holding]
    if batchers and message.failure is None and message.batcher not in batchers:
        names = ", ".join(map(repr, sorted(batchers)))
        to = message.batcher
        unknown = f"{callback}: got the batcher {short_repr(to)}, allowed are {names}"
        return message.fail(BadResult(unknown, to))
    return message


def checked_chunk(
    callback: str, given: Sequence[AnyMessage], returned: object
) -> list[AnyMessage] | None:
    """All that ``prepare_messages`` was given, in the order returned; ``None`` if that is wrong."""
    found = _found(given, returned)
    return None if found is None or len(found) < len(given) else list(found.values())


def checked_batch(callback: str, given: Sequence[AnyMessage], returned: object) -> list[AnyMessage]:
    """All that ``handle_batch`` was given: as returned, then what is missing, failed."""
    found = _found(given, returned)
    if found is None:
        wrong = wrong_result(callback, returned, THE_MESSAGES)
        return [message.fail(wrong) for message in given]
    missing = [message for message in given if message.holding not in found]
    if not missing:
        return list(found.values())
    forgotten = f"{callback} returned without this message, allowed is {THE_MESSAGES}"
    wrong = BadResult(forgotten, returned)
    return [*found.values(), *(message.fail(wrong) for message in missing)]


def checked_failed(
    callback: str, given: Sequence[AnyMessage], returned: object
) -> tuple[list[AnyMessage], Exception | None]:
    """All that ``handle_failed`` was given, rewritten where it did so, and what was wrong, if so.

    Each stays failed, whatever it returned, and in its place.
    """
    found = _found(given, returned)
    complete = found is not None and len(found) == len(given)
    wrong = None if complete else wrong_result(callback, returned, THE_MESSAGES)
    known = found or {}
    rewritten = (known.get(message.holding, message) for message in given)
    return [
        now.fail(before.failure) if now.failure is None else now
        for before, now in zip(given, rewritten, strict=True)
    ], wrong


def wrong_result(callback: str, returned: object, allowed: str) -> Exception:
    """The ``BadResult`` that says so."""
    return BadResult(f"{callback} returned {short_repr(returned)}, allowed is {allowed}", returned)


def _found(given: Sequence[AnyMessage], returned: object) -> dict[Holding, AnyMessage] | None:
    """Those given that were returned, in that order; ``None`` if what was returned is wrong."""
    if not isinstance(returned, list | tuple):
        return None
    known = {message.holding for message in given}
    found: dict[Holding, AnyMessage] = {}
    for one in cast("Sequence[object]", returned):
        if not is_message(one) or one.holding not in known or one.holding in found:
            return None
        found[one.holding] = one
    return found
