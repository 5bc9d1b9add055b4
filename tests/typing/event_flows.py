"""What the checkers know about sources, sinks, readers of events and consumer supervisors."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any, assert_type

import trio

from runtime import ChildSpec, GenServer, Pid, Ref
from runtime.stages import (
    BroadcastDispatcher,
    ChannelSink,
    DemandDispatcher,
    ProducerExit,
    events_of,
    from_channel,
    from_iterable,
)
from supervisors import ConsumerSupervisor, ConsumerSupervisorRef


async def numbers() -> AsyncGenerator[int, None]:
    yield 1


class Job(GenServer):
    def __init__(self, event: int) -> None: ...


async def work(event: int) -> None: ...


def sources(channel: trio.abc.ReceiveChannel[str]) -> None:
    assert_type(from_iterable([1, 2]), ChildSpec)
    assert_type(from_iterable(numbers(), on_cancel="stop", demand="accumulate"), ChildSpec)
    from_iterable([1], dispatcher=BroadcastDispatcher)
    from_iterable([1], dispatcher=lambda: DemandDispatcher[int](max_demand=3))
    assert_type(from_channel(channel), ChildSpec)
    from_iterable(7)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    from_iterable([1], on_cancel="end")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    from_channel([1])  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def sinks(channel: trio.MemorySendChannel[int], producer: Ref) -> None:
    assert_type(ChannelSink.child_spec(channel), ChildSpec)
    ChannelSink.child_spec(channel, to="numbers", max_demand=3, cancel="transient")
    assert_type(await ChannelSink.start(channel, to=[producer, "numbers"]), Ref)
    ChannelSink(channel, max_demand="3")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    ChannelSink(3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def readers(producer: Ref, pid: Pid) -> None:
    async with events_of(producer, pid, "numbers", max_demand=3, cancel="permanent") as events:
        assert_type(events, AsyncIterator[Any])
        async for event in events:
            number: int = event
            del number
    events_of(7)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def ends(error: ProducerExit) -> None:
    assert_type(error.producer, Pid | None)


async def children(jobs: ConsumerSupervisorRef, producer: Ref) -> None:
    assert_type(ConsumerSupervisor.child_spec(Job, to=producer, max_demand=10), ChildSpec)
    ConsumerSupervisor.child_spec(work, restart="transient", extra_arguments=[1])
    ConsumerSupervisor.child_spec(Job.child_spec(1).replace(restart="temporary"))
    ConsumerSupervisor.child_spec(lambda event: Job.child_spec(event))
    assert_type(await jobs.start_child(3), Ref)
    ConsumerSupervisor("Job")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    ConsumerSupervisor(Job, max_children=3)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
