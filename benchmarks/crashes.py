"""From a crash to the end of the ``init`` that follows, without reports and with them.

``crash`` is the crash alone: a node without instruments, a Logger that is off. ``crash-reported``
is what a service has by default. Ours writes the crash, with its traceback, and what the supervisor
does about it, as JSON lines; Elixir's Logger formats its one report; the raw task writes its
traceback with ``logging``. All of it goes to the null device.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Generator
from contextlib import contextmanager, redirect_stderr
from functools import partial
from typing import IO

import structlog
import trio

from benchmarks.beam import elixir
from benchmarks.effort import Effort, Values
from benchmarks.figure import ASYNCIO, ELIXIR, OURS, TRIO, Contender, Figure, Subject, one_row
from benchmarks.grounds import in_node, on_asyncio, on_trio
from benchmarks.raw_trio import Countdown, Inbox
from benchmarks.servers import Boom, Fragile
from runtime import configure_logging, named, open_node, start
from supervisors import Supervisor

CRASHES = 50
"""Crashes of one supervisor: it counts those of its last second, as OTP's does."""
EVERY_CRASH = 1_000_000


async def restarts(effort: Effort) -> Values:
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


@contextmanager
def nowhere() -> Generator[IO[str]]:
    """A file for what nobody reads."""
    with open(os.devnull, "w") as file:
        yield file


@contextmanager
def lines_to_nowhere() -> Generator[None]:
    """Reports are written as a service writes them, to the null device."""
    before = structlog.get_config() if structlog.is_configured() else None
    structlog.reset_defaults()
    with nowhere() as file:
        with redirect_stderr(file):
            configure_logging()
        try:
            yield
        finally:
            if before is None:
                structlog.reset_defaults()
            else:
                structlog.configure(**before)


@on_trio
async def reported_ours(effort: Effort) -> Values:
    with lines_to_nowhere():
        async with open_node():
            return await restarts(effort)
        raise AssertionError("a node swallows nothing")


async def restarts_of_a_task(say: Callable[[str], object], effort: Effort) -> Values:
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
                    say("crashed")
                    nursery.start_soon(child)

            nursery.start_soon(child)
            await up.zero()
            for _ in range(count):
                up = Countdown(1)
                inbox.put(1)
                await up.zero()
            nursery.cancel_scope.cancel()

    return await effort.per_operation(crashes, exactly=CRASHES)


def quietly(_line: str) -> None:
    """No report."""


@on_trio
async def reported_trio(effort: Effort) -> Values:
    log = logging.getLogger(__name__)
    with nowhere() as file:
        handler = logging.StreamHandler(file)
        log.addHandler(handler)
        log.propagate = False
        try:
            return await restarts_of_a_task(log.exception, effort)
        finally:
            log.removeHandler(handler)


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
                Contender(OURS, in_node(restarts)),
                Contender(TRIO, on_trio(partial(restarts_of_a_task, quietly)), "start_soon anew"),
                Contender(ASYNCIO, crash_asyncio),
                elixir("crashes", "crash"),
            ),
            one_row(1.0, ELIXIR),
        ),
        Figure(
            "crash-reported",
            "crash to restarted init, with its report",
            "the same with the reports that are written by default, to the null device",
            (
                Contender(OURS, reported_ours),
                Contender(TRIO, reported_trio, "start_soon anew, logging.exception"),
                elixir("crashes", "crash-reported"),
            ),
            one_row(1.0, ELIXIR),
        ),
    ),
)
