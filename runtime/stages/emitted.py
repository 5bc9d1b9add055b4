"""What a callback of a stage has returned: events, ``Stop``, or a slip."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, TypeAlias, TypeVar, cast

import msgspec

from runtime.callback_results import bad_result
from runtime.outcomes import Outcome, Stop
from runtime.process import Process
from runtime.user_code import call_user

T = TypeVar("T")

Emitted: TypeAlias = Iterable[T] | Stop | None
"""Events, in order, or ``Stop(reason)``; both by ``emit`` first."""

_EVENTS_MAY: Final = "an iterable of events, None and Stop(reason)"
_NOT_EVENTS: Final = (str, bytes, bytearray, Mapping, msgspec.Struct, Outcome)


def events_in(
    process: Process, stage: object, callback: str, result: object
) -> tuple[list[T], Stop | None]:
    """The events that were returned, or the ``Stop``; ``BadResult`` for anything else."""
    if type(result) is list:
        return result.copy(), None  # what the user has kept of it is the user's
    if result is None or isinstance(result, Stop):
        return [], stop_in(process, stage, callback, result)
    if isinstance(result, _NOT_EVENTS) or not isinstance(result, Iterable):
        raise bad_result(process, stage, callback, result, _EVENTS_MAY)
    return call_user(list, cast("Iterable[T]", result)), None


def stop_in(
    process: Process, stage: object, callback: str, result: object, allowed: str = ""
) -> Stop | None:
    """``Stop`` or ``None``, from a callback that has nothing else to say."""
    if result is None or (isinstance(result, Stop) and result.reply is msgspec.UNSET):
        return result
    raise bad_result(process, stage, callback, result, f"{allowed}None and Stop(reason)")
