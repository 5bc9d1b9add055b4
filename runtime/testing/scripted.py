"""A server that the test plays: it answers nothing by itself, the test says what and when.

So an order that is one in a thousand in a service is written down in three lines: the first call
is answered after the second, the server crashes between the two.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, Generic, TypeVar, cast

import trio

from runtime.child_spec import ChildSpec
from runtime.containment import attempt, short_repr
from runtime.gen_server import GenServer
from runtime.messages import Call
from runtime.outcomes import NoReply, check_seconds
from runtime.pending_calls import ReplyTo
from runtime.plain_functions import check_takes
from runtime.testing.patterns import Pattern, describe, predicate_of

C = TypeVar("C", bound=Call[Any])
C_co = TypeVar("C_co", bound=Call[Any], covariant=True)


class ReceivedCall(Generic[C_co]):
    """A call that waits for the test's answer."""

    def __init__(self, request: C_co, reply_to: ReplyTo[object]) -> None:
        self.request = request
        self._reply_to: ReplyTo[object] | None = reply_to

    def __repr__(self) -> str:
        return f"the call {short_repr(self.request)}"

    @property
    def answered(self) -> bool:
        """Whether the call has ended: answered, timed out, given up, or by the server's end."""
        return self._reply_to is None or self._reply_to.answered

    def reply(self, value: object) -> None:
        """The caller gets ``value``. Nothing happens if the call has ended."""
        if self._reply_to is not None:
            self._reply_to.reply(value)

    def error(self, exception: Exception) -> None:
        """``exception`` is raised in the caller. Nothing happens if the call has ended."""
        if self._reply_to is not None:
            self._reply_to.error(exception)

    def drop(self) -> None:
        """Let go of the call as a server does that forgets it: the caller gets ``ReplyDropped``."""
        self._reply_to = None


class Scripted:
    """The script of a server, in the hands of the test.

    ``script.child_spec()`` describes the server: start it like any other, under any name, also as
    a child of a supervisor. Whatever is sent to it waits until the test asks for it, in the order
    in which it came. A server that is restarted goes on with the same script.
    """

    def __init__(self) -> None:
        self._arrived: deque[object] = deque()
        self._waiting = trio.lowlevel.ParkingLot()
        self._answers: dict[type, Callable[[Any], object]] = {}
        self._open: list[ReceivedCall[Call[Any]]] = []  # so that none is dropped by accident

    def child_spec(self) -> ChildSpec:
        """What is to be started: ``script.child_spec().replace(name="db")``."""
        return ScriptedServer.child_spec(self)

    def always(self, request: type[C], answer: Callable[[C], object]) -> None:
        """From now on answer calls of this class at once, by ``answer(request)``, and hide them."""
        _check_call_class(request)
        if not callable(answer):
            raise TypeError(f"answer: got {answer!r}, allowed is a function of (request)")
        check_takes("answer", answer, "request")
        self._answers[request] = answer

    async def expect_call(self, request: type[C], *, timeout: float = 1.0) -> ReceivedCall[C]:
        """The next message must be a call of this class, and waits for your answer.

        ``AssertionError`` if another message is next, or none comes within ``timeout`` seconds.
        Cancelling takes nothing.
        """

        def is_call(message: object) -> bool:
            return isinstance(_request_in(message), request)

        __tracebackhide__ = True
        _check_call_class(request)
        expected = f"a call of {request.__name__}"
        call = cast("ReceivedCall[C]", await self._next(is_call, expected, timeout))
        self._open = [one for one in self._open if not one.answered]
        self._open.append(call)
        return call

    async def expect(self, pattern: Pattern, *, timeout: float = 1.0) -> object:
        """The next message must be as expected: a cast, or any message but a call. Returns it.

        ``pattern`` and the errors are those of ``assert_receive``. Cancelling takes nothing.
        """
        __tracebackhide__ = True
        matches = predicate_of(pattern)

        def is_message(message: object) -> bool:
            return not isinstance(message, ReceivedCall) and matches(message)

        return await self._next(is_message, describe(pattern), timeout)

    async def expect_nothing(self, *, timeout: float = 0.1) -> None:
        """Nothing has come that was not expected, nor comes within ``timeout`` seconds.

        Nobody else says so: what is never asked for, also at the end of the test, is no error.
        """
        __tracebackhide__ = True
        if await self._something(timeout):
            raise AssertionError(f"nothing was to come, but this did: {self._left_lying()}")

    def take(self, message: object) -> None:
        """The server has got this."""
        self._arrived.append(message)
        self._waiting.unpark()

    def take_call(self, request: Call[object], reply_to: ReplyTo[object]) -> object:
        """The server has got this call: answer as always, or leave it to the test."""
        for kind in type(request).__mro__:
            if kind in self._answers:
                return self._answers[kind](request)
        self.take(ReceivedCall(request, reply_to))
        return NoReply()

    async def _next(
        self, matches: Callable[[object], bool], expected: str, timeout: float
    ) -> object:
        __tracebackhide__ = True
        if not await self._something(timeout):
            none = f"nothing came before the timeout of {timeout:g} s"
            raise AssertionError(f"{expected} was to come next, but {none}")
        fits, broken = attempt(matches, self._arrived[0])
        if not fits:
            lying = self._left_lying()
            raise broken or AssertionError(f"{expected} was to come next, but it was {lying}")
        return self._arrived.popleft()

    def _left_lying(self) -> str:
        """The message that was not expected, as text; it is left to whoever waits next."""
        self._waiting.unpark()
        return short_repr(self._arrived[0])

    async def _something(self, timeout: float) -> bool:
        """Whether there is a message, now or within ``timeout`` seconds."""
        check_seconds("timeout", timeout)
        await trio.lowlevel.checkpoint()
        with trio.move_on_after(timeout):
            while not self._arrived:
                await self._waiting.park()
        return bool(self._arrived)


def _check_call_class(request: object) -> None:
    if not (isinstance(request, type) and issubclass(request, Call)):
        raise TypeError(f"request: got {request!r}, allowed is a class of calls")


def _request_in(message: object) -> object:
    """The request of a call; of anything else nothing."""
    return (
        cast("ReceivedCall[Call[object]]", message).request
        if isinstance(message, ReceivedCall)
        else None
    )


class ScriptedServer(GenServer):
    """Hands everything to its script."""

    def __init__(self, script: Scripted) -> None:
        self._script = script

    def handle_call(self, request: Call[object], reply_to: ReplyTo[object]) -> object:
        """Answer as always, or leave it to the test."""
        return self._script.take_call(request, reply_to)

    def handle_cast(self, message: object) -> None:
        """The test looks at it."""
        self._script.take(message)

    def handle_info(self, message: object) -> None:
        """The test looks at it."""
        self._script.take(message)
