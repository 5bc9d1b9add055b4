"""DynamicSupervisor: children that come and go. OTP: ``DynamicSupervisor``.

The choice: nothing is waited for in the supervisor's own turn. A start is a process and a watch on
it, and whoever asked is answered when the child is up; a stop is a signal and a watch. So a child
that is slow to start or to stop delays its own requester and nobody else (OTP's would hold up every
request), and ten thousand children need no task but their own. The cost: a request may be answered
before another that was made earlier.

Nor does it await anything in the handlers of requests, so they run at once in the step of who asks,
as those of any server do: see ``inline_calls``. But not on the last frames of a deep stack: a tree
is not to end because somebody recurses.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any, ClassVar, cast

import trio
from trio.lowlevel import enable_ki_protection

from runtime import (
    ChildSpec,
    ExitReason,
    Ignored,
    NoReply,
    Pid,
    Ref,
    ReplyTo,
    StartError,
    Stop,
    handles,
)
from runtime.callback_results import CallHandler
from runtime.calls import PidRef
from runtime.containment import attempt, short_repr
from runtime.inspection.views import Plain
from runtime.instruments import GIVE_UP, ChildRefused
from runtime.outcomes import CastResult
from runtime.process import Process
from runtime.spawning import spawn_process
from runtime.stack_room import has_room
from runtime.starts import start_error
from runtime.stops import begin_to_stop
from supervisors.backoff import Backoff, check_backoff
from supervisors.children import ChildCounts, ChildInfo
from supervisors.dynamic_children import DynamicChild, DynamicChildren
from supervisors.errors import ChildNotFound, MaxChildren
from supervisors.family import failure_reason
from supervisors.intensity import Intensity
from supervisors.requests import (
    ChildDown,
    CountChildren,
    RetryRestart,
    StartDynamicChild,
    TerminatePid,
    WhichChildren,
)
from supervisors.restarts import Restarts
from supervisors.shutdown import stop_all, stop_together
from supervisors.strategies import is_restarted
from supervisors.supervising import Supervising


class DynamicSupervisor(Supervising):
    """A supervisor that starts empty and is asked for children: ``DynamicSupervisorRef``.

    - ``max_children``: how many there may be at once, ``None`` for no limit; one more is refused
      with ``MaxChildren`` before anything starts. A child that is being restarted counts.
    - ``extra_arguments``: positional arguments that go before those of each child.
    - ``max_restarts`` in ``max_seconds``, ``backoff``: as for ``Supervisor``.
    - ``strategy``: ``one_for_one`` is the only one, since these children do not know each other.

    It stops its children all at once, each within its own budget.
    """

    inline: ClassVar[bool] = True

    def __init__(
        self,
        *,
        max_children: int | None = None,
        max_restarts: int = 3,
        max_seconds: float = 5.0,
        extra_arguments: Iterable[object] = (),
        backoff: Backoff | None = None,
        strategy: str = "one_for_one",
    ) -> None:
        check_backoff(backoff)
        _check_one_for_one(strategy)
        self.max_children = check_max_children(max_children)
        self.extra_arguments = _check_extra_arguments(extra_arguments)
        self.children = DynamicChildren()
        self._restarts = Restarts(Intensity(max_restarts, max_seconds), backoff)

    def _call_handler_of(self, request: object) -> CallHandler | None:
        return super()._call_handler_of(request) if has_room() else None

    @classmethod
    def _prepare(
        cls, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Check the options when the spec is made, unless a subclass has a constructor of its own.

        What they are, such as the iterator of ``extra_arguments``, is kept for restarts.
        """
        if cls.__init__ is DynamicSupervisor.__init__:
            return cls._prepare_by_making(args, kwargs)
        return args, kwargs

    @classmethod
    def _prepare_by_making(
        cls, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments every start uses, checked by making an instance of them."""
        bound = inspect.signature(cls).bind(*args, **kwargs)
        if "extra_arguments" in bound.arguments:
            given = bound.arguments["extra_arguments"]
            bound.arguments["extra_arguments"] = _check_extra_arguments(given)
        cls(*bound.args, **bound.kwargs)
        return bound.args, bound.kwargs

    async def stop_children(self) -> None:
        """Stop the children all at once, each within its own budget."""
        await stop_all(self.children, self._process, stop_together)

    # -- requests ---------------------------------------------------------------------------

    @handles(StartDynamicChild)
    def start_child(self, request: StartDynamicChild, reply_to: ReplyTo[Ref]) -> NoReply:
        """See ``DynamicSupervisorRef.start_child``."""
        if not reply_to.answered:
            spec, error = attempt(self._bind, request)
            if spec is None:
                assert error is not None
                reply_to.error(error)
                error = None  # this frame is in its traceback: break the cycle
            else:
                self._start_new(spec, reply_to)
        return NoReply()

    def _bind(self, request: StartDynamicChild) -> ChildSpec:
        """The spec to start: the extra arguments go first."""
        spec = request.make(*self.extra_arguments)
        if not spec.is_enabled():
            raise Ignored(f"child {short_repr(spec.id)} is not enabled")
        return spec

    @enable_ki_protection  # a process that the table does not know would never be stopped
    def _start_new(self, spec: ChildSpec, reply_to: ReplyTo[Ref]) -> None:
        child = DynamicChild(spec)
        child.requester = reply_to
        error = self._refusal() or self._spawn(child)
        if error is not None:
            reply_to.error(error)
            error = None  # this frame is in its traceback: break the cycle
            return
        assert child.process is not None
        self.children.add(child, child.process)
        reply_to.on_give_up(child.abandon)  # first: its init may have cancelled who asked
        if child.process.status == "running":
            self.child_is_up(child, child.process)
        else:
            reply_to.waits_for(child.process)

    def _refusal(self) -> MaxChildren | None:
        """Why there can be no child more, which is told."""
        limit, process = self.max_children, self._process
        if limit is None or len(self.children) < limit:
            return None
        if (instruments := process.table.instruments).want(ChildRefused):
            instruments.emit(ChildRefused(process.pid, process.name, limit))
        return MaxChildren(limit)

    def _spawn(self, child: DynamicChild) -> StartError | None:
        """Give a child a process, which says by itself when it is up and when it has ended."""
        owner, spec = self._process, child.spec
        try:
            process = spawn_process(
                owner.table, spec.make_body(), label=spec.behaviour, name=spec.name,
                limit=spec.mailbox, budget=spec.shutdown, nursery=self._nursery, parent=owner.pid,
                begins=True,
            )  # fmt: skip
        except StartError as exc:
            return exc
        child.status = "starting"
        self._follow(child, process)
        return None

    def _follow(self, child: DynamicChild, process: Process) -> None:
        """From now on the child lives as this process, and its end is heard of."""
        child.process = process
        process.follower = _Life(self, child, process)

    @handles(TerminatePid)
    def terminate_child(self, request: TerminatePid, reply_to: ReplyTo[None]) -> NoReply:
        """See ``DynamicSupervisorRef.terminate_child``."""
        child = self.children.find(request.pid)
        if child is None:
            reply_to.error(ChildNotFound(request.pid))
        elif child.process is None:  # between two attempts to restart it
            self._forget(child)
            child.status = "stopped"
            reply_to.reply(None)
        else:
            child.stopping = True
            reply_to.waits_for(child.process)
            done = partial(reply_to.reply, None)
            begin_to_stop(child.process, self._process.pid, child.spec.shutdown, done)
        return NoReply()

    @handles(WhichChildren)
    def which_children(self, request: WhichChildren) -> list[ChildInfo]:
        """See ``DynamicSupervisorRef.which_children``."""
        return [child.info() for child in reversed(tuple(self.children))]

    @handles(CountChildren)
    def count_children(self, request: CountChildren) -> ChildCounts:
        """See ``DynamicSupervisorRef.count_children``."""
        return self.children.count()

    def facts(self) -> Mapping[str, Plain]:
        """How many children it has and may have; see ``GenServer.facts``."""
        return {
            "strategy": "one_for_one",
            "children": len(self.children),
            "max_children": self.max_children,
            **super().facts(),
        }

    # -- the life of a child ----------------------------------------------------------------

    def child_is_up(self, child: DynamicChild, process: Process) -> None:
        """Its ``init`` is done: tell whoever asked for it; who has gone away takes it with him."""
        child.status, child.up_since = "running", trio.current_time()
        self.children.is_up(child, process)
        if child.given_up:
            child.stopping = True
            process.kill()
        elif child.requester is not None:
            child.requester.reply(PidRef(process.pid, process))
        child.requester = None

    def child_is_gone(self, child: DynamicChild, process: Process, reason: ExitReason) -> None:
        """Its process has ended: tell whoever waits for its first start, then the supervisor.

        At once, for a supervisor that stops handles no message any more, and may be waiting for
        a child that waits for this one.
        """
        if child.status == "running":
            child.down_at = trio.current_time()
        if child.requester is not None:
            child.requester.error(start_error(child.spec, process, reason))
            child.requester, child.stopping = None, True
        self._process.post_system(ChildDown(child, process.pid, reason))

    @handles(ChildDown)
    def _child_ended(self, message: ChildDown) -> CastResult:
        """Decide what follows, if it was up or was being restarted."""
        child, reason = message.child, message.reason
        assert isinstance(child, DynamicChild)
        process, child.process = child.process, None
        assert process is not None
        was_up, child.status = child.status == "running", "stopped"
        self.children.is_down(process)
        if child.stopping:
            self._forget(child)
        elif was_up:
            return self._after_its_end(child, reason, process)
        else:
            self._restart_failed(child, start_error(child.spec, process, reason))
        return None

    def _forget(self, child: DynamicChild) -> None:
        """A child is gone for good."""
        self.children.remove(child)

    def _after_its_end(
        self, child: DynamicChild, reason: ExitReason, process: Process
    ) -> CastResult:
        if is_restarted(child.spec.restart, reason):
            return self._restart(child, reason, process.pid)
        self._forget(child)
        if not process.given_up:  # by a stream, say, which knows
            self._report(child, process.pid, reason, "leave it stopped")
        return None

    def _restart(self, child: DynamicChild, reason: ExitReason, pid: Pid | None) -> CastResult:
        """Count the restart, then make it, at once or after the backoff; or give up."""
        if self._process.table.stopping:
            return None
        if not self._restarts.record(child, reason):
            self._report(child, pid, reason, GIVE_UP)
            return Stop(self._restarts.gave_up(reason))
        delay = self._restarts.delay(child)
        if delay == 0:
            self._report(child, pid, reason, "restart it")
            self._start_again(child)
        else:
            self._report(child, pid, reason, f"restart it in {delay:.3g} s")
            self._retry_later(child, delay)
        return None

    @enable_ki_protection
    def _start_again(self, child: DynamicChild) -> None:
        error = self._spawn(child)
        if error is not None:
            self._restart_failed(child, error)
            error = None  # this frame is in its traceback: break the cycle
            return
        assert child.process is not None
        self.children.starts_again(child, child.process)
        if child.process.status == "running":
            self.child_is_up(child, child.process)

    def _restart_failed(self, child: DynamicChild, error: StartError) -> None:
        """Try again; but a child that says it is not needed is done."""
        if isinstance(error, Ignored):
            self._forget(child)
        else:
            self._try_again(child, failure_reason(error))

    @handles(RetryRestart)
    def _retry_restart(self, message: RetryRestart) -> CastResult:
        """Go on with a restart, unless the child was stopped meanwhile."""
        child = message.child
        assert isinstance(child, DynamicChild)
        if child.status != "restarting" or child.restarts != message.attempt:
            return None
        if message.failure is not None:
            return self._restart(child, message.failure, None)
        self._start_again(child)
        return None


def check_max_children(max_children: object) -> int | None:
    """Refuse what is no number of children."""
    if max_children is None:
        return None
    if isinstance(max_children, bool) or not isinstance(max_children, int):
        raise TypeError(
            f"max_children: got {max_children!r}, allowed are an int of 0 or more and None"
        )
    if max_children < 0:
        raise ValueError(
            f"max_children: got {max_children}, allowed are an int of 0 or more and None"
        )
    return max_children


def _check_extra_arguments(extra: object) -> tuple[object, ...]:
    if isinstance(extra, str) or not isinstance(extra, Iterable):
        raise TypeError(f"extra_arguments: got {extra!r}, allowed is a list of arguments")
    return tuple(cast("Iterable[object]", extra))


def _check_one_for_one(strategy: object) -> None:
    if strategy != "one_for_one":
        raise ValueError(
            f"strategy: got {strategy!r}, allowed is 'one_for_one': the children of a dynamic "
            "supervisor do not know each other"
        )


class _Life:
    """Follows one process of a child. No link: nobody can forge it or take it away."""

    __slots__ = ("_child", "_owner", "_process")

    only_end = False

    def __init__(self, owner: DynamicSupervisor, child: DynamicChild, process: Process) -> None:
        self._owner = owner
        self._child = child
        self._process = process

    @property
    def restarts(self) -> int:
        """Of the child."""
        return self._child.restarts

    def wake(self, reason: ExitReason) -> None:
        """The process is up (``None``), or has ended."""
        if reason is None:
            self._owner.child_is_up(self._child, self._process)
        else:
            self._owner.child_is_gone(self._child, self._process, reason)
