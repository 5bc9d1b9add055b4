"""What is worth another try: errors of sockets, of Trio, of this runtime, and groups of them."""

from __future__ import annotations

import errno
import socket
import ssl
from typing import Any

import pytest
import stamina
import stamina.instrumentation
import trio

from runtime import (
    Call,
    CallCycle,
    CallExit,
    CallTimeout,
    Crashed,
    Killed,
    MailboxFull,
    NoProcess,
    Normal,
    Pid,
    ReceiveTimeout,
    ReplyDropped,
    StartTimeout,
)
from runtime.retrying import retryable
from tests.support import a_cancelled

AGAIN = retryable()


class Get(Call[int]):
    """A request."""


def caused_by(error: BaseException, cause: BaseException) -> BaseException:
    error.__cause__ = cause
    return error


def hidden_in(error: BaseException, context: BaseException) -> BaseException:
    """As with ``raise ... from None``."""
    error.__context__ = context
    error.__suppress_context__ = True
    return error


REFUSED = ConnectionRefusedError(errno.ECONNREFUSED, "refused")
NO_SUCH_NAME = socket.gaierror(socket.EAI_NONAME, "no such name")
BAD_CERTIFICATE = ssl.SSLCertVerificationError(1, "self-signed certificate")


@pytest.mark.parametrize(
    "error",
    [
        TimeoutError(),
        trio.TooSlowError(),
        REFUSED,
        ConnectionResetError(),
        ConnectionAbortedError(),
        BrokenPipeError(),
        OSError(errno.EHOSTUNREACH, "no route"),
        OSError(errno.ENETUNREACH, "no network"),
        OSError(errno.ENETDOWN, "network down"),
        OSError(errno.ETIMEDOUT, "timed out"),
        socket.gaierror(socket.EAI_AGAIN, "try again"),
        socket.gaierror(socket.EAI_FAIL, "no answer"),
        socket.gaierror(socket.EAI_SYSTEM, "no resolver"),
        ssl.SSLEOFError(8, "cut"),
        ssl.SSLZeroReturnError(6, "closed"),
        CallTimeout(5.0, "server", Get()),
        CallExit(NoProcess(), "server", Get()),
        MailboxFull(Pid(1, "server"), 10),
        StartTimeout("server", 1.0),
        ReceiveTimeout(),
    ],
    ids=repr,
)
def test_what_may_pass_is_worth_another_try(error: BaseException) -> None:
    """RT-05 differs: a look-up of a name that failed is worth it too; it is no answer."""
    assert AGAIN(error) is True


@pytest.mark.parametrize(
    "error",
    [
        ValueError("no"),
        OSError(errno.ENOENT, "no such file"),
        OSError(errno.EACCES, "not allowed"),
        PermissionError(errno.EACCES, "not allowed"),
        OSError("without a number"),
        NO_SUCH_NAME,
        socket.gaierror(socket.EAI_SERVICE, "no such service"),
        BAD_CERTIFICATE,
        ssl.SSLError(1, "wrong version number"),
        CallExit(Normal(), "server", Get()),
        CallExit(Killed(), "server", Get()),
        CallExit(Crashed(TimeoutError()), "server", Get()),
        CallCycle((Pid(1, "server"),), "server", Get()),
        ReplyDropped("server", Get()),
        trio.BrokenResourceError(),
        trio.ClosedResourceError(),
        KeyboardInterrupt(),
    ],
    ids=repr,
)
def test_what_will_be_the_same_the_next_time_is_not(error: BaseException) -> None:
    """RT-05: TLS and everything else."""
    assert AGAIN(error) is False


async def test_a_cancellation_is_never_tried_again() -> None:
    """RT-37."""
    cancelled = await a_cancelled()
    assert AGAIN(cancelled) is False
    assert AGAIN(BaseExceptionGroup("", [cancelled])) is False
    assert AGAIN(BaseExceptionGroup("", [cancelled, REFUSED])) is False


# ---------------------------------------------------------------------- groups, causes


