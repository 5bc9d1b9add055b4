"""``print`` of an evaluation goes to its client, all else where it went before.

``sys.stdout`` and ``sys.stderr`` belong to the interpreter, not to a node. So while any console is
up there is one stand-in for each; whose output it is says a context variable, which tasks inherit
from the task that starts them, and for processes who started them. When the last console has ended
the stand-in is taken away, or, if somebody has put his own over it by then, passes everything on.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from typing import Final, TextIO, TypeAlias

from trio.lowlevel import enable_ki_protection

from runtime.current import current_process
from runtime.pid import Pid

Sink: TypeAlias = Callable[[str], None]

sink_var: Final[ContextVar[Sink | None]] = ContextVar("runtime_console_sink", default=None)
"""Where the output of this context goes, if to a client."""


class Outputs:
    """The sinks of the sessions of one console, by the pid of the session's process."""

    _lock: Final = threading.RLock()
    _up: Final[list[Outputs]] = []
    _stand_ins: Final[dict[str, StandIn]] = {}

    def __init__(self) -> None:
        self.sinks: dict[Pid, Sink] = {}

    def open(self) -> None:
        """From now on."""
        with self._lock:
            if not self._up:
                for name in ("stdout", "stderr"):
                    stand_in = StandIn(getattr(sys, name))
                    self._stand_ins[name] = stand_in
                    setattr(sys, name, stand_in)
            self._up.append(self)

    def close(self) -> None:
        """No more."""
        with self._lock:
            self._up.remove(self)
            if not self._up:
                for name, stand_in in self._stand_ins.items():
                    if getattr(sys, name) is stand_in:
                        setattr(sys, name, stand_in.original)
                self._stand_ins.clear()

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

    @enable_ki_protection
    def write(self, text: str) -> int:
        """To the client, or to the original."""
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
