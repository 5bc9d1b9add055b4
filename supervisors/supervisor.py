"""Supervisor: starts its children in order, restarts them by rule, stops them in reverse.

OTP: ``Supervisor``. The children stop one by one in reverse, by the same code for every way a
supervisor can end.
"""

from __future__ import annotations

import inspect
from collections.abc import Hashable, Iterable, Mapping
from typing import Any

from runtime import (
    AlreadyStarted,
    ChildSpec,
    ExitReason,
    Ignored,
    NoReply,
    Pid,
    Ref,
    ReplyTo,
    Shutdown,
    StartError,
    Stop,
    handles,
    ref,
)
from runtime.containment import attempt, short_repr, show
from runtime.exits import SHUTDOWN
from runtime.inspection.views import Plain
from runtime.instruments import GIVE_UP
from runtime.outcomes import CastResult, InitResult
from supervisors.backoff import Backoff, check_backoff
from supervisors.children import Child, ChildCounts, ChildInfo, ChildSource, to_specs
from supervisors.errors import (
    AlreadyPresent,
    ChildNotFound,
    ChildRestarting,
    ChildRunning,
    FailedToStartChild,
)
from supervisors.family import Family, failure_reason
from supervisors.intensity import Intensity
from supervisors.requests import (
    ChildDown,
    CountChildren,
    DeleteChild,
    RestartChild,
    RetryRestart,
    StartChild,
    TerminateChild,
    WhichChildren,
)
from supervisors.restarts import Restarts
from supervisors.strategies import (
    AutoShutdown,
    Strategy,
    check_auto_shutdown,
    check_strategy,
    is_restarted,
    restart_group,
    shuts_down,
)
from supervisors.supervising import Supervising


