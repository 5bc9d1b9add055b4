"""What every consuming stage of a pipeline is: it finds those before it, and ends when they have.

A stage looks for those before it by name, and again after a while when one of them goes away: it is
being restarted. One that has ended ``Normal`` has nothing more to give; when all of them have, the
stage finishes what it has and ends ``Normal`` as well. So the end of the sources, which is what
draining begins with, goes through a pipeline stage by stage, behind the last message.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Generic, TypeVar

import msgspec

from runtime import Pid, Stop, handles, self_, send_after, whereis
from runtime.current import require_process
from runtime.exits import NORMAL
from runtime.inspection.views import Plain
from runtime.messages import SystemCast
from runtime.stages.consuming import Consuming
from runtime.stages.subscription import Subscription, SubscriptionEnded
from supervisors.pipeline.line import Line
from supervisors.pipeline.work import Work

In = TypeVar("In")


class LookAgain(msgspec.Struct, frozen=True):
    """It is time to look whether a stage is back."""

    stage: str


class Finished(SystemCast, frozen=True):
    """All that this stage had to do is done."""


class LineStage(Consuming[In], Generic[In]):
    """A consuming stage: ``name`` is its own, ``before`` the names of those it consumes from."""

    def __init__(self, line: Line, group: str, name: str, before: Sequence[str]) -> None:
        self.line, self._group, self._name = line, group, name
        self._before = tuple(before)
        self._sources: dict[Subscription, str] = {}
        self._lost: set[str] = set()  # those that will not be back, since the pipeline drains
        self._ends = False
        self.work: Work

    def init(self) -> None:
        """Join the line, and subscribe to those that are there."""
        process = require_process("a stage")
        process.trap = "not parent"  # what a callback has linked to this stage may end
        self.line.joined(process, self._name, self._group)
        self.work = Work(self.line, self._group, self._name, process)
        for stage in self._before:
            self._look_for(stage)
        self._end_if_done()

    def subscribe_to(self, producer: Pid) -> Subscription:
        """Ask for its messages."""
        raise NotImplementedError

    def finish(self) -> None:
        """Nothing more is to come: see that ``Finished`` arrives when nothing is left here."""
        raise NotImplementedError

    def _look_for(self, stage: str) -> None:
        found = whereis(stage)
        if found is not None:
            self._sources[self.subscribe_to(found)] = stage
        else:
            self._look_later(stage)

    def _look_later(self, stage: str) -> None:
        if stage not in self.line.done:
            send_after(self_(), LookAgain(stage), self.line.declaration.resubscribe_interval)

    @handles(LookAgain)
    def _look_again(self, message: LookAgain) -> None:
        if self.line.draining and whereis(message.stage) is None:
            self._lost.add(message.stage)  # whoever would have started it again has had the time
        else:
            self._look_for(message.stage)
        self._end_if_done()

    def handle_cancel(self, subscription: Subscription, end: SubscriptionEnded) -> None:
        """A stage before has gone, for good or to come back; or one behind, which is its affair."""
        stage = self._sources.pop(subscription, None)
        if stage is not None:
            self._look_later(stage)
            self._end_if_done()

    def _end_if_done(self) -> None:
        over = not self._sources and self._lost | self.line.done >= set(self._before)
        if over and not self._ends:
            self._ends = True
            self.finish()

    @handles(Finished)
    def _finished(self, message: Finished) -> Stop:
        return Stop(NORMAL)

    def facts(self) -> Mapping[str, Plain]:
        """What it has done, and what it holds; see ``GenServer.facts``."""
        return {
            **super().facts(),
            "successful": self.work.successful,
            "failed": self.work.failed,
            "held": self.line.custody.held_by(self._stage_process.pid),
        }
