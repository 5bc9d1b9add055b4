"""The node: what is scoped to one ``trio.run``. It owns every process that has no supervisor.

The processes live in a host task whose nursery is shielded for its whole life, and the body of
``open_node`` stands outside it. So leaving the body, cancelling it or raising in it reaches no
process: it is a request for the orderly shutdown, which then runs to its end before anything
propagates. The cost is a task per node, and that the end of a node takes as long as its processes
do, each within its budget.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AsyncExitStack
from functools import partial
from types import TracebackType
from typing import Self

import trio
from trio.lowlevel import RunVarToken, enable_ki_protection

from runtime.current import node_is_open
from runtime.inspection.cpu import close_meter
from runtime.instruments import Instrument, Instruments
from runtime.process import Process, table_var
from runtime.process_table import ProcessTable
from runtime.reports import log_reports
from runtime.stops import stop_process
from runtime.telemetry.counting import count_processes


class Node:
    """An open node, as ``open_node`` gives it."""

    def __init__(self, instruments: Iterable[Instrument] | None) -> None:
        self.instruments = Instruments([log_reports] if instruments is None else instruments)
        self._stop = trio.Event()
        self._body = trio.CancelScope()
        self._fatal: BaseException | None = None

    @enable_ki_protection
    async def __aenter__(self) -> Self:
        """Start the host task; the body runs beside it, not in it."""
        if node_is_open():
            raise RuntimeError("a node is open in this trio.run already, and there is one per run")
        await trio.lowlevel.checkpoint_if_cancelled()
        self._manager = trio.open_nursery()
        nursery = await self._manager.__aenter__()
        table: ProcessTable[Process] = ProcessTable(self.instruments, self._on_fatal)
        token = table_var.set(table)  # at once: nobody else opens one meanwhile
        nursery.start_soon(self._host, table, token)
        self.instruments.node_opened(partial(count_processes, table))
        with trio.CancelScope(shield=True):
            await table.opened.wait()
        self._stack = AsyncExitStack()
        self._stack.push_async_callback(self._leave)
        self._stack.enter_context(self._body)
        return self

    @enable_ki_protection
    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        """Stop every process in order, then let what ended the body go on its way, unwrapped."""
        try:
            return bool(await self._stack.__aexit__(kind, exc, trace))
        finally:
            if self._fatal is not None:
                raise self._fatal

    async def _leave(self) -> None:
        """What cancels the block meanwhile is delivered at the next checkpoint after it."""
        self._stop.set()
        await self._manager.__aexit__(None, None, None)

    async def _host(
        self, table: ProcessTable[Process], token: RunVarToken[ProcessTable[Process]]
    ) -> None:
        with trio.CancelScope(shield=True):
            async with trio.open_nursery() as service, trio.open_nursery() as processes:
                service.start_soon(table.deadlines.run)
                table.open(processes)
                await self._stop.wait()
                table.stopping = True
                while table.roots:
                    root = _next_root(table)
                    await stop_process(root, table.owner, table.roots[root])
                close_meter(table)
                table_var.reset(token)
                self.instruments.node_ended()
                service.cancel_scope.cancel()

    def _on_fatal(self, exc: BaseException) -> None:
        if self._fatal is None:
            self._fatal = exc
            table_var.get().stopping = True  # nothing is restarted any more
            self._body.cancel()


def _next_root(table: ProcessTable[Process]) -> Process:
    """The last started; but a tree that a living process keeps open is that process's to stop."""
    free = (
        root
        for root in reversed(table.roots)
        if (keeper := table.keepers.get(root)) is None or keeper.status == "ended"
    )
    return next(free, next(reversed(table.roots)))


def open_node(*, instruments: Iterable[Instrument] | None = None) -> Node:
    """Open a node for this ``trio.run``, with ``async with``.

    The outermost ``open_supervisor`` opens one by itself. Leaving the block, by whatever way, stops
    every process, last started first, each within its budget. ``instruments`` replaces the default,
    which writes crash and supervisor reports to structlog. Cancelling, also while it stops, does
    not hurry it; what propagates then does so unwrapped.
    """
    return Node(instruments)
