"""Which HTTP errors are worth another try, and when: by status, by method, by Retry-After."""

from __future__ import annotations

import errno
import math
import socket
import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import partial
from typing import Any

import httpx2
import pytest
import stamina
import stamina.instrumentation
import trio
from hypothesis import given
from hypothesis import strategies as st

from runtime.retrying import IDEMPOTENT_METHODS, retry_after, retryable

NOW = datetime(2030, 1, 1, 12, tzinfo=UTC).timestamp()

again = partial(retryable, clock=lambda: NOW)


def at(seconds: float) -> str:
    """An HTTP date so many seconds from now."""
    return format_datetime(datetime.fromtimestamp(NOW + seconds, UTC), usegmt=True)


def answer(status: int, *retry_afters: str, method: str = "GET") -> httpx2.HTTPStatusError:
    request = httpx2.Request(method, "http://example.test/")
    headers = [("Retry-After", value) for value in retry_afters]
    response = httpx2.Response(status, request=request, headers=headers)
    return httpx2.HTTPStatusError(str(status), request=request, response=response)


# ---------------------------------------------------------------------- status and method


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_answers_that_may_be_others_the_next_time(status: int, method: str) -> None:
    """RT-01."""
    assert again()(answer(status, method=method)) is True


@pytest.mark.parametrize("status", [400, 401, 403, 404, 407, 409, 410, 422, 501, 505, 301, 200])
def test_answers_that_will_not(status: int) -> None:
    """RT-04."""
    assert again(idempotent=True)(answer(status, "1")) is False


@pytest.mark.parametrize("method", ["POST", "PATCH", "CONNECT", "post", "SEARCH"])
def test_a_request_that_may_do_harm_twice_is_not_repeated(method: str) -> None:
    """RT-02."""
    assert again()(answer(503, "1", method=method)) is False


@pytest.mark.parametrize("method", [*sorted(IDEMPOTENT_METHODS), "get"])
def test_a_request_that_does_no_harm_twice_is_repeated(method: str) -> None:
    """RT-01 differs: all methods that HTTP calls idempotent, not only GET and HEAD."""
    assert again()(answer(503, method=method)) is True


def test_all_requests_are_repeated_if_they_are_said_to_be_idempotent() -> None:
    """RT-03."""
    assert again(idempotent=True)(answer(503, method="POST")) is True


def test_the_methods_can_be_given() -> None:
    decide = again(methods=["get", "POST"])
    assert decide(answer(503, method="POST")) is True
    assert decide(answer(503, method="GET")) is True
    assert decide(answer(503, method="PUT")) is False


def test_an_answer_in_a_group_of_one_counts() -> None:
    assert again()(ExceptionGroup("", [answer(503, "7")])) == 7.0


class Odd(Exception):
    """Looks like an error of an HTTP client."""

    def __init__(self, **attributes: object) -> None:
        vars(self).update(attributes)


class Answer:
    def __init__(self, status_code: object, headers: object = ()) -> None:
        self.status_code = status_code
        self.headers = headers


class Get:
    method = "GET"


class Unwilling(Exception):
    @property
    def response(self) -> object:
        raise RuntimeError("not set")


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (Odd(response=Answer(503, {"retry-after": "3"}), request=Get()), 3.0),
        (Odd(response=Answer(503, None), request=Get()), True),
        (Odd(response=Answer(503, 5), request=Get()), True),
        (Odd(response=Answer(503, [("Retry-After",)]), request=Get()), True),
        (Odd(response=Answer(503, {"Retry-After": 5}), request=Get()), 5.0),
        (Odd(response=Answer(503)), False),
        (Odd(response=Answer("503"), request=Get()), False),
        (Odd(response=None, request=Get()), False),
        (Odd(request=Get()), False),
        (Unwilling(), False),
    ],
)
def test_an_http_error_is_known_by_what_it_looks_like(error: Exception, verdict: object) -> None:
    result = again()(error)
    assert (type(result), result) == (type(verdict), verdict)


# ---------------------------------------------------------------------- Retry-After


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("value", "seconds"),
    [("0", 0.0), ("7", 7.0), (" 7 ", 7.0), ("1.5", 1.5), (at(30), 30.0), (at(0), 0.0)],
)
def test_retry_after_is_honoured_in_both_forms(status: int, value: str, seconds: float) -> None:
    """RT-15, RT-16."""
    wait = again()(answer(status, value))
    assert not isinstance(wait, bool)
    assert wait == seconds


