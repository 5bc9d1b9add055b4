"""What the tests of real crashes run, and kill: ``python -m tests.supervisors.source_program``.

Each message is a line in the file ``log`` before it is acknowledged.
"""

from __future__ import annotations

import os
import random
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import trio

from runtime import open_node, start, wait_exit
from supervisors.backoff import Backoff
from supervisors.pipeline.declaration import Processors, Producers
from supervisors.pipeline.message import Message
from supervisors.pipeline.pipeline import Pipeline
from supervisors.pipeline.pipeline_ref import PipelineRef
from supervisors.pipeline.source import Source
from supervisors.pipeline.sources import Directory, FileLines, QueueStore, SqliteQueue
from supervisors.pipeline.sources.sqlite_queue_ref import SqliteQueueRef

LEASE: Final = 2.0
PROCESSORS: Final = 3
DEMAND: Final = 10
POISON: Final = 13
AT_ONCE: Final = Backoff(initial=0.0, maximum=0.0)


class Log:
    """A file that several programs append to, a line at a time."""

    def __init__(self, folder: Path) -> None:
        self._file = os.open(folder / "log", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def add(self, what: object) -> None:
        """One line."""
        os.write(self._file, f"{what}\n".encode())


class Logging(Pipeline[Any]):
    """Writes down each message, now and then after a pause."""

    def __init__(self, log: Log, *, dies: bool = False) -> None:
        self.log, self.dies = log, dies

    async def handle_message(self, message: Message[Any]) -> Message[Any]:
        if random.random() < 0.2:
            await trio.sleep(random.random() * 0.01)
        data = message.data
        self.log.add(data.name if isinstance(data, Path) else data)
        if self.dies and data == POISON:
            os.kill(os.getpid(), signal.SIGKILL)
        return message


async def run(folder: Path, make: Callable[[int], Source[Any]], *, dies: bool = False) -> None:
    """Run the pipeline until its source has ended, or its queue is empty."""
    async with open_node():
        spec = Logging(Log(folder), dies=dies).child_spec(
            name="line",
            producers=Producers(make),
            processors=Processors(concurrency=PROCESSORS, max_demand=DEMAND),
            ends=True,
        )
        running = await start(spec)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(end_when_empty, folder)
            await wait_exit(running)
            nursery.cancel_scope.cancel()


async def end_when_empty(folder: Path) -> None:
    """Stop the pipeline of a queue; those of files end by themselves."""
    if not (folder / "queue").exists():
        return
    queue = SqliteQueueRef(folder / "queue", int)
    while True:
        numbers = await queue.statistics()
        if numbers.ready == numbers.delayed == numbers.leased == 0:
            await PipelineRef("line").stop()
            return
        await trio.sleep(0.02)


def work_by_hand(folder: Path) -> None:
    """The same without a pipeline: a loop over the store."""
    log = Log(folder)
    with QueueStore(folder / "queue") as store:
        while store.next_due() is not None:
            for leased in store.lease(5, 30.0):
                log.add(leased.data.decode())
                store.acknowledge([leased.lease])


def main(kind: str, folder: Path) -> None:
    queue = SqliteQueueRef(folder / "queue", int)
    made: dict[str, Callable[[int], Source[Any]]] = {
        "queue": lambda index: SqliteQueue(queue, lease=LEASE, max_attempts=1000, poll=0.05),
        "poison": lambda index: SqliteQueue(
            queue, lease=LEASE, max_attempts=2, poll=0.05, retry=AT_ONCE
        ),
        "lines": lambda index: FileLines(folder / "lines", folder / "checkpoint"),
        "files": lambda index: Directory(folder / "files", folder / "checkpoint"),
    }
    if kind == "loop":
        work_by_hand(folder)
    else:
        trio.run(lambda: run(folder, made[kind], dies=kind == "poison"))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
