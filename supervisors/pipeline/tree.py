"""The supervision of a pipeline, and its end: draining. Elixir: Broadway's topology.

    pipeline  rest_for_one
      custodian                    gives back what stages leave behind
      producers  one_for_one
      processors  one_for_all      no restarts of their own
      batchers  one_for_one
        one for each batcher  one_for_one
          the batcher, its batch processors

So the end of a processor restarts all processors and what is behind them, but no producer; that of
any other stage only itself. Several groups are each a ``rest_for_one`` of processors and batchers,
side by side.

Broadway's terminator, a last child that drains as it is stopped, must be told apart from one that
is only restarted. Here the supervisor itself drains, before it stops its children, and only then.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Final, TypeGuard

import trio

from runtime import ChildSpec, Ignore, Stop, handles
from runtime.containment import short_repr
from runtime.exits import NORMAL
from runtime.inspection.views import Plain
from runtime.messages import SystemCast
from runtime.outcomes import InitResult
from runtime.pending_calls import refuse_calls_from_below
from runtime.process import Process
from runtime.telemetry.pipeline_events import (
    MessagesGivenBack,
    PipelineDrained,
    PipelineStarted,
)
from supervisors.children import Child
from supervisors.pipeline.batch_processor import BatchProcessor
from supervisors.pipeline.batcher import BatcherStage
from supervisors.pipeline.custodian import Custodian
from supervisors.pipeline.declaration import DEFAULT_GROUP, Declaration
from supervisors.pipeline.line import Line
from supervisors.pipeline.processor import LastProcessor, Processor
from supervisors.pipeline.source import DrainAsked, Source
from supervisors.shutdown import stop_all
from supervisors.supervisor import Supervisor

PRODUCERS: Final = "producers"


class LineDone(SystemCast, frozen=True):
    """All sources have ended, and what they gave is done with."""


class PipelineSupervisor(Supervisor):
    """The supervisor of one pipeline: see above."""

    def __init__(self, declaration: Declaration, *, ends: bool = False) -> None:
        self.line = line = Line(declaration)
        self._is_up, self._ends = False, ends
        super().__init__(
            _children(line),
            strategy="rest_for_one",
            max_restarts=declaration.max_restarts,
            max_seconds=declaration.max_seconds,
        )

    async def init(self) -> InitResult:
        """Start everything, the source first: it makes nothing before somebody asks."""
        process, line = self._process, self.line
        line.given_back = partial(_tell_given_back, process, line.name)
        if self._ends:
            line.on_done = lambda: process.post_system(LineDone())
        result = await super().init()
        self._is_up = result is None
        if self._is_up and PipelineStarted in process.table.instruments.wanted:
            stages = tuple(line.stage_names())
            process.table.instruments.emit(PipelineStarted(process.pid, line.name, stages))
        return result

    @handles(LineDone)
    def _line_done(self, message: LineDone) -> Stop:
        return Stop(NORMAL)

    async def stop_children(self) -> None:
        """Drain; then stop what is left, and the custodian after all that can leave it anything."""
        process = self._process
        if self._is_up and not process.killed:
            refuse_calls_from_below(process)
            with trio.CancelScope() as process.grace:
                await self._drain()
            process.grace = None
        self.line.draining = True
        stages = () if self.family is None else tuple(self.family.rows)[1:]
        await stop_all(stages, process)
        await super().stop_children()
        self.line.close()

    async def _drain(self) -> None:
        """The producers end, and after them stage by stage what is behind them."""
        line, began = self.line, trio.current_time()
        line.draining = True
        line.tell_producers(DrainAsked())
        with trio.move_on_after(line.declaration.drain_timeout):
            await self._end_of_producers()
            await line.wait_until(line.is_empty)
        instruments = self._process.table.instruments
        if PipelineDrained in instruments.wanted:
            seconds = trio.current_time() - began
            left = line.custody.under_way
            instruments.emit(PipelineDrained(self._process.pid, line.name, seconds, left))

    async def _end_of_producers(self) -> None:
        """By themselves, unless there is nobody left whom they could give anything."""
        line, abandoned = self.line, False
        while True:
            await line.wait_until(line.producers_are_over)
            if not line.producers():
                return
            if abandoned:
                await self._family.stop(self._producers)
                return
            await trio.sleep(line.declaration.resubscribe_interval)  # or it is being restarted
            abandoned = line.producers_are_over()

    @property
    def _producers(self) -> Child:
        child = self._family.rows.get(PRODUCERS)
        assert child is not None, "it is up"
        return child

    def facts(self) -> Mapping[str, Plain]:
        """Also what has become of the messages."""
        return {**super().facts(), **self.line.facts()}


def _tell_given_back(process: Process, pipeline: str, stage: str, count: int) -> None:
    if MessagesGivenBack in process.table.instruments.wanted:
        process.table.instruments.emit(MessagesGivenBack(pipeline, stage, count))


def pipeline_spec(declaration: Declaration, *, ends: bool) -> ChildSpec:
    """The spec of a pipeline."""
    return PipelineSupervisor.child_spec(declaration, ends=ends).replace(name=declaration.name)


# -- the children -------------------------------------------------------------------------------


def _children(line: Line) -> list[ChildSpec]:
    producers = [
        _source_spec(line, index).replace(name=name, restart="transient")
        for index, name in enumerate(line.producer_names())
    ]
    return [
        Custodian.child_spec(line).replace(name=f"{line.name}.custodian"),
        _layer(producers, PRODUCERS),
        *_groups(line),
    ]


def _source_spec(line: Line, index: int) -> ChildSpec:
    """Of a producer, which ``make`` makes anew at each start."""
    return ChildSpec(
        target=_make_source,
        args=(line, index),
        kwargs={},
        body_of=Source._body_class,
        check=lambda args, kwargs: (args, kwargs),
        behaviour="Source",
    )


class _TooLate(Source[Any]):
    """In the place of one that would be started again while the pipeline drains."""

    def init(self) -> Ignore:
        return Ignore()


def _make_source(line: Line, index: int) -> Source[Any]:
    if line.draining:
        return _TooLate()
    source = line.declaration.producers.make(index)
    if not _is_source(source):
        raise TypeError(
            f"producers.make: returned {short_repr(source)} for {index}, allowed is a new Source"
        )
    source.enter_line(line, index)
    return source


def _is_source(made: object) -> TypeGuard[Source[Any]]:
    return isinstance(made, Source)


def _groups(line: Line) -> list[ChildSpec]:
    groups = line.declaration.groups
    if list(groups) == [DEFAULT_GROUP]:
        return _group(line, DEFAULT_GROUP)
    return [
        _layer(
            [
                Supervisor.child_spec(_group(line, name), strategy="rest_for_one").replace(id=name)
                for name in groups
            ],
            "groups",
        )
    ]


def _group(line: Line, group: str) -> list[ChildSpec]:
    """The processors, which restart together or not at all, and the batchers."""
    batchers = line.declaration.groups[group].batchers
    kind = Processor if batchers else LastProcessor
    processors = [
        kind.child_spec(line, group, index).replace(name=name, restart="transient")
        for index, name in enumerate(line.processor_names(group))
    ]
    together = Supervisor.child_spec(processors, strategy="one_for_all", max_restarts=0)
    made = [together.replace(id="processors")]
    if batchers:
        made.append(_layer([_batcher(line, group, name) for name in batchers], "batchers"))
    return made


def _batcher(line: Line, group: str, batcher: str) -> ChildSpec:
    stage = BatcherStage.child_spec(line, group, batcher)
    stages = [stage.replace(name=line.batcher_name(group, batcher), restart="transient")]
    for index in range(line.declaration.groups[group].batchers[batcher].concurrency):
        spec = BatchProcessor.child_spec(line, group, batcher, index)
        name = line.batch_processor_name(group, batcher, index)
        stages.append(spec.replace(name=name, restart="transient"))
    return _layer(stages, batcher)


def _layer(children: list[ChildSpec], name: str) -> ChildSpec:
    return Supervisor.child_spec(children).replace(id=name)
