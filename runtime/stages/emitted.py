"""What a callback of a stage has returned: events, ``Stop``, or a slip."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, TypeAlias, TypeVar

import msgspec

from runtime.callback_results import bad_result
from runtime.containment import short_repr
from runtime.outcomes import Outcome, Stop
from runtime.process import Process
from runtime.user_code import call_user

T = TypeVar("T")

Emitted: TypeAlias = Iterable[T] | Stop | None
"""Events, in order, or ``Stop(reason)``; both by ``emit`` first."""

_EVENTS_MAY: Final = "an iterable of events, None and Stop(reason)"
_NOT_EVENTS: Final = (str, bytes, bytearray, Mapping, msgspec.Struct, Outcome)


def events_in(
    process: Process, stage: object, callback: str, result: Emitted[T]
) -> tuple[list[T], Stop | None]:
    """The events that were returned, or the ``Stop``; ``BadResult`` for anything else."""
    if result is None or isinstance(result, Stop):
        return [], stop_in(process, stage, callback, result)
    if not _is_iterable(result):
        raise bad_result(process, stage, callback, result, _EVENTS_MAY)
    return _copied(result), None


def iterated(events: Iterable[T]) -> list[T]:
    """The events that are to be emitted; ``TypeError`` for what is one event, surely."""
    if not _is_iterable(events):
        raise TypeError(
            f"events: got {short_repr(events)}, allowed is an iterable of events: [event] for one"
        )
    return _copied(events)


def _copied(events: Iterable[T]) -> list[T]:
    """A list of its own: what the user has kept of it is the user's."""
    copied: list[T] = []
    call_user(copied.extend, events)
    return copied


def _is_iterable(result: object) -> bool:
    if type(result) is list:
        return True
    return isinstance(result, Iterable) and not isinstance(result, _NOT_EVENTS)


def stop_in(
    process: Process, stage: object, callback: str, result: object, allowed: str = ""
) -> Stop | None:
    """``Stop`` or ``None``, from a callback that has nothing else to say."""
    if result is None or (isinstance(result, Stop) and result.reply is msgspec.UNSET):
        return result
    raise bad_result(process, stage, callback, result, f"{allowed}None and Stop(reason)")
