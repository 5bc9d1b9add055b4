"""What a callback has returned: a reply, an instruction, or a slip, and what is said of slips."""

from __future__ import annotations

from types import CoroutineType
from typing import Final, cast

from runtime.containment import attempt, short_repr
from runtime.errors import BadResult, UnhandledMessage
from runtime.messages import Call
from runtime.outcomes import Outcome
from runtime.process import Process
from runtime.reply_types import admits_none

INIT_MAY: Final = "None, Continue(arg), Idle(seconds), Stop(reason) and Ignore()"
CALL_MAY: Final = "the reply, Reply(value), NoReply() and Stop(reason)"
CAST_MAY: Final = "None, Continue(arg), Idle(seconds), NoReply() and Stop(reason) without a reply"
_VALUES: Final = frozenset({bool, int, float, str, bytes, tuple, list, dict, set, frozenset})
_IN_PYTHON: Final = 1 << 9  # Py_TPFLAGS_HEAPTYPE: the class is not built in


class CallHandler:
    """The method of a server that takes one class of calls; ``plain`` if it is a ``def``.

    Most handlers always return values of one class. It is kept in ``reply_kind``, and of a value of
    that class nothing has to be asked.
    """

    __slots__ = ("name", "plain", "reply_kind", "wants_reply_to")

    def __init__(self, name: str, *, wants_reply_to: bool, plain: bool) -> None:
        self.name = name
        self.wants_reply_to = wants_reply_to
        self.plain = plain
        self.reply_kind: type | None = None

    def has_replied(self, request: object, result: object) -> bool:
        """Whether what it returned is simply a reply."""
        if not is_plain_reply(request, result):
            return False
        kind = type(result)
        if attempt(_is_honest, kind)[0]:
            self.reply_kind = kind
        return True


def is_known_value(result: object) -> bool:
    """Whether it is of a class of values that can only be a reply: the quick way to say so."""
    kind = type(result)
    return type(kind) is type and kind in _VALUES


def is_plain_reply(request: object, result: object) -> bool:
    """Whether a handler that returned this has simply replied. It never raises.

    A value may lie about its class, or raise when it is asked: then the answer is no.
    """
    return attempt(_is_plain_reply, request, result)[0] is True


def _is_plain_reply(request: object, result: object) -> bool:
    if result is None:
        return admits_none(cast("type[Call[object]]", type(request)))
    if type(result) is CoroutineType:
        return False
    return not (isinstance(result, Outcome) or is_outcome_class(result))


def _is_honest(kind: type) -> bool:
    """Whether no value of this class can say that it is of another."""
    written = [vars(base) for base in kind.__mro__ if base.__flags__ & _IN_PYTHON]
    return not any("__class__" in one or "__getattribute__" in one for one in written)


def is_outcome_class(result: object) -> bool:
    """``return NoReply`` instead of ``return NoReply()``."""
    return isinstance(result, type) and issubclass(result, Outcome)


def bad_result(
    process: Process, server: object, callback: str, result: object, allowed: str
) -> BadResult:
    """A callback returned what it may not."""
    return BadResult(
        f"{callback} of {type(server).__name__} returned {_shown(process, result)}, "
        f"allowed are {allowed}",
        result,
    )


def bad_none(server: object, request: object) -> BadResult:
    """A handler returned ``None`` for a call whose reply that cannot be."""
    return BadResult(
        f"handle_call of {type(server).__name__} returned None for {type(request).__name__}, whose "
        "reply type does not admit None: a branch without a return?",
        None,
    )


def wrong_server(
    process: Process, server: object, target: object, request: object
) -> UnhandledMessage:
    """A typed handle leads to a server that knows nothing of it."""
    return UnhandledMessage(
        f"{process.pid!r} runs {type(server).__name__}, which does not know "
        f"{type(request).__name__}: {short_repr(target)} is the wrong handle"
    )


def _shown(process: Process, result: object) -> str:
    """A result as ``redact`` lets messages be shown; a class where a value was meant."""
    if is_outcome_class(result):
        name: str = getattr(result, "__name__", "")
        return f"the class {name}, not a value: {name}(...)"
    return "None" if result is None else process.body.describe(result)
