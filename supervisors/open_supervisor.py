"""A supervision tree for the length of a block: ``async with open_supervisor(children)``.

The root supervisor lives in the node's host task, not under the block. Leaving the block by any
way asks it for its orderly shutdown and waits for that; only then does anything propagate.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from types import TracebackType
from typing import Self

import trio
from trio.lowlevel import enable_ki_protection

from runtime import ChildSpec, ExitReason, Instrument, Shutdown, StartError, open_node
from runtime.calls import PidRef
from runtime.containment import short_repr, show
from runtime.current import current_process, current_table, node_is_open
from runtime.exits import SHUTDOWN, is_clean
from runtime.process import Process
from runtime.spawning import spawn_process
from runtime.starts import start_error
from runtime.waiting import wait_ended, wait_started
from runtime.watchdogs.limits import WatchdogLimits
from supervisors.backoff import Backoff
from supervisors.children import ChildSource
from supervisors.errors import FailedToStartChild, GaveUp, SupervisorGaveUp, exception_of
from supervisors.operations import Operations, console_specs, watchdog_specs
from supervisors.strategies import AutoShutdown, Strategy
from supervisors.supervisor import Supervisor
from supervisors.supervisor_ref import SupervisorRef


class _RootWatch:
    """Cancels the body when the root supervisor ends, and keeps why."""

    only_end = True

    def __init__(self) -> None:
        self.body = trio.CancelScope()
        self.leaving = False  # the block is left, so the root's end is no news
        self.orphaned = False  # the node was closed under the block
        self.reason: ExitReason = None

    def wake(self, reason: ExitReason) -> None:
        """The root has ended, by itself or because it was asked to."""
        self.reason = reason
        self.orphaned = not self.leaving and current_table().stopping
        self.body.cancel()

    async def stop(self, root: Process) -> None:
        """Ask the root for the orderly shutdown and wait for it, whatever is cancelled."""
        self.leaving = True
        root.signal(root.table.owner, SHUTDOWN)
        if root.status != "ended":
            with trio.CancelScope(shield=True):
                await wait_ended(root)

    @property
    def failed(self) -> bool:
        """Whether the root ended otherwise than by request, or because its work was done."""
        reason = self.reason
        gave_up = isinstance(reason, Shutdown) and isinstance(reason.detail, GaveUp)
        return gave_up or self.orphaned or not is_clean(reason)


class _Note:
    """Says on what the body raised, also if a new group was made of it, that the tree failed."""

    def __init__(self, spec: ChildSpec, watch: _RootWatch) -> None:
        self._spec = spec
        self._watch = watch

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        exc: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        if exc is not None and self._watch.failed:
            self.add_to(exc)

    def add_to(self, exc: BaseException) -> None:
        """Add the note."""
        exc.add_note(f"meanwhile: {_gave_up(self._spec, self._watch)}")


class OpenSupervisor(AbstractAsyncContextManager[SupervisorRef]):
    """What ``open_supervisor`` returns; use it with ``async with``, once."""

    def __init__(
        self,
        spec: ChildSpec,
        instruments: Iterable[Instrument] | None,
        operations: Iterable[ChildSpec] = (),
    ) -> None:
        self._spec = spec
        self._instruments = instruments
        self._operations = Operations(operations)

    @enable_ki_protection
    async def __aenter__(self) -> SupervisorRef:
        """Start the tree; if that fails or is cancelled, what was started is stopped in order."""
        self._watch = _RootWatch()
        async with AsyncExitStack() as stack:
            if not node_is_open():
                await stack.enter_async_context(open_node(instruments=self._instruments))
            await stack.enter_async_context(self._operations)
            root = await _start_root(self._spec, self._watch)
            stack.push_async_callback(self._watch.stop, root)
            stack.enter_context(self._watch.body)
            self._stack = stack.pop_all()
        return SupervisorRef(PidRef(root.pid, root))

    @enable_ki_protection
    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        """Stop the tree in order, then raise what there is to raise; the body's own goes first."""
        with _Note(self._spec, self._watch) as note:
            absorbed = bool(await self._stack.__aexit__(kind, exc, trace))
        if not self._watch.failed:
            return absorbed
        if exc is not None and not absorbed:
            note.add_to(exc)
            return False
        raise _gave_up(self._spec, self._watch) from exception_of(self._watch.reason)


