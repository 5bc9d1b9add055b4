"""The body of a server process: what ``Process.run`` runs for a GenServer."""

from __future__ import annotations

from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, Literal

from runtime.bodies import TrapMode
from runtime.containment import attempt, contain, short_repr
from runtime.exits import ExitReason
from runtime.inline_starts import has_plain_init, run_at_once
from runtime.inspection.plain import plain_facts
from runtime.inspection.views import Plain
from runtime.process import Process
from runtime.server_loop import ServerLoop
from runtime.spawning import function_name


class ServerBody(ServerLoop):
    """The loop of a server as the body of its process."""

    __slots__ = ()

    is_server = True
    trap: TrapMode = "no"

    @property
    def begun(self) -> bool:
        """Whether the instance has been made, or was to be."""
        return self.server is not None or self._crash is not None

    @property
    def behaviour(self) -> str:
        """The name of the class."""
        server = self.server
        return function_name(self._make) if server is None else type(server).__name__

    def begin(self, process: Process) -> None:
        """Make the instance and call its ``init``, if that is a ``def``."""
        is_plain, _ = attempt(has_plain_init, getattr(self._make, "func", self._make))
        if is_plain:
            self.process = process
            run_at_once(process, self.make, self.crashed)

    def live(self, process: Process) -> Coroutine[Any, Any, ExitReason]:
        """From ``__init__`` to the last clean-up."""
        self.process = process
        return self.run()

    def describe(self, message: object) -> str:
        """The message as the server's ``redact`` lets it be shown."""
        return self._shown("message", message) or "<not shown>"

    def describe_state(self) -> str | None:
        """The state as the server's ``redact`` lets it be shown: by default not at all."""
        return None if self.server is None else self._shown("state", self.server)

    def facts(self) -> dict[str, Plain]:
        """See ``GenServer.facts``: what it returns or raises cannot hurt whoever looks."""
        server = self.server
        return plain_facts(server.facts) if server is not None and server._has_facts else {}

    def _shown(self, what: Literal["message", "state"], value: object) -> str | None:
        server = self.server
        if server is None:  # no instance yet that could be asked
            return f"<{type(value).__name__}>"
        shown = contain(None, server.redact, what, value)
        return None if shown is None else short_repr(shown)

    def release(self) -> None:
        """Cut process, loop and server apart."""
        if self.server is not None:
            self.server._attach(None)
            del self.callee
        with suppress(AttributeError):  # killed before it began, it has none
            del self.process
