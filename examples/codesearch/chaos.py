"""Chaos: kill stages and worker processes while the pipeline works; the index is the same.

``times`` is how many in all. The kills are spread over the run by how many files have been parsed,
not by time, and the pipeline waits for them; so each hits a pipeline at work, however fast that is,
and with the same seed the same are killed at the same moments.
"""

from __future__ import annotations

import random
from collections import Counter, deque
from contextlib import suppress

import trio

from examples.codesearch.tally import Tally
from examples.codesearch.workers import worker_processes
from runtime import CallExit, kill, wait_exit, whereis
from supervisors.pipeline import PipelineRef

LOOK_AGAIN = 0.01
WORKER = "worker process"


class Chaos:
    """Kills, one after the other; ``killed`` says what and how often."""

    def __init__(self, pipeline: PipelineRef, tally: Tally, times: int, seed: int) -> None:
        self.killed: Counter[str] = Counter()
        self._pipeline = pipeline
        self._tally = tally
        self._chance = random.Random(seed)
        self._moments = deque(choose_moments(times, tally.total, self._chance))
        self._progress = trio.Event()

    async def cause(self) -> None:
        """Wait for each moment, then kill something, when what was killed before is back."""
        try:
            while self._moments:
                while not self._is_behind:
                    await self._tally.changed()
                await self._recovered()
                self.killed[await self._kill()] += 1
                self._moments.popleft()
                self._tell()
        finally:
            self._moments.clear()  # nobody is to wait for kills that do not come
            self._tell()

    async def caught_up(self) -> None:
        """Wait until everything has been killed that is to be by now."""
        while self._is_behind:
            await self._progress.wait()

    @property
    def _is_behind(self) -> bool:
        return bool(self._moments) and len(self._tally.parsed) >= self._moments[0]

    def _tell(self) -> None:
        self._progress.set()
        self._progress = trio.Event()

    async def _recovered(self) -> None:
        while True:
            with suppress(CallExit):
                if await self._pipeline.all_running():
                    return
            await trio.sleep(LOOK_AGAIN)

    async def _kill(self) -> str:
        """Kill a stage or a worker process, each kind as likely; what it was."""
        workers = worker_processes()
        stages = await self._stages()
        kind = self._chance.choice([*stages, WORKER])
        if kind == WORKER and workers:
            self._chance.choice(workers).kill()
            return kind
        if kind == WORKER:  # there is none before the first file
            kind = "source"
        pid = whereis(self._chance.choice(stages[kind]))
        assert pid is not None, "all of them run"
        kill(pid)
        await wait_exit(pid)
        return kind

    async def _stages(self) -> dict[str, tuple[str, ...]]:
        """The names of the stages of each kind."""
        topology = await self._pipeline.topology()
        (group,) = topology.groups
        (batcher,) = group.batchers
        return {
            "source": topology.producers,
            "processor": group.processors,
            "batcher": (batcher.stage,),
            "batch processor": batcher.batch_processors,
        }


def choose_moments(times: int, total: int, chance: random.Random) -> list[int]:
    """After how many parsed files to kill, in order: never after the last of ``total``."""
    return sorted(chance.choices(range(total), k=times)) if total else []
