"""What an idle process holds.

By tracemalloc, over 20,000 of them, in an interpreter of their own: what is allocated for the
living, the same on every machine and in every run. The resident size also depends on what the
allocator keeps of things past, so one could not add it up. On the BEAM ``:erlang.memory(:total)``
is the same thing: what is allocated, not what the system was asked for.
"""

from __future__ import annotations

import asyncio
import gc
import tracemalloc
from collections.abc import Awaitable, Callable
from functools import partial

import trio
from trio.testing import wait_all_tasks_blocked

from benchmarks.beam import elixir
from benchmarks.effort import Effort, Values
from benchmarks.figure import (
    ASYNCIO,
    ELIXIR,
    OURS,
    TRIO,
    Contender,
    Figure,
    Row,
    Subject,
    Target,
)
from benchmarks.grounds import in_node, on_asyncio, on_trio
from benchmarks.isolated import hand_over
from benchmarks.raw_trio import Inbox
from benchmarks.servers import SERVERS, Ping
from runtime import Pid, receive, ref, spawn
from supervisors import DynamicSupervisor, DynamicSupervisorRef

PROCESSES = 20_000
KILOBYTE = 1000


class Held:
    """What has come to be allocated since it was made."""

    def __init__(self) -> None:
        gc.collect()
        gc.disable()  # until it is asked for: there will be no garbage
        tracemalloc.start()
        self._before, _ = tracemalloc.get_traced_memory()

    def per_process(self, processes: int) -> float:
        gc.collect()
        now, _ = tracemalloc.get_traced_memory()
        return (now - self._before) / processes / KILOBYTE

    def handed_over(self, values: Values) -> Values:
        tracemalloc.stop()
        gc.enable()
        return hand_over(values)


@in_node
async def process_ours(effort: Effort) -> Values:
    processes = effort.number(PROCESSES)
    held = Held()

    async def body() -> None:
        await receive()

    for _ in range(processes):
        spawn(body)
    await wait_all_tasks_blocked()
    return held.handed_over({"": held.per_process(processes)})


@on_trio
async def task_trio(effort: Effort) -> Values:
    tasks = effort.number(PROCESSES)
    async with trio.open_nursery() as nursery:
        held = Held()

        async def body() -> None:
            inbox: Inbox[int] = Inbox()
            await inbox.take()

        for _ in range(tasks):
            nursery.start_soon(body)
        await wait_all_tasks_blocked()
        values = held.handed_over({"": held.per_process(tasks)})
        nursery.cancel_scope.cancel()
    return values


@on_asyncio
async def task_asyncio(effort: Effort) -> Values:
    held = Held()

    async def body() -> None:
        queue: asyncio.Queue[int] = asyncio.Queue()
        await queue.get()

    tasks = [asyncio.create_task(body()) for _ in range(effort.number(PROCESSES))]
    await asyncio.sleep(0)
    return held.handed_over({"": held.per_process(len(tasks))})


async def servers_ours(
    start: Callable[[], Awaitable[Callable[[], Awaitable[Pid]]]], effort: Effort
) -> Values:
    start_one = await start()
    await start_one()  # what is made once for each class
    held = Held()
    pids = [await start_one() for _ in range(effort.number(PROCESSES))]
    await wait_all_tasks_blocked()
    fresh = held.per_process(len(pids))
    for pid in pids:
        await ref(pid).call(Ping())
    await wait_all_tasks_blocked()
    used = held.per_process(len(pids))
    return held.handed_over({"fresh": fresh, "after its first message": used})


async def alone(handler: str) -> Callable[[], Awaitable[Pid]]:
    async def start_one() -> Pid:
        return (await SERVERS[handler].start()).pid

    return start_one


async def supervised(handler: str) -> Callable[[], Awaitable[Pid]]:
    supervisor = DynamicSupervisorRef(await DynamicSupervisor.start())
    spec = SERVERS[handler].child_spec()

    async def start_one() -> Pid:
        return (await supervisor.start_child(spec)).pid

    return start_one


def servers(
    name: str,
    title: str,
    start: Callable[[], Awaitable[Callable[[], Awaitable[Pid]]]],
    beam: str,
    targets: tuple[Target | None, Target | None] = (None, None),
) -> Figure:
    return Figure(
        name,
        title,
        "a server when its init has run, and when it has answered a call and is idle again",
        (
            Contender(OURS, in_node(partial(servers_ours, start)), isolated=True),
            elixir("memory", beam),
        ),
        (
            Row("fresh", targets[0], "kB"),
            Row("after its first message", targets[1], "kB"),
        ),
        rounds=1,
    )


SUBJECT = Subject(
    "memory",
    "Memory, kB for each",
    (
        Figure(
            "memory-process",
            "idle process",
            "a process that waits for a message",
            (
                Contender(OURS, process_ours, isolated=True),
                Contender(TRIO, task_trio, isolated=True),
                Contender(ASYNCIO, task_asyncio, isolated=True),
                elixir("memory", "process"),
            ),
            (Row(unit="kB"),),
            rounds=1,
        ),
        servers(
            "memory-server",
            "GenServer, def",
            partial(alone, "def"),
            "server",
            (Target(1.0, ELIXIR), Target(1.1, ELIXIR)),
        ),
        servers(
            "memory-server-async", "GenServer, async def", partial(alone, "async def"), "server"
        ),
        servers("memory-child", "supervised GenServer, def", partial(supervised, "def"), "child"),
    ),
)