@pytest.mark.parametrize(
    "value",
    ["-1", at(-1), at(-1e6), "", "soon", "nan", "inf", "1e3", "1_000", "7 s", "Sun, 99 Foo"],
)
def test_what_is_negative_past_or_unreadable_is_ignored(value: str) -> None:
    """RT-17."""
    assert again()(answer(503, value)) is True


@pytest.mark.parametrize("status", [408, 500, 502, 504])
def test_retry_after_of_other_answers_is_ignored(status: int) -> None:
    """RT-18."""
    assert again()(answer(status, "7")) is True


@pytest.mark.parametrize("value", ["61", at(3600), "9" * 400, "9" * 5000, at(1e9)])
def test_retry_after_is_capped(value: str) -> None:
    """RT-20 differs: a server cannot put its clients to sleep for a day."""
    assert again()(answer(503, value)) == 60.0
    assert again(max_retry_after=5)(answer(503, value)) == 5
    assert again(max_retry_after=math.inf)(answer(503, value)) > 60.0


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        (("1", "7"), 7.0),
        (("7, 1",), 7.0),
        ((at(5), "1"), 5.0),
        ((f"1, {at(5)}, {at(3)}",), 5.0),
        (("soon", "-1"), True),
        (("soon", "2"), 2.0),
    ],
)
def test_of_several_retry_afters_the_longest_counts(
    values: tuple[str, ...], verdict: bool | float
) -> None:
    """RT-21 differs: it is no crash."""
    assert again()(answer(429, *values)) == verdict


def test_retry_after_is_read_from_mappings_pairs_and_clients_headers() -> None:
    for headers in (
        {"RETRY-AFTER": "7", "Date": "x"},
        [("Date", "x"), ("retry-after", "7"), ("Retry-After", "1")],
        httpx2.Headers([("Retry-After", "7"), ("retry-after", "1")]),
    ):
        assert retry_after(headers, NOW) == 7.0
    assert retry_after({}, NOW) is None


@pytest.mark.parametrize(
    "date",
    [
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
    ],
)
def test_all_three_forms_of_an_http_date_are_read(date: str) -> None:
    assert retry_after({"Retry-After": date}, 784111770.0) == 7.0


@given(
    st.lists(st.text() | st.integers().map(str) | st.floats(-1e12, 1e11).map(lambda s: at(s % 1e9)))
)
def test_no_header_whatsoever_crashes(values: list[str]) -> None:
    wait = retry_after([("Retry-After", value) for value in values], NOW)
    assert wait is None or wait >= 0


@given(st.integers(0, 10**9))
def test_a_date_and_its_seconds_say_the_same(seconds: int) -> None:
    assert retry_after({"Retry-After": at(seconds)}, NOW) == seconds
    assert retry_after({"Retry-After": str(seconds)}, NOW) == seconds


# ---------------------------------------------------------------------- transport


def transport(error: type[httpx2.TransportError], method: str = "GET") -> httpx2.TransportError:
    return error("", request=httpx2.Request(method, "http://example.test/"))


@pytest.mark.parametrize(
    "error",
    [
        httpx2.ConnectTimeout,
        httpx2.ReadTimeout,
        httpx2.WriteTimeout,
        httpx2.ConnectError,
        httpx2.ReadError,
        httpx2.WriteError,
        httpx2.CloseError,
        httpx2.RemoteProtocolError,
    ],
)
def test_transport_errors_that_may_pass(error: type[httpx2.TransportError]) -> None:
    """RT-05, RT-32."""
    assert again()(transport(error)) is True


@pytest.mark.parametrize(
    "error",
    [httpx2.PoolTimeout, httpx2.LocalProtocolError, httpx2.ProxyError, httpx2.UnsupportedProtocol],
)
def test_transport_errors_that_will_not(error: type[httpx2.TransportError]) -> None:
    """RT-06 differs: that no connection is free is the program's own overload."""
    assert again(idempotent=True)(transport(error)) is False


