"""TaskSupervisor: a dynamic supervisor whose children are tasks. OTP: ``Task.Supervisor``."""

from __future__ import annotations

import trio

from runtime import NoReply, ReplyTo, handles
from runtime.task import spawn_task
from supervisors.dynamic_children import DynamicChild
from supervisors.dynamic_supervisor import DynamicSupervisor
from supervisors.requests import StartTask


class TaskSupervisor(DynamicSupervisor):
    """A supervisor of tasks: ``TaskSupervisorRef`` starts them, and streams of them.

    Takes the options of ``DynamicSupervisor``; ``max_children`` bounds how many tasks run at once,
    and one more is refused with ``MaxChildren``. Stopping it stops its tasks, each within its
    budget.
    """

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
