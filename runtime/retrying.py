"""What is worth another try. The loop that tries again is stamina's; this is what it asks.

``stamina.retry(on=retryable())`` waits and counts, ``retryable`` looks at the error. It knows the
errors of sockets, of Trio and of this runtime, and those of an HTTP client by what they look like,
so none is needed here: what has a ``response`` is an answer, and the transport errors of httpx2 are
known by the names of their classes.
"""

from __future__ import annotations

import errno
import re
import socket
import ssl
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final, TypeAlias, cast

import trio

from runtime.containment import attempt
from runtime.crash_reasons import leaves
from runtime.errors import CallExit, MailboxFull
from runtime.exits import NoProcess
from runtime.outcomes import check_seconds

Headers: TypeAlias = Mapping[str, str] | Iterable[tuple[str, str]]
"""The headers of a response: a mapping, or pairs, of which several may have one name."""
Retryable: TypeAlias = Callable[[BaseException], bool | float]
"""Says of an error: ``False``, not again; ``True``, again; seconds, again after so long."""

IDEMPOTENT_METHODS: Final = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PUT", "TRACE"})
"""The HTTP methods that do no harm when a request is sent twice (RFC 9110)."""

_STATUSES: Final = frozenset({408, 429, 500, 502, 503, 504})
_STATUSES_THAT_SAY_WHEN: Final = frozenset({429, 503})

# A look-up that failed; the others are answers (there is no such name) or slips of the program.
_LOOKUP_FAILED: Final = frozenset(
    {socket.EAI_AGAIN, socket.EAI_FAIL, socket.EAI_MEMORY, socket.EAI_SYSTEM}
)
_NETWORK: Final = frozenset(
    {
        errno.EHOSTDOWN, errno.EHOSTUNREACH, errno.ENETDOWN, errno.ENETRESET, errno.ENETUNREACH,
        errno.ENOBUFS, errno.ETIMEDOUT,
    }
)  # fmt: skip
_PASSING: Final = (TimeoutError, ConnectionError, trio.TooSlowError, MailboxFull)
_TLS_CUT: Final = (ssl.SSLEOFError, ssl.SSLSyscallError, ssl.SSLZeroReturnError)

_TRANSPORT: Final = "TransportError"
_TRANSPORT_PASSING: Final = frozenset({"TimeoutException", "NetworkError", "RemoteProtocolError"})
_TRANSPORT_UNSENT: Final = frozenset({"ConnectError", "ConnectTimeout"})
_POOL_TIMEOUT: Final = "PoolTimeout"

_PART: Final = re.compile(r"[A-Za-z]+,[^,]+|[^,]+")  # of a list; the comma in a date is none
_SECONDS: Final = re.compile(r"[0-9]+(?:\.[0-9]+)?")


def retryable(
    *,
    idempotent: bool = False,
    methods: Collection[str] = IDEMPOTENT_METHODS,
    max_retry_after: float = 60.0,
    clock: Callable[[], float] = time.time,
) -> Retryable:
    """A function for ``stamina.retry(on=...)``: whether an error is worth another try, and when.

    Worth it are: time-outs (``CallTimeout`` and ``trio.TooSlowError`` too); connections refused,
    reset or unreachable; look-ups of names that failed, but not names that do not exist;
    ``CallExit`` with ``NoProcess``, as long as a server is being restarted; ``MailboxFull``; the
    HTTP answers 408, 429, 500, 502, 503 and 504; httpx2's time-outs, network errors and broken
    answers. Not worth it is everything else: other answers, authentication, TLS (unless the
    connection was cut), ``PoolTimeout``, which is the program's own overload, cancellation. A group
    of one error counts as that error, a group of several as none of them.

    A request may have been carried out although it failed. So an HTTP request is repeated only if
    its method is one of ``methods``, or never was sent; ``idempotent=True`` says that all of them
    can be repeated, because they carry a key, say. For other errors, whether repeating does harm is
    for the caller to know.

    ``Retry-After`` of a 429 or 503 is returned in place of ``True``, at most ``max_retry_after``
    seconds. ``clock`` gives the seconds since the epoch that HTTP dates are compared with.
    """
    if not isinstance(idempotent, bool):
        raise TypeError(f"idempotent: got {idempotent!r}, allowed are True and False")
    repeatable = None if idempotent else _check_methods(methods)
    check_seconds("max_retry_after", max_retry_after)
    if not callable(clock):
        raise TypeError(f"clock: got {clock!r}, allowed is a function such as time.time")

    def worth_another_try(error: BaseException) -> bool | float:
        error = _only_member(error)
        response = _attribute(error, "response")
        status = _attribute(response, "status_code")
        if isinstance(status, int):
            if status not in _STATUSES or not _may_repeat(error, repeatable):
                return False
            return _delay(status, response, max_retry_after, clock)
        names = {cls.__name__ for cls in type(error).__mro__}
        if _TRANSPORT in names:
            return _transport_error_passes(error, names, repeatable)
        return _passes(error)

    return worth_another_try


