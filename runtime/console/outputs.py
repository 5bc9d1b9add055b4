"""``print`` of an evaluation goes to its client, all else where it went before.

``sys.stdout`` and ``sys.stderr`` belong to the interpreter, not to a node. So while any console is
up there is one stand-in for each; whose output it is says a context variable, which tasks inherit
from the task that starts them, and for processes who started them. When the last console has ended
the stand-in is taken away; one that somebody has put something else over passes everything on.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from typing import Final, TextIO, TypeAlias

from trio.lowlevel import enable_ki_protection

from runtime.console.breaking import break_here
from runtime.current import current_process
from runtime.pid import Pid

_NAMES: Final = ("stdout", "stderr")

Sink: TypeAlias = Callable[[str], None]

sink_var: Final[ContextVar[Sink | None]] = ContextVar("runtime_console_sink", default=None)
"""Where the output of this context goes, if to a client."""


class Outputs:
    """The sinks of the sessions of one console, by the pid of the session's process."""

    _lock: Final = threading.RLock()
    _up: Final[list[Outputs]] = []

    def __init__(self) -> None:
        self.sinks: dict[Pid, Sink] = {}

    def open(self) -> None:
        """From now on."""
        with self._lock:
            self._up.append(self)
            self.ensure()

    def ensure(self) -> None:
        """Stand in for what is there now: the program may have put its own there meanwhile."""
        with self._lock:
            for name in _NAMES:
                now: TextIO | StandIn | None = getattr(sys, name, None)
                if not isinstance(now, StandIn):
                    setattr(sys, name, StandIn(now))

    def close(self) -> None:
        """No more."""
        with self._lock:
            self._up.remove(self)
            for name in _NAMES:
                now: TextIO | StandIn | None = getattr(sys, name, None)
                if isinstance(now, StandIn) and not self._up:
                    setattr(sys, name, now.original)

    @classmethod
    def sink(cls) -> Sink | None:
        """Where what is printed here goes, if to a client."""
        sink = sink_var.get()
        if sink is not None or not cls._up:
            return sink
        process = current_process()
        if process is None:
            return None
        for outputs in tuple(cls._up):
            for ancestor in process.ancestors:
                if isinstance(ancestor, Pid) and ancestor in outputs.sinks:
                    return outputs.sinks[ancestor]
        return None


class StandIn:
    """What ``sys.stdout`` is while a console is up; whatever it does not know the original does."""

    def __init__(self, original: TextIO | None) -> None:
        self.original = original

    def write(self, text: str) -> int:
        """To the client, or to the original."""
        written = self._write(text)
        break_here()
        return written

    @enable_ki_protection
    def _write(self, text: str) -> int:
        sink = Outputs.sink()
        if sink is None:
            return len(text) if self.original is None else self.original.write(text)
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        sink(text)
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Each of them."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """A client gets everything at once anyway."""
        if Outputs.sink() is None and self.original is not None:
            self.original.flush()

    def isatty(self) -> bool:
        """A client is no terminal as far as programs are concerned."""
        return Outputs.sink() is None and self.original is not None and self.original.isatty()

    def __getattr__(self, name: str) -> object:
        if self.original is None:
            raise AttributeError(f"there is no original stream that could have {name!r}")
        return getattr(self.original, name)
