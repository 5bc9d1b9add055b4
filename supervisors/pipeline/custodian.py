"""The process that gives messages back: those whose stage has ended before they were acknowledged.

It is the first of a pipeline's children and so outlives all stages; what they still hold at the end
it gives back as its last word. If it is killed, its successor goes on.
"""

from __future__ import annotations

from runtime import ExitReason, GenServer, handles
from runtime.current import require_process
from runtime.messages import SystemCast
from supervisors.pipeline.acknowledger import ack_groups, give_back
from supervisors.pipeline.line import Line


class GiveBack(SystemCast, frozen=True):
    """Messages wait to be given back."""


class Custodian(GenServer):
    """Gives back what stages leave behind; one call per acknowledger and reference."""

    def __init__(self, line: Line) -> None:
        self._custody = line.custody

    def init(self) -> None:
        """Go on where a predecessor was killed."""
        process = require_process("a custodian")
        self._custody.on_return = lambda: process.post_system(GiveBack())
        if self._custody.returned:
            self._custody.on_return()

    @handles(GiveBack)
    async def _give_back(self, message: GiveBack) -> None:
        await self._all()

    async def terminate(self, reason: ExitReason) -> None:
        """The stages have ended: what is left is given back now."""
        self._custody.on_return = None
        await self._all()

    async def _all(self) -> None:
        """One that raises is told of, and keeps no other from being told."""
        returned = self._custody.returned
        while returned:
            messages = list(returned.values())
            for group in ack_groups(messages, ()):
                await give_back(group)
                for message in group.successful:
                    returned.pop(message.holding, None)
            for message in messages:  # those that nobody wants told of
                returned.pop(message.holding, None)
