"""What all stages of one pipeline share: its declaration, who holds what, whether it drains.

One instance for one run of the pipeline's supervisor. All stages run in one Trio thread, so it
needs no lock and no messages, and whoever looks at it sees it as it is.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import trio

from runtime import ExitReason, Normal, Pid
from runtime.current import find_process
from runtime.inspection.views import Plain
from runtime.process import Process
from runtime.stages.dispatcher import Dispatcher
from runtime.stages.subscription import StageCast, Subscription
from supervisors.pipeline.custody import Custody
from supervisors.pipeline.declaration import DEFAULT_GROUP, Declaration
from supervisors.pipeline.message import AnyMessage
from supervisors.pipeline.rate_window import RateWindow
from supervisors.pipeline.routing import dispatcher_of


class Line:
    """See above.

    - ``rate``: the window of all producers, if there is a limit.
    - ``draining``: the producers have been asked to end; none is to start again.
    - ``done``: the names of the stages that have done all they had to, and ended ``Normal``.
    - ``alive``: the stages that run, by pid.
    - ``is_done``: all sources had nothing more to give, and the last stage has ended ``Normal``;
      ``on_done`` is called then. ``is_closed``: the pipeline has ended, in whatever way.
    """

    def __init__(self, declaration: Declaration) -> None:
        self.declaration = declaration
        self.name = declaration.name
        self.custody = Custody(len(declaration.groups))
        limit = declaration.producers.rate_limit
        self.rate = None if limit is None else RateWindow(limit)
        self.draining = False
        self.done: set[str] = set()
        self.alive: dict[Pid, str] = {}
        self.is_done = self.is_closed = False
        self.on_done: Callable[[], None] | None = None
        self.given_back: Callable[[str, int], None] | None = None
        self._groups: dict[Pid, str] = {}
        self._changed = trio.Event()

    # -- names ------------------------------------------------------------------------------

    def _within(self, group: str) -> str:
        return self.name if group == DEFAULT_GROUP else f"{self.name}.{group}"

    def producer_name(self, index: int) -> str:
        """The registered name of a producer."""
        return f"{self.name}.producer_{index}"

    def processor_name(self, group: str, index: int) -> str:
        """The registered name of a processor."""
        return f"{self._within(group)}.processor_{index}"

    def batcher_name(self, group: str, batcher: str) -> str:
        """The registered name of a batcher."""
        return f"{self._within(group)}.batcher_{batcher}"

    def batch_processor_name(self, group: str, batcher: str, index: int) -> str:
        """The registered name of a batch processor."""
        return f"{self._within(group)}.batch_processor_{batcher}_{index}"

    def producer_names(self) -> list[str]:
        """Of all producers."""
        return [self.producer_name(i) for i in range(self.declaration.producers.concurrency)]

    def processor_names(self, group: str) -> list[str]:
        """Of all processors of a group."""
        count = self.declaration.groups[group].processors.concurrency or 1
        return [self.processor_name(group, index) for index in range(count)]

    def batch_processor_names(self, group: str, batcher: str) -> list[str]:
        """Of all batch processors of a batcher."""
        count = self.declaration.groups[group].batchers[batcher].concurrency
        return [self.batch_processor_name(group, batcher, index) for index in range(count)]

    def stage_names(self) -> list[str]:
        """Of every stage there is, from the source on."""
        names = self.producer_names()
        for group, made in self.declaration.groups.items():
            names += self.processor_names(group)
            for name in made.batchers:
                names.append(self.batcher_name(group, name))
                names += self.batch_processor_names(group, name)
        return names

    # -- stages -----------------------------------------------------------------------------

    def producer_pids(self) -> list[Pid]:
        """The producers that run now."""
        names = set(self.producer_names())
        return [pid for pid, name in self.alive.items() if name in names]

    def producers(self) -> list[Process]:
        """Their processes."""
        found = map(find_process, self.producer_pids())
        return [process for process in found if process is not None]

    def tell_producers(self, order: StageCast) -> None:
        """Tell those that run."""
        for process in self.producers():
            process.post_system(order)

    def facts(self) -> dict[str, Plain]:
        """What has become of the messages, for whoever looks from outside."""
        counts: dict[str, Plain] = msgspec.structs.asdict(self.custody.counts)
        return {**counts, "under way": self.custody.under_way, "draining": self.draining}

    def joined(self, process: Process, stage: str, group: str | None = None) -> None:
        """A stage begins, in its ``init``: from now on it can hold messages."""
        self.alive[process.pid] = stage
        self.done.discard(stage)
        if group is not None:
            self._groups[process.pid] = group
        self.custody.began(process.pid)
        process.watches[_EndOfStage(self, process.pid)] = None

    def left(self, pid: Pid, reason: ExitReason) -> None:
        """A stage has ended."""
        stage = self.alive.pop(pid)
        self._groups.pop(pid, None)
        count = self.custody.ended(pid)
        if count and self.given_back is not None:
            self.given_back(stage, count)
        if isinstance(reason, Normal):
            self.done.add(stage)
            self._look_whether_done()
        self._tell_changed()

    def _look_whether_done(self) -> None:
        if not self.draining and self.done.issuperset(self.stage_names()):
            self.is_done = True
            if self.on_done is not None:
                self.on_done()

    def close(self) -> None:
        """The pipeline has ended."""
        self.is_closed = True
        self._tell_changed()

    def _tell_changed(self) -> None:
        self._changed.set()
        self._changed = trio.Event()

    async def wait_until(self, condition: Callable[[], bool]) -> None:
        """Until that is so; looked at whenever a stage has ended."""
        while not condition():
            await self._changed.wait()

    def is_empty(self) -> bool:
        """Whether no stage runs any more."""
        return not self.alive

    def producers_are_over(self) -> bool:
        """Whether none runs, or none can go on, since one of the groups has no processor left."""
        alive = set(self.alive.values())
        groups = map(self.processor_names, self.declaration.groups)
        return alive.isdisjoint(self.producer_names()) or any(map(alive.isdisjoint, groups))

    # -- what a producer asks ---------------------------------------------------------------

    def make_dispatcher(self) -> Dispatcher[AnyMessage]:
        """For one of the producers."""
        processors = {name: group.processors for name, group in self.declaration.groups.items()}
        return dispatcher_of(processors, self._group_of)

    def _group_of(self, subscription: Subscription) -> str:
        return self._groups.get(subscription.consumer, DEFAULT_GROUP)

    def delivered(self, subscription: Subscription, messages: list[AnyMessage]) -> None:
        """A producer delivers these, which are in ``messages`` as they are to arrive."""
        if len(self.declaration.groups) > 1:
            self.custody.hand_out(messages, subscription.consumer)
        else:
            self.custody.move(messages, subscription.consumer)


class _EndOfStage:
    """Tells the line of the end of a stage, before anybody acts on it."""

    __slots__ = ("_line", "_pid")

    only_end = True

    def __init__(self, line: Line, pid: Pid) -> None:
        self._line, self._pid = line, pid

    def wake(self, reason: ExitReason) -> None:
        """It has ended."""
        self._line.left(self._pid, reason)
