"""What looks after a node beside the user's tree: the watchdog, the console.

They live under a supervisor of their own, the process named ``otp``, which is started before the
tree and stopped after it. Nothing of theirs reaches the tree: what does not start, or runs out of
restarts, is reported, and the service goes on without it.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from functools import partial
from types import TracebackType
from typing import Final

import structlog
import trio
from trio.lowlevel import enable_ki_protection

import runtime
from runtime import CallError, ChildSpec, StartError
from runtime.calls import PidRef
from runtime.console.console import Console
from runtime.containment import contain, show
from runtime.current import current_process, current_table
from runtime.exits import SHUTDOWN
from runtime.process import Process
from runtime.spawning import spawn_process
from runtime.waiting import wait_ended
from runtime.watchdogs.limits import WatchdogLimits
from runtime.watchdogs.watchdog import Watchdog
from supervisors.by_hand import restart_by_hand
from supervisors.supervisor import Supervisor
from supervisors.supervisor_ref import SupervisorRef

NAME: Final = "otp"
"""The name of the supervisor."""

_TIME_TO_START: Final = 5.0
"""Seconds that each of them has: the service waits for it."""


def watchdog_specs(watchdog: object) -> list[ChildSpec]:
    """The children of ``watchdog=``: none, or the watchdog with its limits."""
    if not isinstance(watchdog, bool | WatchdogLimits):
        raise TypeError(
            f"watchdog: got {watchdog!r}, allowed are True, False and WatchdogLimits(...)"
        )
    if watchdog is False:
        return []
    limits = WatchdogLimits() if watchdog is True else watchdog
    return [Watchdog.child_spec(limits).replace(name=f"{NAME}.watchdog")]


def console_specs(console: object, service: str | None) -> list[ChildSpec]:
    """The children of ``console=``: none, or the console of a service of that name."""
    if not isinstance(console, bool):
        raise TypeError(f"console: got {console!r}, allowed are True and False")
    if not console:
        return []
    if not service:
        raise ValueError("console=True needs name=, which is what `otp attach` takes")
    spec = Console.child_spec(service, restart=restart_by_hand, package=runtime)
    return [spec.replace(name=f"{NAME}.console")]


class Operations(AbstractAsyncContextManager[None]):
    """Runs ``children`` under the supervisor ``otp`` for the length of a block, if there are any.

    One node has one: a block inside another runs none of its own.
    """

    def __init__(self, children: Iterable[ChildSpec]) -> None:
        self._children = tuple(children)
        self._stack = AsyncExitStack()

    @enable_ki_protection
    async def __aenter__(self) -> None:
        """Start them one by one; what does not start is reported."""
        table = current_table()
        if not self._children or NAME in table.by_name:
            return
        await trio.lowlevel.checkpoint_if_cancelled()
        await table.opened.wait()
        spec = Supervisor.child_spec([])
        root = spawn_process(
            table, spec.make_body(), label=spec.behaviour, name=NAME, budget=spec.shutdown
        )
        if (keeper := current_process()) is not None:
            table.keepers[root] = keeper
        async with AsyncExitStack() as stack:
            stack.push_async_callback(_stop, root)
            otp = SupervisorRef(PidRef(root.pid, root))
            for child in self._children:
                try:
                    with trio.fail_after(_TIME_TO_START):
                        await otp.start_child(child)
                    _announce(child)
                except (StartError, CallError, trio.TooSlowError) as exc:
                    _say(child, exc)
            self._stack = stack.pop_all()

    @enable_ki_protection
    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        _exc: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        """Stop them in order, whatever is cancelled."""
        await self._stack.aclose()


async def _stop(root: Process) -> None:
    if root.status != "ended":
        root.signal(root.table.owner, SHUTDOWN)
        with trio.CancelScope(shield=True):
            await wait_ended(root)


def _say(child: ChildSpec, exc: Exception) -> None:
    log = structlog.get_logger("trio_otp")
    contain(None, lambda: log.error(
        "not started, the service goes on without it",
        child=show(child.id), error=_why(exc),
    ))  # fmt: skip


def _why(exc: Exception) -> str:
    """In a sentence: what stands behind the failed start, if that says something."""
    if isinstance(exc, trio.TooSlowError):
        return f"it was not up within {_TIME_TO_START:g} s"
    return str(exc.__cause__ or "") or str(exc)


def _announce(child: ChildSpec) -> None:
    """Where to attach, if this is where one can."""
    process = current_table().by_name.get(str(child.name))
    socket = None if process is None else process.body.facts().get("socket")
    if socket is not None:
        log = structlog.get_logger("trio_otp")
        contain(None, partial(log.info, "console open", socket=socket))
