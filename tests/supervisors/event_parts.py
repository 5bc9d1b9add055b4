"""What the tests of consumer supervisors share: jobs that start, end and fail as they are told."""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby
from typing import Any

from runtime import ExitReason, GenServer, Ref, Stop, handles, named, start, whereis
from runtime.stages import subscribe
from supervisors import ConsumerSupervisor, ConsumerSupervisorRef
from tests.runtime.flowing import settle
from tests.supervisors.tree_parts import End, say


class Job(GenServer):
    """Logs ``start EVENT`` and ``end EVENT REASON``; its name is that of its event.

    ``begin`` is asked what ``init`` does and returns.
    """

    def __init__(
        self, log: list[str], event: object, begin: Callable[[Any], Any] | None = None
    ) -> None:
        self.log, self.event, self.begin = log, event, begin

    def init(self) -> Any:
        result = None if self.begin is None else self.begin(self.event)
        if result is None:
            self.log.append(f"start {self.event}")
        return result

    @handles(End)
    def end(self, message: End) -> Stop:
        self.log.append(f"end {self.event} {say(message.reason)}")
        return Stop(message.reason)


def job(
    log: list[str], restart: Any = "temporary", begin: Callable[[Any], Any] | None = None
) -> Callable[[object], Any]:
    """The function of an event that makes the spec of its job."""

    def spec(event: object) -> Any:
        made = Job.child_spec(log, event, begin)
        return made.replace(name=f"job {event}", restart=restart)

    return spec


async def start_jobs(child: Any, **options: Any) -> ConsumerSupervisorRef:
    """A consumer supervisor in the node's root."""
    return ConsumerSupervisorRef(await start(ConsumerSupervisor.child_spec(child, **options)))


async def feed(jobs: Ref, producer: Ref, max_demand: int, min_demand: int, **how: Any) -> None:
    """Subscribe it and see what follows."""
    await subscribe(jobs, producer, max_demand=max_demand, min_demand=min_demand, **how)
    await settle()


async def finish(event: object, reason: ExitReason) -> None:
    """Let the job of an event end and see what follows."""
    named(f"job {event}").cast(End(reason))
    await settle()


async def active(jobs: ConsumerSupervisorRef) -> tuple[int, int]:
    """How many children it has, and how many of them run."""
    counted = await jobs.count_children()
    return counted.specs, counted.active


def seen(log: list[str]) -> list[str]:
    """What was logged since the last look; jobs that start together do in any order."""
    lines = [*log]
    log.clear()
    together = groupby(lines, key=lambda line: line.startswith("start "))
    return [line for is_start, run in together for line in (sorted(run) if is_start else run)]


def is_up(event: object) -> bool:
    """Whether there is a job of this event."""
    return whereis(f"job {event}") is not None
