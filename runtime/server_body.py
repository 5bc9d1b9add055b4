"""The body of a server process: what ``Process.run`` runs for a GenServer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from runtime.callbacks import Server
from runtime.containment import contain, short_repr
from runtime.exits import ExitReason
from runtime.process import Process, TrapMode
from runtime.server_loop import ServerLoop


class ServerBody:
    """The body of a server process: makes a fresh instance and runs its loop."""

    is_server = True
    trap: TrapMode = "no"

    def __init__(self, make: Callable[[], Server]) -> None:
        self._make = make
        self._loop: ServerLoop | None = None

    async def live(self, process: Process) -> ExitReason:
        """From ``__init__`` to the last clean-up."""
        loop = self._loop = ServerLoop(process)
        await loop.live(self._make)
        return loop.reason

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
