"""Our values as Elixir's ``inspect`` shows them: what the traces of stages are written with.

The others bare their atoms; these keep the colon, ``:normal``, and a space after each comma.
"""

from __future__ import annotations

import re

from runtime import Crashed, Killed, NoProcess, Normal, Pid, Ref, Shutdown
from runtime.stages import SubscriptionEnded
from supervisors import GaveUp

LONGEST = 60
"""So much of an exception's text is shown."""

NAMES: dict[type[BaseException], str] = {TypeError: "ArgumentError", ValueError: "ArgumentError"}
"""Python's names of exceptions that Elixir calls otherwise."""

RAISED: dict[str, str] = {
    r"hash: got (\S+) for the event (\S+), allowed are .*": (
        r"RuntimeError: unknown partition \1 computed for GenStage event \2. The known"
    ),
}
"""What an exception of ours says, and what Elixir's says there, as far as it is shown."""


def inspected(value: object) -> str:
    """A value, a reason or the end of a subscription."""
    match value:
        case None:
            return "nil"
        case bool():
            return "true" if value else "false"
        case str():
            return f":{value}"
        case int():
            return str(value)
        case list():
            return f"[{', '.join(map(inspected, value))}]"
        case tuple():
            return f"{{{', '.join(map(inspected, value))}}}"
        case dict():
            return f"%{{{', '.join(f'{key}: {inspected(one)}' for key, one in value.items())}}}"
        case Normal():
            return ":normal"
        case Shutdown(detail=None):
            return ":shutdown"
        case Shutdown(detail=detail):
            return inspected(("shutdown", detail))
        case GaveUp():
            return ":gave_up"
        case Killed():
            return ":killed"
        case NoProcess():
            return ":noproc"
        case Pid() | Ref():
            return "PID"
        case SubscriptionEnded(how=how, reason=reason):
            return inspected((how, reason))
        case Crashed(exception=error):
            return raised(error)
        case _:
            raise TypeError(f"Elixir has no words yet for {value!r}: add them here")


def raised(error: BaseException) -> str:
    """An exception by its Elixir name, and the beginning of its text."""
    for ours, theirs in RAISED.items():
        if found := re.fullmatch(ours, str(error)):
            return found.expand(theirs)
    text = re.sub(r"<Pid[^>]*>", "PID", str(error))
    return f"{NAMES.get(type(error), type(error).__name__)}: {text[:LONGEST]}"


def keywords(pairs: list[tuple[str, object]]) -> str:
    """A keyword list, ``[even: 2, even: 4]``."""
    return f"[{', '.join(f'{key}: {inspected(value)}' for key, value in pairs)}]"


TEXTS: dict[str, str] = {
    r"(\w+): got (-?\d+), allowed is (\d+) or more": (
        r"expected :\1 to be equal to or greater than \3, got: \2"
    ),
    r"(\w+): got (-\d+), allowed is (\d+) to \d+": (
        r"expected :\1 to be equal to or greater than \3, got: \2"
    ),
    r"(\w+): got (\d+), allowed is \d+ to (\d+)": (
        r"expected :\1 to be equal to or less than \3, got: \2"
    ),
    r"cancel: got '(\w+)', allowed are 'permanent', 'transient', 'temporary'": (
        r"expected :cancel to be one of [:temporary, :transient, :permanent], got: :\1"
    ),
}
"""What a refused subscription says, and what Elixir says there."""


def refusal_of(error: Exception) -> str:
    """The text of a refused subscription in Elixir's words."""
    for ours, theirs in TEXTS.items():
        if found := re.fullmatch(ours, str(error)):
            return found.expand(theirs)
    raise TypeError(f"Elixir has no words yet for {str(error)!r}: add them here")
