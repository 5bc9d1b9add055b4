"""Main's entry: a supervision tree as a service, until a signal or its own end.

The signal handlers run between two bytecodes of the main thread, also while a handler blocks the
loop. The first signal asks for the orderly shutdown and puts the system's default handlers back,
so the second one ends the program at once, by the system's own hand and with its exit status.
"""

from __future__ import annotations

import logging
import math
import os
import signal
import sys
import threading
from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import FrameType

import structlog
import trio
from trio.lowlevel import enable_ki_protection

from runtime import ChildSpec, Instrument, StartError, configure_logging
from runtime.containment import contain, short_repr, show
from runtime.current import current_table, node_is_open
from runtime.outcomes import check_seconds
from runtime.watchdogs.limits import WatchdogLimits
from supervisors.backoff import Backoff
from supervisors.children import ChildSource
from supervisors.errors import SupervisorGaveUp
from supervisors.interpreter import frozen, quick_switches
from supervisors.open_supervisor import OpenSupervisor, root_spec
from supervisors.operations import console_specs, watchdog_specs
from supervisors.strategies import AutoShutdown, Strategy

_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_AFTER_KILL = 1.0

EXIT_GAVE_UP = 1
EXIT_INTERRUPTED = 130


class _Service:
    """One run: the tree, the signals that stop it, and the status it leaves."""

    def __init__(
        self,
        spec: ChildSpec,
        stop_timeout: float,
        instruments: Iterable[Instrument] | None,
        operations: Iterable[ChildSpec],
    ) -> None:
        self._spec = spec
        self._stop_timeout = stop_timeout
        self._instruments = instruments
        self._operations = operations
        self._log = structlog.get_logger("trio_otp")
        self._signal: int | None = None
        self._token: trio.lowlevel.TrioToken | None = None
        self._scope = trio.CancelScope()
        self._last_resort: threading.Timer | None = None

    def run(self) -> int:
        """Run to the end; the exit status."""
        previous = {one: signal.signal(one, self._on_signal) for one in _SIGNALS}
        try:
            with quick_switches():
                trio.run(self._main)
        except (SupervisorGaveUp, StartError) as exc:
            self._say(
                "service failed",
                level=logging.ERROR,
                error=str(exc),
                cause=exc.__cause__ and short_repr(exc.__cause__),
            )
            return EXIT_GAVE_UP
        finally:
            if self._last_resort is not None:
                self._last_resort.cancel()
            for one, handler in previous.items():
                signal.signal(one, handler)
        return EXIT_INTERRUPTED if self._signal == signal.SIGINT else 0

    async def _main(self) -> None:
        self._token = trio.lowlevel.current_trio_token()
        if self._signal is not None:  # it came before Trio was up
            self._scope.cancel()
        with self._scope:
            async with OpenSupervisor(self._spec, self._instruments, self._operations):
                self._say("service started", os_pid=os.getpid())
                with frozen():
                    await trio.sleep_forever()
        self._say("service stopped")

    @enable_ki_protection
    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        """The first signal. No logging here: it may have interrupted a log call.

        Protected, as it may have interrupted an evaluation, which ctrl-C may break.
        """
        for one in _SIGNALS:
            signal.signal(one, signal.SIG_DFL)
        self._signal = number
        if self._stop_timeout != math.inf:
            self._last_resort = threading.Timer(
                min(self._stop_timeout + _AFTER_KILL, threading.TIMEOUT_MAX), _leave_now
            )
            self._last_resort.daemon = True
            self._last_resort.start()
        if self._token is not None:
            with suppress(trio.RunFinishedError):  # it was ending by itself
                self._token.run_sync_soon(self._stop, signal.Signals(number).name)

    def _stop(self, name: str) -> None:
        self._scope.cancel()
        if self._stop_timeout != math.inf and node_is_open():
            deadlines = current_table().deadlines
            deadlines.schedule(trio.current_time() + self._stop_timeout, self._kill_everything)
        self._say("service stopping", signal=name)

    def _kill_everything(self) -> None:
        left = tuple(current_table().by_pid.values())
        for process in left:
            process.kill()
        self._say(
            "stop_timeout is over, killing what is left",
            level=logging.ERROR,
            processes=[repr(process.pid) for process in left],
        )

    def _say(self, what: str, *, level: int = logging.INFO, **details: object) -> None:
        """Log a line; a log that is broken must not break the shutdown as well."""
        contain(None, partial(self._log.log, level, what, service=show(self._spec.id), **details))


def _leave_now() -> None:
    """What is left ignores even its kill: a shield, a thread, a blocked loop."""
    os.write(2, b"stop_timeout is over and a killed process is still alive: leaving at once\n")
    os._exit(EXIT_GAVE_UP)


def program() -> str:
    """What this program is called: the file it was started by, or the package."""
    path = Path(sys.argv[0] if sys.argv and sys.argv[0] else "python")
    return path.parent.name if path.stem == "__main__" else path.stem


def run(
    children: Iterable[ChildSource], *, name: str | None = None,
    strategy: Strategy = "one_for_one", max_restarts: int = 3, max_seconds: float = 5.0,
    auto_shutdown: AutoShutdown = "never", backoff: Backoff | None = None,
    stop_timeout: float = math.inf, console: bool = False,
    instruments: Iterable[Instrument] | None = None, watchdog: bool | WatchdogLimits = True,
) -> None:  # fmt: skip
    """Run a supervision tree as a service, with ``trio.run``, until it ends. For ``main``.

    SIGTERM and SIGINT stop the tree in order; a second one ends the program at once, also while a
    handler blocks the loop. Returns after SIGTERM and when the tree ends by ``auto_shutdown`` (exit
    status 0); raises ``SystemExit(130)`` after SIGINT and ``SystemExit(1)`` when a child did not
    start or the tree gave up. A KeyboardInterrupt or SystemExit raised in a process stops the
    tree in order and leaves as itself.

    ``stop_timeout`` seconds after the first signal everything that is left is killed, and one
    second later, if something ignores even that, the program is left with status 1.
    structlog is configured, unless the program has done so: readable on a terminal, else JSON
    lines, on standard error. The options of the tree are those of ``Supervisor``.
    Threads switch after a tenth of a millisecond and what has started is frozen for the garbage
    collector, for as long as it runs: ``interpreter`` says why.
    ``watchdog`` reports a loop that stands still, mailboxes that fill up and more: see
    ``WatchdogLimits``.
    ``console`` lets the command ``otp`` in, for the user that the service runs as and root, under
    ``name`` or the name of the program: see docs/console.md.
    """
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError(
            "run was called outside the main thread, which alone gets signals; "
            "use trio.run and open_supervisor there"
        )
    check_seconds("stop_timeout", stop_timeout)
    spec = root_spec(
        children,
        name=name,
        strategy=strategy,
        max_restarts=max_restarts,
        max_seconds=max_seconds,
        auto_shutdown=auto_shutdown,
        backoff=backoff,
    )
    operations = [*watchdog_specs(watchdog), *console_specs(console, name or program())]
    configure_logging()
    status = _Service(spec, stop_timeout, instruments, operations).run()
    if status:
        sys.exit(status)