class Supervisor(Supervising):
    """A supervisor of a fixed list of children, to which more can be added.

    - ``children``: specs, GenServer classes or async functions, in start order; ``None`` is left
      out, and so is a spec whose ``enabled`` says so.
    - ``strategy``: ``one_for_one`` restarts what ended, ``one_for_all`` all, ``rest_for_one`` what
      ended and what was started after it.
    - ``max_restarts`` in ``max_seconds``: one restart more, over all children, and it stops its
      children and ends with ``Shutdown``.
    - ``auto_shutdown``: ``any_significant`` or ``all_significant`` ends it when significant
      children have ended by themselves.
    - ``backoff``: a ``Backoff`` delays restarts; the default restarts at once.

    A subclass that computes its children calls ``super().__init__(...)`` from its own.
    """

    family: Family | None = None

    def __init__(
        self,
        children: Iterable[ChildSource],
        *,
        strategy: Strategy = "one_for_one",
        max_restarts: int = 3,
        max_seconds: float = 5.0,
        auto_shutdown: AutoShutdown = "never",
        backoff: Backoff | None = None,
    ) -> None:
        check_strategy(strategy)
        check_auto_shutdown(auto_shutdown)
        check_backoff(backoff)
        self.strategy: Strategy = strategy
        self.auto_shutdown: AutoShutdown = auto_shutdown
        self.specs = to_specs(children)
        self._restarts = Restarts(Intensity(max_restarts, max_seconds), backoff)
        for spec in self.specs:
            self._check_significant(spec)

    @classmethod
    def _prepare(
        cls, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Check children and options when the spec is made; keep the children for restarts."""
        if cls is Supervisor:
            bound = inspect.signature(cls).bind(*args, **kwargs)
            bound.arguments["children"] = to_specs(bound.arguments["children"])
            cls(*bound.args, **bound.kwargs)
            return bound.args, bound.kwargs
        return args, kwargs

    def _check_significant(self, spec: ChildSpec) -> None:
        if spec.significant and self.auto_shutdown == "never":
            raise ValueError(
                f"significant of child {short_repr(spec.id)}: the supervisor's auto_shutdown "
                "is 'never', so its end could not end the supervisor"
            )

    # -- start ------------------------------------------------------------------------------

    async def init(self) -> InitResult:
        """Start the children in order; if one fails, none stays."""
        self.family = Family(self._process, self._nursery)
        for spec in self.specs:
            if not spec.is_enabled():
                continue
            error = await self.family.start_new(Child(spec))
            if error is not None and not isinstance(error, Ignored):
                return Stop(Shutdown(FailedToStartChild(spec.id, failure_reason(error))))
        return None

    @property
    def _family(self) -> Family:
        assert self.family is not None
        return self.family

    async def stop_children(self) -> None:
        """Stop the children one by one, last started first."""
        if self.family is not None:
            await self.family.stop_all()

    # -- requests ---------------------------------------------------------------------------

    @handles(StartChild)
    async def start_child(self, request: StartChild, reply_to: ReplyTo[Ref]) -> NoReply:
        """See ``SupervisorRef.start_child``."""
        spec, ticket = request.spec, request.ticket
        error = self._refusal(spec)
        if error is not None:
            reply_to.error(error)
            error = None  # this frame is in its traceback: break the cycle
        elif not ticket.cancelled:
            child = Child(spec)
            failure = await self._family.start_new(child, ticket)
            if reply_to.answered:  # whoever asked for it has given up
                await self._family.forget(child)
            else:
                self._answer(reply_to, child, failure)
        return NoReply()

    def _refusal(self, spec: ChildSpec) -> Exception | None:
        """Why a child cannot be added, if so."""
        return attempt(self._check_new, spec)[1]

    def _check_new(self, spec: ChildSpec) -> None:
        present = self._family.rows.get(spec.id)
        if present is not None and present.process is not None:
            raise AlreadyStarted(show(spec.id), present.process.pid, child_id=True)
        if present is not None:
            raise AlreadyPresent(spec.id)
        self._check_significant(spec)
        if not spec.is_enabled():
            raise Ignored(f"child {short_repr(spec.id)} is not enabled")

    def _answer(self, reply_to: ReplyTo[Ref], child: Child, error: StartError | None) -> None:
        if error is not None:
            reply_to.error(error)
        else:
            assert child.process is not None
            reply_to.reply(ref(child.process.pid))

    def _find(
        self, child_id: Hashable, reply_to: ReplyTo[Ref] | ReplyTo[None], *, stopped: bool
    ) -> Child | None:
        """The row of that id, which must be stopped if so asked; else the caller gets the error."""
        child, error = attempt(self._row_of, child_id, stopped)
        if error is not None:
            reply_to.error(error)
            error = None  # this frame is in its traceback: break the cycle
        return child

    def _row_of(self, child_id: Hashable, stopped: bool) -> Child:
        child = self._family.rows.get(child_id)
        if child is None:
            raise ChildNotFound(child_id)
        if stopped and child.status == "restarting":
            raise ChildRestarting(child_id)
        if stopped and child.process is not None:
            raise ChildRunning(child_id, child.process.pid)
        return child

    @handles(TerminateChild)
    async def terminate_child(self, request: TerminateChild, reply_to: ReplyTo[None]) -> NoReply:
        """See ``SupervisorRef.terminate_child``."""
        child = self._find(request.child_id, reply_to, stopped=False)
        if child is not None:
            await self._family.stop(child)
            reply_to.reply(None)
        return NoReply()

    @handles(RestartChild)
    async def restart_child(self, request: RestartChild, reply_to: ReplyTo[Ref]) -> NoReply:
        """See ``SupervisorRef.restart_child``."""
        child = self._find(request.child_id, reply_to, stopped=True)
        if child is not None:
            self._answer(reply_to, child, await self._family.start(child))
        return NoReply()

    @handles(DeleteChild)
    def delete_child(self, request: DeleteChild, reply_to: ReplyTo[None]) -> NoReply:
        """See ``SupervisorRef.delete_child``."""
        child = self._find(request.child_id, reply_to, stopped=True)
        if child is not None:
            self._family.rows.remove(child)
            reply_to.reply(None)
        return NoReply()

    @handles(WhichChildren)
    def which_children(self, request: WhichChildren) -> list[ChildInfo]:
        """See ``SupervisorRef.which_children``."""
        return [child.info() for child in reversed(tuple(self._family.rows))]

    @handles(CountChildren)
    def count_children(self, request: CountChildren) -> ChildCounts:
        """See ``SupervisorRef.count_children``."""
        return self._family.rows.count()

    def facts(self) -> Mapping[str, Plain]:
        """Its strategy and its children in numbers; see ``GenServer.facts``."""
        counts = ChildCounts(0, 0, 0, 0) if self.family is None else self.family.rows.count()
        return {
            "strategy": self.strategy,
            "children": counts.specs,
            "active": counts.active,
            **super().facts(),
        }

    # -- a child has ended ------------------------------------------------------------------

    @handles(ChildDown)
    async def _child_ended(self, message: ChildDown) -> CastResult:
        """Decide what follows; nothing, if the child was stopped here."""
        child = message.child
        if not self._family.ended(child, message.pid):
            return None
        if is_restarted(child.spec.restart, message.reason):
            return await self._restart(child, message.reason, message.pid)
        self._family.settle(child)
        if self._ends_supervisor(child):
            self._report(child, message.pid, message.reason, "shut down: it was significant")
            return Stop(SHUTDOWN)
        self._report(child, message.pid, message.reason, "leave it stopped")
        return None

    def _ends_supervisor(self, child: Child) -> bool:
        others = any(
            other.spec.significant and other.status != "stopped"
            for other in self._family.rows
            if other is not child
        )
        return shuts_down(
            self.auto_shutdown, significant=child.spec.significant, others_alive=others
        )

    async def _restart(self, child: Child, reason: ExitReason, pid: Pid | None) -> CastResult:
        """Count the restart, then make it, at once or after the backoff; or give up."""
        if self._process.table.stopping:
            return None
        if not self._restarts.record(child, reason):
            self._report(child, pid, reason, GIVE_UP)
            return Stop(self._restarts.gave_up(reason))
        delay = self._restarts.delay(child)
        group = self._group_of(child)
        names = ", ".join(show(member.spec.id) for member in group)
        if delay == 0:
            self._report(child, pid, reason, f"restart {names}")
            return await self._start_group(group)
        self._report(child, pid, reason, f"restart {names} in {delay:.3g} s")
        await self._family.stop_group(group)
        self._retry_later(child, delay)
        return None

    def _group_of(self, child: Child) -> list[Child]:
        """Who is restarted when ``child`` has ended."""
        if self.strategy == "one_for_one":
            return [child]  # however many others there are
        ids = restart_group(self.strategy, self._family.rows.ids(), child.spec.id)
        return self._family.group(ids)

    async def _start_group(self, group: list[Child]) -> CastResult:
        """Stop what is left of the group, then start it in order; a failure is tried again."""
        for member in await self._family.stop_group(group):
            error = await self._family.start(member)
            if error is not None and not isinstance(error, Ignored):
                self._try_again(member, failure_reason(error))
                break
        return None

    @handles(RetryRestart)
    async def _retry_restart(self, message: RetryRestart) -> CastResult:
        """Go on with a restart, unless the child was stopped, deleted or restarted meanwhile."""
        child = message.child
        if child.status != "restarting" or child.restarts != message.attempt:
            return None
        if message.failure is not None:
            return await self._restart(child, message.failure, None)
        return await self._start_group(self._group_of(child))
