"""The body of a server process: what ``Process.run`` runs for a GenServer."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Literal

from runtime.bodies import TrapMode
from runtime.containment import contain, short_repr
from runtime.exits import ExitReason
from runtime.inline_starts import has_plain_init, run_at_once
from runtime.process import Process
from runtime.server_loop import Server, ServerLoop


class ServerBody:
    """The body of a server process: makes a fresh instance and runs its loop."""

    __slots__ = ("_loop", "_make")

    is_server = True
    trap: TrapMode = "no"

    def __init__(self, make: Callable[[], Server]) -> None:
        self._make = make
        self._loop: ServerLoop | None = None

    @property
    def begun(self) -> bool:
        """Whether the instance has been made."""
        return self._loop is not None

    def begin(self, process: Process) -> None:
        """Make the instance and call its ``init``, if that is a ``def``."""
        if has_plain_init(getattr(self._make, "func", self._make)):
            loop = self._loop = ServerLoop(process)
            if not run_at_once(process, loop.begin, self._make, loop.crashed):
                self._loop = None

    def live(self, process: Process) -> Coroutine[Any, Any, ExitReason]:
        """From ``__init__`` to the last clean-up."""
        if self._loop is None:
            self._loop = ServerLoop(process)
        return self._loop.live(self._make)

    @property
    def server(self) -> Server | None:
        """The instance, while the process lives."""
        return None if self._loop is None else self._loop.server

    def describe(self, message: object) -> str:
        """The message as the server's ``redact`` lets it be shown."""
        return self._shown("message", message) or "<not shown>"

    def describe_state(self) -> str | None:
        """The state as the server's ``redact`` lets it be shown: by default not at all."""
        return None if self.server is None else self._shown("state", self.server)

    def _shown(self, what: Literal["message", "state"], value: object) -> str | None:
        server = self.server
        if server is None:  # no instance yet that could be asked
            return f"<{type(value).__name__}>"
        shown = contain(None, server.redact, what, value)
        return None if shown is None else short_repr(shown)

    def release(self) -> None:
        """Cut process, loop and server apart."""
        if self._loop is not None and self._loop.server is not None:
            self._loop.server._attach(None)
            self._loop.server = None
        self._loop = None