def retry_after(headers: Headers, now: float) -> float | None:
    """How many seconds a response asks to wait, by its ``Retry-After``; ``None`` if it does not.

    Seconds and HTTP dates; ``now`` is in seconds since the epoch. What is negative, past or cannot
    be read is ignored; of several the longest counts.
    """
    waits = [
        wait
        for name, value in _pairs(headers)
        if str(name).lower() == "retry-after"
        for part in _PART.findall(str(value))
        if (wait := _wait(part.strip(), now)) is not None
    ]
    return max(waits, default=None)


# ---------------------------------------------------------------------- errors


def _only_member(error: BaseException) -> BaseException:
    """What is alone in a group, and in the groups in it."""
    members = leaves(error)
    return members[0] if len(members) == 1 else error


def _passes(error: BaseException) -> bool:
    verdict = _verdict(error)
    if verdict is None and _only_wraps(error):
        verdict = _verdict_of_cause(error)
    return verdict is True


def _verdict(error: BaseException) -> bool | None:
    """Whether an error passes, by what it is; ``None`` if that says nothing."""
    if isinstance(error, ssl.SSLError):
        return isinstance(error, _TLS_CUT)
    if isinstance(error, socket.gaierror):
        return error.errno in _LOOKUP_FAILED
    if isinstance(error, _PASSING):
        return True
    if isinstance(error, CallExit):
        return isinstance(error.reason, NoProcess)
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno in _NETWORK
    return None


def _only_wraps(error: BaseException) -> bool:
    """As Trio does it: the error of the socket is the cause."""
    return type(error) in (OSError, trio.BrokenResourceError)


def _verdict_of_cause(error: BaseException) -> bool | None:
    """That of the nearest cause that has one. Clients hide theirs with ``from None``."""
    seen: set[int] = set()
    cause = error.__cause__
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        verdicts = [_verdict(one) for one in leaves(cause)]  # one for each address of a host
        if True in verdicts:
            return True
        if False in verdicts:
            return False
        cause = cause.__cause__ or cause.__context__
    return None


# ---------------------------------------------------------------------- HTTP


def _check_methods(methods: object) -> frozenset[str]:
    what = f"methods: got {methods!r}, allowed are names of HTTP methods: {{'GET', 'PUT'}}"
    if isinstance(methods, str) or not isinstance(methods, Collection):
        raise TypeError(what)
    names = list(cast("Collection[object]", methods))
    if not all(isinstance(name, str) for name in names):
        raise TypeError(what)
    return frozenset(cast("str", name).upper() for name in names)


def _may_repeat(error: BaseException, repeatable: frozenset[str] | None) -> bool:
    """Whether this request may be sent twice; one whose method nobody knows may not."""
    if repeatable is None:
        return True
    method = _attribute(_attribute(error, "request"), "method")
    return isinstance(method, str) and method.upper() in repeatable


def _transport_error_passes(
    error: BaseException, names: set[str], repeatable: frozenset[str] | None
) -> bool:
    if _POOL_TIMEOUT in names or not names & _TRANSPORT_PASSING:
        return False
    if not names & _TRANSPORT_UNSENT and not _may_repeat(error, repeatable):
        return False
    return _verdict_of_cause(error) is not False


def _delay(status: int, response: object, most: float, clock: Callable[[], float]) -> bool | float:
    if status not in _STATUSES_THAT_SAY_WHEN:
        return True
    headers = cast("Headers", _attribute(response, "headers"))
    wait, _ = attempt(retry_after, headers, clock())
    return True if wait is None else min(wait, most)


def _attribute(holder: object, name: str) -> object:
    """An attribute of somebody else's object; ``None`` if it has none, or will not say."""
    value, _ = attempt(getattr, holder, name, None)
    return value


def _pairs(headers: Headers) -> Iterable[tuple[str, str]]:
    for method in ("multi_items", "items"):
        items: Callable[[], Iterable[tuple[str, str]]] | None = getattr(headers, method, None)
        if items is not None:
            return items()
    return cast("Iterable[tuple[str, str]]", headers)


def _wait(text: str, now: float) -> float | None:
    """One value of the header in seconds from now."""
    if _SECONDS.fullmatch(text):
        return float(text)
    date, _ = attempt(parsedate_to_datetime, text)
    if date is None:
        return None
    if date.tzinfo is None:
        date = date.replace(tzinfo=UTC)
    wait = date.timestamp() - now
    return wait if wait >= 0 else None
