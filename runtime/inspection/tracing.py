"""Follow a server message by message. OTP: ``:sys.install`` and the debug functions.

The choice: while it is traced a server has another class of loop, which tells what the ordinary one
does and has the same slots; so a server that nobody traces pays nothing, not even a question. A
traced one sleeps without an inlet, so that every call goes by its mailbox. The class is changed by
the loop itself, between two messages. A trace has a hard limit, after which it removes itself: one
that was forgotten costs nothing for long.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Final, TypeAlias, cast

from runtime.callbacks import Server
from runtime.containment import contain, quiet_repr, short_repr
from runtime.current import Target
from runtime.exits import ExitReason
from runtime.inspection.views import TraceEvent, TraceWhat
from runtime.introspection import ask_loop
from runtime.messages import Cast
from runtime.pending_calls import PendingCall
from runtime.process import Process
from runtime.server_body import ServerBody
from runtime.server_loop import ServerLoop
from runtime.timeouts import DEFAULT_TIMEOUT
from runtime.user_code import call_method

Tell: TypeAlias = Callable[[TraceEvent], None]

DEFAULT_LIMIT: Final = 100


async def trace(
    target: Target, tell: Tell, *, limit: int = DEFAULT_LIMIT, timeout: float = DEFAULT_TIMEOUT
) -> None:
    """Call ``tell`` with each step of a server: every message it takes, and what came of that.

    Messages are shown as far as the server's ``redact`` lets them be, replies not at all. After
    ``limit`` events it ends by itself, with one more that says so; it ends too when the server
    does, or when ``tell``, which runs in the server's own task and must be quick, raises. Several
    may trace one server. Meanwhile no call to it runs at once in its caller's step.
    """
    if not callable(tell):
        raise TypeError(f"tell: got {tell!r}, allowed is a function of a TraceEvent")
    if isinstance(limit, bool) or not isinstance(limit, int):
        raise TypeError(f"limit: got {limit!r}, allowed is an int of 1 or more")
    if limit < 1:
        raise ValueError(f"limit: got {limit}, allowed is an int of 1 or more")

    def install(loop: ServerLoop) -> None:
        process: Process = loop.process
        traces = process.table.traces
        traces[process.pid] = (*_traces_of(process), _Trace(process, tell, limit))
        if not isinstance(loop, _TracedBody):
            loop.__class__ = _traced(type(loop))

    await ask_loop(target, "trace()", install, timeout)


async def untrace(
    target: Target, tell: Tell | None = None, *, timeout: float = DEFAULT_TIMEOUT
) -> None:
    """End the traces of a server, or only those that ``tell`` this. OTP: ``:sys.no_debug``."""

    def remove(loop: ServerLoop) -> None:
        process: Process = loop.process
        for one in _traces_of(process):
            if tell is None or one.tell is tell:
                one.end()

    await ask_loop(target, "untrace()", remove, timeout)


def _traces_of(process: Process) -> tuple[_Trace, ...]:
    """Those of a server, in the order they began."""
    return cast("tuple[_Trace, ...]", process.table.traces.get(process.pid, ()))


class _Trace:
    """One of them. It watches the process to tell of its end."""

    __slots__ = ("_left", "_limit", "_process", "tell")

    only_end = True

    def __init__(self, process: Process, tell: Tell, limit: int) -> None:
        self._process = process
        self._limit = self._left = limit
        self.tell = tell
        process.watches[self] = None

    def step(self, what: TraceWhat, text: str | None, seconds: float | None = None) -> None:
        """Tell of one step; the last that may be told is followed by the end."""
        self._left -= 1
        if self._told(what, text, seconds) and self._left == 0:
            self._told("limit", f"{self._limit} events were told, which is the limit")
            self.end()

    def _told(self, what: TraceWhat, text: str | None, seconds: float | None = None) -> bool:
        event = TraceEvent(
            at=time.time(), pid=self._process.pid.number, what=what, text=text, seconds=seconds
        )
        told = contain(False, self._tell, event)
        if not told:
            self.end()
        return told

    def _tell(self, event: TraceEvent) -> bool:
        self.tell(event)
        return True

    def end(self) -> None:
        """It tells no more; the loop gives its class back before its next message."""
        process, traces = self._process, self._process.table.traces
        process.watches.pop(self, None)
        left = tuple(one for one in _traces_of(process) if one is not self)
        if left:
            traces[process.pid] = left
        else:
            traces.pop(process.pid, None)

    def wake(self, reason: ExitReason) -> None:
        """The process has ended."""
        self._told("ended", short_repr(reason))
        self.end()


class _Step(AbstractContextManager[None]):
    """One message in the hands of a traced server."""

    def __init__(self, loop: ServerBody, message: object) -> None:
        self._loop = loop
        self._message = message

    def __enter__(self) -> None:
        loop, message = self._loop, self._message
        what: TraceWhat = "info"
        if isinstance(message, PendingCall):
            what, message = "call", message.request
        elif isinstance(message, Cast):
            what = "cast"
        self._tell(what, loop.describe(message))
        self._watch = loop.process.table.stopwatch
        self._begun = self._watch()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        seconds = self._watch() - self._begun
        loop = self._loop
        if exc is not None:
            self._tell("raise", quiet_repr(exc), seconds)
        elif loop.process.ending:
            self._tell("stop", quiet_repr(loop.reason), seconds)
        else:
            self._tell(*self._outcome(), seconds)

    def _outcome(self) -> tuple[TraceWhat, str | None]:
        call = self._message
        if not isinstance(call, PendingCall):
            return "noreply", None
        if call.result == "error":
            return "error", quiet_repr(call.value)
        replied = call.result == "reply" or call.leads_to is self._loop.process
        return ("reply" if replied else "noreply"), None

    def _tell(self, what: TraceWhat, text: str | None, seconds: float | None = None) -> None:
        for one in _traces_of(self._loop.process):
            one.step(what, text, seconds)


class _TracedBody(ServerBody):
    """The loop of a server that is traced."""

    __slots__ = ()

    def _is_over(self) -> bool:
        """Whether nobody traces it any more; then it is an ordinary loop again."""
        if self.process.pid in self.process.table.traces:
            return False
        self.__class__ = type(self).__mro__[2]  # what ``_traced`` was given
        return True

    def _dispatch(self, message: object) -> Awaitable[None] | None:
        if self._is_over():
            return self._dispatch(message)
        if isinstance(message, PendingCall) and not message.droppable:
            return super()._dispatch(message)
        return self._follow(message)

    async def _follow(self, message: object) -> None:
        with _Step(self, message):
            rest = super()._dispatch(message)
            if rest is not None:
                await rest

    def _take_casts(self, server: Server, handler: str, message: object) -> Awaitable[None] | None:
        """One by one, or those behind the first would not be seen."""
        self._begin(message)
        result = call_method(server, handler, message, None)
        return None if result is None else self._go_by("handle_cast", result)

    def _sleep(self) -> Awaitable[object]:
        if self._is_over():
            return self._sleep()
        sleep = super()._sleep()
        self.process.inlet = None
        return sleep


_TRACED: Final[dict[type[ServerLoop], type[ServerLoop]]] = {}


def _traced(body: type[ServerLoop]) -> type[ServerLoop]:
    """``body``, but traced: with no attribute more, so that a loop can change into one."""
    if body not in _TRACED:
        _TRACED[body] = type(f"Traced{body.__name__}", (_TracedBody, body), {"__slots__": ()})
    return _TRACED[body]
