"""What every kind of supervisor is: a server whose process is wrapped in a Trio nursery.

The children are tasks of that nursery, so a supervisor cannot end before they have. The nursery
stands outside the scope that exit signals cancel: a signal interrupts what the supervisor waits for
(a slow ``init``, a slow stop) but never a child; the children are then stopped by the one piece of
code that does so for every way a supervisor can end, ``stop_children``.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping
from typing import Any, ClassVar

import trio

from runtime import (
    ChildEnded,
    ChildStartFailed,
    ChildType,
    Exit,
    ExitReason,
    GenServer,
    NoReply,
    Pid,
    ReplyTo,
    ShutdownBudget,
    UnhandledMessage,
    handles,
    send_after,
)
from runtime.bodies import TrapMode
from runtime.callback_results import CallHandler
from runtime.exits import is_clean
from runtime.inspection.views import Plain
from runtime.instruments import GIVE_UP, RestartsHigh
from runtime.process import Process
from runtime.server_body import ServerBody
from supervisors.children import Child
from supervisors.requests import RetryRestart
from supervisors.restarts import Restarts


class SupervisingBody(ServerBody):
    """A server's body inside the nursery its children live in."""

    __slots__ = ("nursery",)

    trap: TrapMode = "not parent"
    nursery: trio.Nursery

    async def live(self, process: Process) -> ExitReason:
        """Serve; then, however that ended, stop the children. The nursery is empty by then."""
        manager = trio.open_nursery()
        self.nursery = await manager.__aenter__()
        try:
            return await super().live(process)
        finally:
            server = self.server
            if isinstance(server, Supervising):
                await server.stop_children()
            await manager.__aexit__(None, None, None)
            del self.nursery  # it leads back to the process


class Supervising(GenServer):
    """Base of the supervisors: where the children live, and what is nobody's business."""

    inline: ClassVar[bool] = False
    _body_class: ClassVar[type[ServerBody]] = SupervisingBody
    _child_type: ClassVar[ChildType] = "supervisor"
    _child_shutdown: ClassVar[ShutdownBudget] = math.inf

    _restarts: Restarts

    async def stop_children(self) -> None:
        """Stop every child; called once, as the last thing, in a process that may be cancelled."""

    @property
    def _process(self) -> Process:
        assert self._loop is not None
        return self._loop.process

    @property
    def _nursery(self) -> trio.Nursery:
        body = self._process.body
        assert isinstance(body, SupervisingBody)
        return body.nursery

    def handle_call(self, request: Any, reply_to: ReplyTo[Any]) -> Any:
        """A call it does not know is the caller's mistake, and no reason to end a tree."""
        if self._handler_of(request) is not None:
            return super().handle_call(request, reply_to)
        name = type(request).__name__
        reply_to.error(
            UnhandledMessage(
                f"a supervisor does not handle the call {name}; call the "
                "child: named(...).call(...)"
            )
        )
        return NoReply()

    @classmethod
    def _find_call_handler(cls, request: type[object]) -> CallHandler | None:
        """As for a server that leaves ``handle_call`` to its handlers; others go by it."""
        handler = cls._handlers.find(request)
        if handler is None or cls.handle_call is not Supervising.handle_call:
            return None
        plain = not inspect.iscoroutinefunction(getattr(cls, handler.name))
        return CallHandler(handler.name, wants_reply_to=handler.wants_reply_to, plain=plain)

    def handle_cast(self, message: Any) -> Any:
        """A cast it does not know is reported and ignored."""
        if self._handler_of(message) is not None:
            return super().handle_cast(message)
        self._unexpected(message)
        return None

    def facts(self) -> Mapping[str, Plain]:
        """What it may restart, and has; see ``GenServer.facts``."""
        return self._restarts.facts()

    @handles(Exit)
    def _ignore_exit(self, message: Exit) -> None:
        """An exit signal of a stranger, or of a child, does not stop a supervisor."""

    # -- restarts ---------------------------------------------------------------------------

    def _try_again(self, child: Child, reason: ExitReason) -> None:
        """By a message, so that requests get a turn between attempts."""
        child.status = "restarting"
        process = self._process
        if process.table.instruments.want(ChildStartFailed):
            process.table.instruments.emit(
                ChildStartFailed(process.pid, child.spec.id, reason, "try again")
            )
        process.post_system(RetryRestart(child, child.restarts, reason))

    def _retry_later(self, child: Child, delay: float) -> None:
        """Go on with a restart after the backoff."""
        child.status = "restarting"
        send_after(self._process.pid, RetryRestart(child, child.restarts, None), delay)

    def _report(self, child: Child, pid: Pid | None, reason: ExitReason, action: str) -> None:
        process, restarts = self._process, self._restarts
        if not is_clean(reason):
            process.table.crashes.followed(pid, action)
        if process.table.instruments.want(ChildEnded):
            process.table.instruments.emit(
                ChildEnded(
                    process.pid,
                    child.spec.id,
                    pid,
                    reason,
                    restarts.recent,
                    restarts.intensity.max_restarts,
                    action,
                    child.spec.behaviour,
                )
            )
        if restarts.passed_half:
            self._tell_half(action)

    def _tell_half(self, action: str) -> None:
        """Say once that not much is left; not if that was already too much."""
        process, restarts = self._process, self._restarts
        restarts.passed_half = False
        if action != GIVE_UP and process.table.instruments.want(RestartsHigh):
            most = restarts.intensity
            process.table.instruments.emit(RestartsHigh(
                process.pid, process.name, restarts.recent, most.max_restarts, most.max_seconds
            ))  # fmt: skip