async def _start_root(spec: ChildSpec, watch: _RootWatch) -> Process:
    await trio.lowlevel.checkpoint_if_cancelled()
    table = current_table()
    await table.opened.wait()
    root = spawn_process(
        table, spec.make_body(), label=spec.behaviour, name=spec.name, budget=spec.shutdown
    )
    root.watches[watch] = None
    if (keeper := current_process()) is not None:
        table.keepers[root] = keeper
    reason = await wait_started(root, lambda: root.signal(table.owner, SHUTDOWN))
    if reason is not None:
        raise _not_started(spec, root, reason) from exception_of(reason)
    return root


def _not_started(spec: ChildSpec, root: Process, reason: ExitReason) -> StartError:
    error = start_error(spec, root, reason)
    if isinstance(reason, Shutdown) and isinstance(reason.detail, FailedToStartChild):
        error.add_note(f"child {short_repr(reason.detail.child_id)} failed to start")
    return error


def _gave_up(spec: ChildSpec, watch: _RootWatch) -> SupervisorGaveUp:
    reason, name = watch.reason, show(spec.id)
    if isinstance(reason, Shutdown) and isinstance(reason.detail, GaveUp):
        return SupervisorGaveUp(f"{name} ran out of restarts:", reason, reason.detail.history)
    if watch.orphaned:
        return SupervisorGaveUp(f"{name} ended with the node, which was closed", reason, ())
    return SupervisorGaveUp(f"{name} ended: {short_repr(reason)}", reason, ())


def root_spec(
    children: Iterable[ChildSource],
    *,
    name: str | None,
    strategy: Strategy,
    max_restarts: int,
    max_seconds: float,
    auto_shutdown: AutoShutdown,
    backoff: Backoff | None,
) -> ChildSpec:
    """The spec of a tree's root, everything in it checked."""
    spec = Supervisor.child_spec(
        children,
        strategy=strategy,
        max_restarts=max_restarts,
        max_seconds=max_seconds,
        auto_shutdown=auto_shutdown,
        backoff=backoff,
    )
    return spec.replace(name=name)


def open_supervisor(
    children: Iterable[ChildSource], *, strategy: Strategy = "one_for_one", max_restarts: int = 3,
    max_seconds: float = 5.0, auto_shutdown: AutoShutdown = "never",
    backoff: Backoff | None = None, name: str | None = None,
    instruments: Iterable[Instrument] | None = None, watchdog: bool | WatchdogLimits = False,
    console: bool = False,
) -> AbstractAsyncContextManager[SupervisorRef]:  # fmt: skip
    """Run a supervision tree for the length of an ``async with`` block.

    See ``Supervisor`` for the options; ``name`` registers the root. The outermost one in a
    ``trio.run`` also opens the node, with ``instruments`` (see ``open_node``). If a child does not
    start, those before it are stopped and ``StartFailed`` is raised. When the root runs out of
    restarts, the body is cancelled and ``SupervisorGaveUp`` raised; a body that raises by itself
    wins, with a note. When the root ends by ``auto_shutdown`` or ``stop``, the body is cancelled
    and the block is left quietly. Cancelling the block, also while it stops, is a request for the
    orderly shutdown and does not hurry it.

    ``watchdog`` looks after the node for as long: see ``WatchdogLimits``. It is started before the
    tree, stopped after it, and nothing that becomes of it touches the tree. So it is with
    ``console``, which lets the command ``otp`` in under ``name``: see docs/console.md.
    """
    spec = root_spec(
        children,
        name=name,
        strategy=strategy,
        max_restarts=max_restarts,
        max_seconds=max_seconds,
        auto_shutdown=auto_shutdown,
        backoff=backoff,
    )
    operations = [*watchdog_specs(watchdog), *console_specs(console, name)]
    return OpenSupervisor(spec, instruments, operations)
