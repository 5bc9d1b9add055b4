"""From a crash to the end of the ``init`` that follows."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import trio

from benchmarks.beam import elixir
from benchmarks.effort import Effort, Values
from benchmarks.figure import ASYNCIO, ELIXIR, OURS, TRIO, Contender, Figure, Subject, one_row
from benchmarks.grounds import in_node, on_asyncio, on_trio
from benchmarks.raw_trio import Countdown, Inbox
from benchmarks.servers import Boom, Fragile
from runtime import named, start
from supervisors import Supervisor

CRASHES = 50
"""Crashes of one supervisor: it counts those of its last second, as OTP's does."""
EVERY_CRASH = 1_000_000


@in_node
async def crash_ours(effort: Effort) -> Values:
    async def crashes(count: int) -> None:
        up = Countdown(1)

        def is_up() -> None:
            up.down()

        child = Fragile.child_spec(is_up).replace(name="fragile")
        tree = Supervisor.child_spec([child], max_restarts=EVERY_CRASH, max_seconds=1)
        supervisor = await start(tree)
        for _ in range(count):
            up = Countdown(1)
            named("fragile").cast(Boom())
            await up.zero()
        await supervisor.stop()

    return await effort.per_operation(crashes, exactly=CRASHES)


@on_trio
async def crash_trio(effort: Effort) -> Values:
    """A task that raises is started anew."""
    inbox: Inbox[int] = Inbox()

    async def server(is_up: Callable[[], None]) -> None:
        is_up()
        await inbox.take()
        raise ArithmeticError("boom")

    async def crashes(count: int) -> None:
        up = Countdown(1)

        def is_up() -> None:
            up.down()

        async with trio.open_nursery() as nursery:

            async def child() -> None:
                try:
                    await server(is_up)
                except ArithmeticError:
                    nursery.start_soon(child)

            nursery.start_soon(child)
            await up.zero()
            for _ in range(count):
                up = Countdown(1)
                inbox.put(1)
                await up.zero()
            nursery.cancel_scope.cancel()

    return await effort.per_operation(crashes, exactly=CRASHES)


@on_asyncio
async def crash_asyncio(effort: Effort) -> Values:
    """A task that raises is started anew."""
    queue: asyncio.Queue[int] = asyncio.Queue()
    up = asyncio.Event()

    async def server() -> None:
        up.set()
        await queue.get()
        raise ArithmeticError("boom")

    async def crashes(count: int) -> None:
        tasks: set[asyncio.Task[None]] = set()

        async def child() -> None:
            try:
                await server()
            except ArithmeticError:
                tasks.clear()
                tasks.add(asyncio.create_task(child()))

        up.clear()
        tasks.add(asyncio.create_task(child()))
        await up.wait()
        for _ in range(count):
            up.clear()
            queue.put_nowait(1)
            await up.wait()
        (last,) = tasks
        last.cancel()
        await asyncio.wait([last])

    return await effort.per_operation(crashes, exactly=CRASHES)


SUBJECT = Subject(
    "crashes",
    "Starting and stopping",
    (
        Figure(
            "crash",
            "crash to restarted init",
            "a cast makes a supervised server raise; until the init of the next one has run",
            (
                Contender(OURS, crash_ours),
                Contender(TRIO, crash_trio, "start_soon anew"),
                Contender(ASYNCIO, crash_asyncio),
                elixir("crashes", "crash"),
            ),
            one_row(1.0, ELIXIR),
        ),
    ),
)
