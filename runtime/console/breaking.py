"""ctrl-C for code that does not await: how a loop of an evaluation is broken, and nothing else.

Only a signal handler can raise an exception in the middle of a running function, and Python runs
those in the main thread alone. So the thread that reads the client's frames sends a signal that
nobody uses, SIGURG, to the thread of the loop, and the handler raises KeyboardInterrupt if the code
it has interrupted is the evaluation's own: a context variable says so, since the handler of a
server that is called runs in the server's context, and Trio says whether a step of the runtime is
under way that must not be torn. A signal that came at a wrong moment is sent again a little later,
until the loop has turned: then the evaluation awaits, and is cancelled. At first it strikes in the
user's own code alone, since a library may hold a lock; a library that goes on and on is broken too.

Where the loop is not in the main thread, or the program has a use of its own for the signal, only
what awaits can be interrupted.
"""

from __future__ import annotations

import inspect
import os
import signal
import sysconfig
import threading
from contextvars import ContextVar
from types import FrameType
from typing import Final

import trio

SIGNAL: Final = signal.SIGURG

_TRIOS: Final = os.path.join(os.path.dirname(inspect.getfile(trio)), "")
_LIBRARY: Final = sysconfig.get_path("stdlib")
_PYTHONS: Final = (
    "<frozen ", "<attrs ", *(os.path.join(_LIBRARY, one) for one in ("abc.py", "contextlib.py")),
)  # fmt: skip

BREAK_TRIES: Final = 100
"""Of a ctrl-C. Who has pressed it can do so again."""

_GENTLE: Final = 50
_BETWEEN: Final = 0.005
_LATER: Final = 0.1
_LIBRARIES: Final = tuple(
    {os.path.join(sysconfig.get_path(one), "") for one in ("stdlib", "purelib", "platlib")}
)


class Breakable:
    """Something in whose context a KeyboardInterrupt may be raised, once, if somebody wants it."""

    def __init__(self) -> None:
        self.wanted = False
        self.gentle = True
        self.over = threading.Event()

    def __enter__(self) -> None:
        """From now on, in this task and in those it starts."""
        self._token = breakable_var.set(self)

    def __exit__(self, *_: object) -> None:
        self.wanted = False
        self.over.set()
        breakable_var.reset(self._token)


breakable_var: Final[ContextVar[Breakable | None]] = ContextVar(
    "runtime_console_breakable", default=None
)


class Breaker:
    """The signal handler, while consoles whose loop is in the main thread are up."""

    _up: Final[list[Breaker]] = []

    def __init__(self) -> None:
        self._thread: int | None = None

    def open(self) -> bool:
        """Install the handler; whether that could be done. By the thread of the loop."""
        if threading.current_thread() is not threading.main_thread():
            return False
        if not self._up:
            if signal.getsignal(SIGNAL) not in (signal.SIG_DFL, signal.SIG_IGN):
                return False
            signal.signal(SIGNAL, _on_signal)
        self._up.append(self)
        self._thread = threading.get_ident()
        return True

    def close(self) -> None:
        """Take the handler away when nobody needs it any more."""
        if self._thread is not None:
            self._thread = None
            self._up.remove(self)
            if not self._up and signal.getsignal(SIGNAL) is _on_signal:
                signal.signal(SIGNAL, signal.SIG_DFL)

    def interrupt(self, target: Breakable, *, tries: float = BREAK_TRIES) -> None:
        """Raise KeyboardInterrupt in it, while that is wanted. By any thread but the loop's.

        Who wants it says so in ``wanted`` before the loop hears of it: the loop takes that back,
        and what is wanted after that would strike the clean-up of what was cancelled.

        With endless tries it is left alone when it has ended, or awaits and was cancelled.
        """
        made, between = 0, _BETWEEN
        while target.wanted and made < tries and (thread := self._thread) is not None:
            target.gentle = made < _GENTLE
            signal.pthread_kill(thread, SIGNAL)
            if target.over.wait(between):
                return
            made += 1
            between = _BETWEEN if made < BREAK_TRIES else _LATER
        target.wanted = False


def _on_signal(_number: int, frame: FrameType | None) -> None:
    target = breakable_var.get()
    if target is None or _is_in_trio(frame):
        return
    in_library = frame is not None and frame.f_code.co_filename.startswith(_LIBRARIES)
    if not (target.gentle and in_library):
        break_here()


def _is_in_trio(frame: FrameType | None) -> bool:
    """Whether Trio is at work for the evaluation, or Python for Trio.

    Not all of Trio is protected: a ``start_soon`` that is torn leaves a task that never runs, which
    its nursery waits for, and so the end of the service.
    """
    while frame is not None and frame.f_code.co_filename.startswith(_PYTHONS):
        frame = frame.f_back
    return frame is not None and frame.f_code.co_filename.startswith(_TRIOS)


def break_here() -> None:
    """Raise KeyboardInterrupt if somebody wants it here.

    Asked by the signal handler, and after steps that are protected and often called: a loop that
    does little else would hardly ever be met outside of them.
    """
    target = breakable_var.get()
    if target is None or target.over.is_set():  # what an evaluation has left running goes on
        return
    if target.wanted and not trio.lowlevel.currently_ki_protected():
        target.wanted = False
        raise KeyboardInterrupt
