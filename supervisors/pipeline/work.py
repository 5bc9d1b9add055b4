"""What processors, batchers and batch processors do alike: call the user, and finish messages."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import trio

from runtime import Crashed, Exited, ExitReason, Ok
from runtime.process import Process
from runtime.telemetry.pipeline_events import FailuresHandled
from supervisors.pipeline.acknowledger import ack, ack_groups
from supervisors.pipeline.callbacks import are_callbacks, has
from supervisors.pipeline.checking import checked_failed
from supervisors.pipeline.guarded import guarded
from supervisors.pipeline.line import Line
from supervisors.pipeline.message import AnyMessage
from supervisors.pipeline.spans import Telling


class Work:
    """The work of one stage: the callbacks of its group, and what becomes of messages after them.

    Nothing here fails because a user's code does. Whatever is raised here ends the stage, and then
    what it holds is given back.
    """

    def __init__(self, line: Line, group: str, stage: str, process: Process) -> None:
        callbacks = line.declaration.groups[group].callbacks
        assert are_callbacks(callbacks), "the spec has checked it"
        self.callbacks = callbacks
        self.telling = Telling(line.name, stage, process)
        self.successful = self.failed = 0  # messages, so far
        self._custody, self._me, self._process = line.custody, process.pid, process
        self._has_handle_failed = has(self.callbacks, "handle_failed")

    async def call(
        self, callback: Callable[..., object], messages: int, *args: object
    ) -> Ok[object] | Exited[None]:
        """What a callback has returned, or why it did not, which is told.

        Nothing more is called in a stage that was told to end meanwhile.
        """
        if self._process.exiting is not None:
            await trio.lowlevel.checkpoint_if_cancelled()
        outcome = await guarded(callback, *args)
        if isinstance(outcome, Exited):
            self.telling.failed(callback.__name__, messages, outcome.reason)
        return outcome

    def refused(self, callback: str, messages: int, error: Exception) -> None:
        """A callback has returned what it may not."""
        self.telling.failed(callback, messages, Crashed(error))

    async def finish(self, successful: list[AnyMessage], failed: list[AnyMessage]) -> None:
        """These are done with: ``handle_failed`` for the one, an acknowledgement for both."""
        if failed and self._has_handle_failed:
            failed = await self._handle_failed(failed)
        self.successful += len(successful)
        self.failed += len(failed)
        await self.acknowledge(successful, failed)

    async def acknowledge(self, successful: list[AnyMessage], failed: list[AnyMessage]) -> None:
        """Tell their acknowledgers, unless other groups have not finished with them.

        If this is interrupted, those that were not told of are given back.
        """
        custody = self._custody
        successful, failed = custody.finish(successful, failed, self._me)
        for group in ack_groups(successful, failed):
            if await ack(group):
                custody.settle(group.successful, group.failed)
            else:
                custody.refuse(group.successful + group.failed)
        custody.settle(successful, failed)  # those that nobody wants told of

    async def _handle_failed(self, failed: list[AnyMessage]) -> list[AnyMessage]:
        """What it makes of them; if it fails itself, they stay as they were."""
        span = self.telling.begin(FailuresHandled, len(failed))
        outcome = await self.call(self.callbacks.handle_failed, len(failed), failed)
        reason: ExitReason | None = None
        if isinstance(outcome, Exited):
            reason = outcome.reason
        else:
            failed, error = checked_failed("handle_failed", failed, outcome.value)
            if error is not None:
                self.refused("handle_failed", len(failed), error)
                reason = Crashed(error)
        if span is not None:
            span.end(failed=len(failed), reason=reason)
        return failed


def failure_of(reason: ExitReason) -> object:
    """What a message failed of: the exception, where there is one."""
    return reason.exception if isinstance(reason, Crashed) else reason


def all_failed(messages: Sequence[AnyMessage], reason: ExitReason) -> list[AnyMessage]:
    """Messages that failed together, for one reason; one that had failed before keeps its own."""
    failure = failure_of(reason)
    return [one if one.failure is not None else one.fail(failure) for one in messages]


def parted(messages: Sequence[AnyMessage]) -> tuple[list[AnyMessage], list[AnyMessage]]:
    """Those that have not failed, and those that have."""
    fine = [message for message in messages if message.failure is None]
    return fine, [message for message in messages if message.failure is not None]