def test_a_group_of_one_counts_as_that_one() -> None:
    """RT-38."""
    assert AGAIN(ExceptionGroup("", [REFUSED])) is True
    assert AGAIN(ExceptionGroup("", [ExceptionGroup("", [REFUSED])])) is True
    assert AGAIN(ExceptionGroup("", [ExceptionGroup("", [ValueError()])])) is False


def test_a_group_of_several_counts_as_none_of_them() -> None:
    assert AGAIN(ExceptionGroup("", [REFUSED, REFUSED])) is False
    assert AGAIN(ExceptionGroup("", [REFUSED, ExceptionGroup("", [ValueError()])])) is False


@pytest.mark.parametrize(
    ("cause", "verdict"),
    [
        (ConnectionResetError(), True),
        (BAD_CERTIFICATE, False),
        (ssl.SSLEOFError(8, "cut"), True),
        (ValueError(), False),
        (ExceptionGroup("", [REFUSED, OSError(errno.EADDRNOTAVAIL, "no IPv6")]), True),
        (ExceptionGroup("", [PermissionError(errno.EACCES, "firewall")]), False),
        (ExceptionGroup("", [ValueError()]), False),
        (caused_by(RuntimeError(), REFUSED), True),
        (hidden_in(RuntimeError(), NO_SUCH_NAME), False),
        (hidden_in(RuntimeError(), REFUSED), True),
    ],
    ids=repr,
)
@pytest.mark.parametrize("make", [trio.BrokenResourceError, lambda: OSError("all attempts failed")])
def test_what_trio_wraps_is_judged_by_its_cause(
    make: Any, cause: BaseException, verdict: bool
) -> None:
    assert AGAIN(caused_by(make(), cause)) is verdict


def test_causes_in_a_circle_end() -> None:
    one, other = trio.BrokenResourceError(), RuntimeError()
    caused_by(one, caused_by(other, one))
    assert AGAIN(one) is False


def test_an_error_of_the_users_own_is_not_judged_by_its_cause() -> None:
    assert AGAIN(caused_by(RuntimeError(), REFUSED)) is False


@pytest.mark.real_clock
async def test_a_port_where_nobody_listens_is_worth_another_try() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with pytest.raises(OSError, match="all attempts to connect") as caught:
            await trio.open_tcp_stream("localhost", unused.getsockname()[1])
    assert AGAIN(caught.value) is True


# ---------------------------------------------------------------------- options


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"idempotent": 1}, TypeError, "^idempotent: got 1, allowed are True and False"),
        ({"methods": "GET"}, TypeError, "^methods: got 'GET', allowed are names of HTTP methods"),
        ({"methods": None}, TypeError, "^methods: got None"),
        ({"methods": [1]}, TypeError, r"^methods: got \[1\]"),
        ({"max_retry_after": "60"}, TypeError, "^max_retry_after: got '60'"),
        ({"max_retry_after": -1}, ValueError, "^max_retry_after: got -1"),
        ({"clock": 5.0}, TypeError, "^clock: got 5.0, allowed is a function such as time.time"),
    ],
)
def test_wrong_options_are_refused(
    options: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        retryable(**options)


# ---------------------------------------------------------------------- with stamina


async def test_stamina_asks_it_and_waits_on_trios_clock() -> None:
    """RT-37."""
    tries: list[float] = []

    @stamina.retry(on=AGAIN, attempts=4, wait_initial=10.0, wait_max=100.0, wait_jitter=0.0)
    async def fetch() -> str:
        tries.append(trio.current_time())
        if len(tries) < 3:
            raise ExceptionGroup("from a nursery", [REFUSED])
        return "done"

    stamina.instrumentation.set_on_retry_hooks([])
    try:
        assert await fetch() == "done"
    finally:
        stamina.instrumentation.set_on_retry_hooks(None)
    assert [later - tries[0] for later in tries] == [0.0, 10.0, 30.0]


async def test_stamina_lets_through_what_is_not_worth_it() -> None:
    tries: list[int] = []
    with pytest.raises(ValueError, match="no"):
        async for attempt in stamina.retry_context(on=AGAIN):
            with attempt:
                tries.append(attempt.num)
                raise ValueError("no")
    assert tries == [1]
