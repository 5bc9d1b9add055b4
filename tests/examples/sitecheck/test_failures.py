from __future__ import annotations

import socket
import ssl

import httpx2
import pytest

from examples.sitecheck.body import BadBody
from examples.sitecheck.failures import explain


def caused(error: Exception, cause: BaseException) -> Exception:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (caused(httpx2.ConnectError("x"), socket.gaierror(-2, "no such")), "unknown host"),
        (
            caused(httpx2.ConnectError("x"), ExceptionGroup("all", [ConnectionRefusedError()])),
            "connection refused",
        ),
        (
            caused(httpx2.ConnectError("x"), OSError(113, "No route to host")),
            "cannot connect: No route to host",
        ),
        (httpx2.ConnectError("many\nlines"), "cannot connect: many lines"),
        (
            caused(httpx2.ConnectError("x"), ssl.SSLError(1, "[SSL] bad certificate")),
            "TLS: [SSL] bad certificate",
        ),
        (httpx2.ConnectTimeout("x"), "no answer in time"),
        (
            caused(httpx2.ReadError(""), ConnectionResetError(104, "Connection reset by peer")),
            "connection broken: Connection reset by peer",
        ),
        (httpx2.RemoteProtocolError("what?"), "not proper HTTP: what?"),
        (httpx2.InvalidURL("what?"), "bad URL: what?"),
        (BadBody("body cannot be decoded: x"), "body cannot be decoded: x"),
        (httpx2.TransportError(""), "TransportError: TransportError"),
    ],
)
def test_an_error_is_explained_in_one_line(error: Exception, words: str) -> None:
    assert explain(error).startswith(words)
    assert "\n" not in explain(error)
