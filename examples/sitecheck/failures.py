"""What went wrong with a request, in words for a table."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator

import httpx2

from examples.sitecheck.body import BadBody


def explain(error: BaseException) -> str:
    """One short line for an error of the HTTP client."""
    causes = list(_causes(error))
    for cause in causes:
        if isinstance(cause, socket.gaierror):
            return "unknown host"
        if isinstance(cause, ConnectionRefusedError):
            return "connection refused"
        if isinstance(cause, ssl.SSLError):
            return f"TLS: {getattr(cause, 'reason', None) or _one_line(cause)}"
    match error:
        case httpx2.TimeoutException():
            return "no answer in time"
        case httpx2.ConnectError():
            return f"cannot connect: {_innermost(causes)}"
        case httpx2.RemoteProtocolError():
            return f"not proper HTTP: {_one_line(error)}"
        case httpx2.NetworkError():
            return f"connection broken: {_innermost(causes)}"
        case BadBody():
            return _one_line(error)
        case httpx2.InvalidURL() | httpx2.UnsupportedProtocol() | UnicodeError():
            return f"bad URL: {_one_line(error)}"
        case _:
            return f"{type(error).__name__}: {_one_line(error)}"


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error, what it came from, and the members of groups on the way."""
    while error is not None:
        yield error
        if isinstance(error, BaseExceptionGroup):
            for member in error.exceptions:
                yield from _causes(member)
        error = error.__cause__ or error.__context__


def _innermost(causes: list[BaseException]) -> str:
    texts = [cause.strerror for cause in causes if isinstance(cause, OSError) and cause.strerror]
    return texts[-1] if texts else _one_line(causes[0])


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