@pytest.mark.parametrize("error", [httpx2.DecodingError, httpx2.TooManyRedirects])
def test_an_answer_that_cannot_be_read_is_not_asked_for_again(
    error: type[httpx2.RequestError],
) -> None:
    """RT-24."""
    assert again(idempotent=True)(error("")) is False


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (httpx2.ConnectError, True),
        (httpx2.ConnectTimeout, True),
        (httpx2.ReadTimeout, False),
        (httpx2.ReadError, False),
        (httpx2.RemoteProtocolError, False),
    ],
)
def test_a_post_is_repeated_only_if_it_was_never_sent(
    error: type[httpx2.TransportError], verdict: bool
) -> None:
    assert again()(transport(error, "POST")) is verdict
    assert again(idempotent=True)(transport(error, "POST")) is True


def test_a_transport_error_that_does_not_know_its_request_is_taken_for_a_post() -> None:
    assert again()(httpx2.ReadError("")) is False
    assert again(idempotent=True)(httpx2.ReadError("")) is True


def test_errors_of_others_that_are_only_called_alike_are_not_meant() -> None:
    class ReadError(Exception): ...

    assert again(idempotent=True)(ReadError()) is False


@pytest.mark.parametrize(
    ("root", "verdict"),
    [
        (ssl.SSLCertVerificationError(1, "self-signed"), False),
        (ssl.SSLEOFError(8, "cut"), True),
        (ConnectionResetError(), True),
        (socket.gaierror(socket.EAI_NONAME, "no such name"), False),
        (socket.gaierror(socket.EAI_AGAIN, "try again"), True),
        (ExceptionGroup("", [PermissionError(errno.EACCES, "firewall")]), False),
        (ExceptionGroup("", [ConnectionRefusedError(), OSError(errno.EADDRNOTAVAIL, "")]), True),
        (RuntimeError(), True),
    ],
    ids=repr,
)
def test_what_is_behind_a_transport_error_can_only_forbid(root: Exception, verdict: bool) -> None:
    """The client hides what httpcore got from the socket; it stands in the context."""
    hiding = RuntimeError()
    hiding.__context__, hiding.__suppress_context__ = root, True
    error = transport(httpx2.ConnectError)
    error.__cause__ = hiding
    assert again()(error) is verdict


# ---------------------------------------------------------------------- for real


async def error_of(
    nursery: trio.Nursery,
    serve: Callable[[trio.SocketStream], Any],
    scheme: str = "http",
    method: str = "GET",
) -> httpx2.TransportError:
    """What the client gets from a server."""
    listening = partial(trio.serve_tcp, serve, 0, host="127.0.0.1")
    listeners: list[trio.SocketListener] = await nursery.start(listening)
    port = listeners[0].socket.getsockname()[1]
    async with httpx2.AsyncClient(trust_env=False, timeout=5.0) as client:
        with pytest.raises(httpx2.TransportError) as caught:
            await client.request(method, f"{scheme}://127.0.0.1:{port}/")
    return caught.value


async def hang_up(stream: trio.SocketStream) -> None:
    await stream.receive_some()
    await stream.aclose()


async def no_tls(stream: trio.SocketStream) -> None:
    await stream.receive_some()
    await stream.send_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")


@pytest.mark.real_clock
async def test_a_server_that_hangs_up_is_asked_again_but_not_to_do_something() -> None:
    async with trio.open_nursery() as nursery:
        assert again()(await error_of(nursery, hang_up)) is True
        assert again()(await error_of(nursery, hang_up, method="POST")) is False
        nursery.cancel_scope.cancel()


@pytest.mark.real_clock
async def test_a_server_that_speaks_no_tls_is_not_asked_again() -> None:
    async with trio.open_nursery() as nursery:
        assert again()(await error_of(nursery, no_tls, "https")) is False
        nursery.cancel_scope.cancel()


async def test_stamina_waits_as_long_as_the_server_says() -> None:
    """RT-09: a delay replaces stamina's own, jitter and maximum included."""
    tries: list[float] = []
    stamina.instrumentation.set_on_retry_hooks([])
    try:
        async for attempt in stamina.retry_context(on=again(), wait_max=1.0, timeout=None):
            with attempt:
                tries.append(trio.current_time())
                if len(tries) == 1:
                    raise answer(503, "30")
    finally:
        stamina.instrumentation.set_on_retry_hooks(None)
    assert tries[1] - tries[0] == 30.0
