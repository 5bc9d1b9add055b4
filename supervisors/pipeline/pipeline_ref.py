"""The handle of a pipeline: what it is made of, what has become of its messages, its rate limit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec
import trio

from runtime import CallExit, NoProcess, Pid
from runtime.exits import SHUTDOWN
from runtime.handle import Handle
from supervisors.pipeline.declaration import RateLimit, check_rate_limit
from supervisors.pipeline.line import Line
from supervisors.pipeline.source_outlet import RateOpens
from supervisors.pipeline.tree import PipelineSupervisor
from supervisors.pipeline.trials import Trial, push


class BatcherTopology(msgspec.Struct, frozen=True):
    """A batcher and its batch processors."""

    name: str
    stage: str
    batch_processors: tuple[str, ...]


class GroupTopology(msgspec.Struct, frozen=True):
    """A group of processors and what is behind them."""

    name: str
    processors: tuple[str, ...]
    batchers: tuple[BatcherTopology, ...]


class Topology(msgspec.Struct, frozen=True):
    """What a pipeline is made of: the registered names of its stages."""

    producers: tuple[str, ...]
    groups: tuple[GroupTopology, ...]


class PipelineStatistics(msgspec.Struct, frozen=True):
    """What has become of its messages since it was started, as a whole, and how it is now.

    ``under_way`` are those neither acknowledged nor given back; ``held`` says which of the stages
    that run have how many of them.
    """

    emitted: int
    successful: int
    failed: int
    given_back: int
    under_way: int
    draining: bool
    held: Mapping[str, int]


class NoRateLimit(Exception):
    """The pipeline was declared without a rate limit, so there is none to look at or change."""


class PipelineRef(Handle):
    """A ``Ref`` that leads to a pipeline: ``PipelineRef("indexing")``.

    Nothing here waits for the pipeline: it is read as it is, also while it drains. ``CallExit`` if
    it is not there, ``TypeError`` if that is no pipeline.
    """

    __slots__ = ()

    async def topology(self) -> Topology:
        """Its stages. Elixir: ``Broadway.topology/1``."""
        line = await self._line("topology")
        groups = line.declaration.groups
        return Topology(
            tuple(line.producer_names()),
            tuple(
                GroupTopology(
                    group,
                    tuple(line.processor_names(group)),
                    tuple(
                        BatcherTopology(
                            name,
                            line.batcher_name(group, name),
                            tuple(line.batch_processor_names(group, name)),
                        )
                        for name in made.batchers
                    ),
                )
                for group, made in groups.items()
            ),
        )

    async def statistics(self) -> PipelineStatistics:
        """What has become of its messages."""
        line = await self._line("statistics")
        held = {stage: line.custody.held_by(pid) for pid, stage in line.alive.items()}
        return PipelineStatistics(
            **msgspec.structs.asdict(line.custody.counts),
            under_way=line.custody.under_way,
            draining=line.draining,
            held=held,
        )

    async def rate_limit(self) -> RateLimit:
        """The limit that holds; ``NoRateLimit``. Elixir: ``get_rate_limiting/1``."""
        line = await self._line("rate_limit")
        if line.rate is None:
            raise NoRateLimit(f"{line.name} was declared without producers.rate_limit")
        return line.rate.limit

    async def set_rate_limit(
        self, *, allowed: int | None = None, interval: float | None = None, reset: bool = False
    ) -> None:
        """Another limit from the next window on, or with ``reset`` from now on.

        What is not given stays. ``NoRateLimit``, ``ValueError``. Elixir:
        ``update_rate_limiting/2``.
        """
        line, before = await self._line("set_rate_limit"), await self.rate_limit()
        limit = RateLimit(
            before.allowed if allowed is None else allowed,
            before.interval if interval is None else interval,
        )
        check_rate_limit("rate_limit", limit)
        assert line.rate is not None, "it has one"
        line.rate.change(limit, trio.current_time(), reset=reset)
        line.tell_producers(RateOpens())

    def test_message(self, data: object, *, metadata: Mapping[str, object] | None = None) -> Trial:
        """Send one message through, for a test, and hear what became of it.

        It passes the limit, the transformer and the demand by, and waits for no batch to fill.
        Elixir: ``Broadway.test_message/3``.
        """
        return push(self._find("test_message"), [data], flush=True, metadata=metadata)

    def test_batch(
        self,
        data: Iterable[object],
        *,
        flush: bool = False,
        metadata: Mapping[str, object] | None = None,
    ) -> Trial:
        """As ``test_message``, for several; their batches are made as ever, unless ``flush``.

        Elixir: ``Broadway.test_batch/3``.
        """
        return push(self._find("test_batch"), data, flush=flush, metadata=metadata)

    async def all_running(self) -> bool:
        """Whether every stage of it runs."""
        line = await self._line("all_running")
        return set(line.stage_names()) <= set(line.alive.values())

    async def wait_done(self) -> None:
        """Wait until all its sources have ended and what they gave is done with.

        ``CallExit`` if it is stopped before that, or is not there.
        """
        line = await self._line("wait_done")
        await line.wait_until(lambda: line.is_done or line.is_closed)
        if not line.is_done:
            raise CallExit(SHUTDOWN, self, "wait_done")

    async def stage_pids(self) -> dict[str, Pid]:
        """The stages that run, by name."""
        return {stage: pid for pid, stage in (await self._line("stage_pids")).alive.items()}

    async def _line(self, what: str) -> Line:
        await trio.lowlevel.checkpoint_if_cancelled()
        return self._find(what)

    def _find(self, what: str) -> Line:
        process = self.find()
        server = None if process is None else getattr(process.body, "server", None)
        if process is None:
            raise CallExit(NoProcess(), self, what)
        if not isinstance(server, PipelineSupervisor):
            raise TypeError(f"target: {self!r} leads to {process.pid!r}, which is no pipeline")
        return server.line
