"""TaskSupervisor: a dynamic supervisor whose children are tasks. OTP: ``Task.Supervisor``."""

from __future__ import annotations

from typing import Any

import trio

from runtime import NoReply, ReplyTo, handles
from runtime.task import spawn_task
from supervisors.backoff import Backoff
from supervisors.dynamic_children import DynamicChild
from supervisors.dynamic_supervisor import DynamicSupervisor
from supervisors.requests import StartTask


class TaskSupervisor(DynamicSupervisor):
    """A supervisor of tasks: ``TaskSupervisorRef`` starts them, and streams of them.

    - ``max_children``: how many tasks may run at once, ``None`` for no limit; one more is refused
      with ``MaxChildren`` before anything starts.
    - ``max_restarts`` in ``max_seconds``, ``backoff``: as for ``Supervisor``, for those that
      ``start_child`` was given a spec of that is not ``temporary``.

    It stops its tasks all at once, each within its own budget.
    """

    def __init__(
        self,
        *,
        max_children: int | None = None,
        max_restarts: int = 3,
        max_seconds: float = 5.0,
        backoff: Backoff | None = None,
    ) -> None:
        super().__init__(
            max_children=max_children,
            max_restarts=max_restarts,
            max_seconds=max_seconds,
            backoff=backoff,
        )

    @classmethod
    def _prepare(
        cls, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Check the options when the spec is made, unless a subclass has its own constructor."""
        if cls.__init__ is TaskSupervisor.__init__:
            return cls._prepare_by_making(args, kwargs)
        return args, kwargs

    @handles(StartTask)
    def start_task(self, request: StartTask, reply_to: ReplyTo[None]) -> NoReply:
        """See ``TaskSupervisorRef.start``; the answer does not wait for the task's first step."""
        full = self._refusal()
        if full is not None:
            reply_to.error(full)
        elif not reply_to.answered:  # whoever asked is still there
            self._adopt(request)
            reply_to.reply(None)
        return NoReply()

    def _adopt(self, request: StartTask) -> None:
        child = DynamicChild(request.spec)
        child.status, child.up_since = "running", trio.current_time()
        process = spawn_task(
            request.task,
            link_to=request.link_to,
            nursery=self._nursery,
            parent=self._process.pid,
            budget=request.spec.shutdown,
        )
        self._follow(child, process)
        self.children.add(child, process)
