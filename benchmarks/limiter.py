"""A rate limiter: a permit taken and given back, with nobody else about and with a queue."""

from __future__ import annotations

import asyncio
from functools import partial

import trio

from benchmarks.beam import elixir
from benchmarks.effort import Effort, Values
from benchmarks.figure import ASYNCIO, OURS, TRIO, Contender, Figure, Subject
from benchmarks.grounds import in_process, on_asyncio, on_trio
from benchmarks.raw_trio import Countdown
from runtime import spawn
from supervisors import RateLimiter, RateLimiterRef

CLIENTS = 10


def shares(count: int) -> list[int]:
    """What each client does of ``count``."""
    return [(count + client) // CLIENTS for client in range(CLIENTS)]


@in_process
async def free_ours(effort: Effort) -> Values:
    limiter = RateLimiterRef(await RateLimiter.start(1))

    async def permits(count: int) -> None:
        for _ in range(count):
            limiter.release(await limiter.acquire())

    return await effort.per_operation(permits)


@in_process
async def contended_ours(effort: Effort) -> Values:
    limiter = RateLimiterRef(await RateLimiter.start(1))

    async def permits(count: int) -> None:
        ended = Countdown(CLIENTS)

        async def client(times: int) -> None:
            for _ in range(times):
                async with limiter.permit():
                    await trio.lowlevel.checkpoint()
            ended.down()

        for times in shares(count):
            spawn(client, times)
        await ended.zero()

    return await effort.per_operation(permits)


async def free_trio(make: type[trio.Semaphore | trio.CapacityLimiter], effort: Effort) -> Values:
    bound = make(1)

    async def permits(count: int) -> None:
        for _ in range(count):
            async with bound:
                pass

    return await effort.per_operation(permits)


async def contended_trio(
    make: type[trio.Semaphore | trio.CapacityLimiter], effort: Effort
) -> Values:
    bound = make(1)

    async def client(times: int) -> None:
        for _ in range(times):
            async with bound:
                await trio.lowlevel.checkpoint()

    async def permits(count: int) -> None:
        async with trio.open_nursery() as nursery:
            for times in shares(count):
                nursery.start_soon(client, times)

    return await effort.per_operation(permits)


@on_asyncio
async def free_asyncio(effort: Effort) -> Values:
    bound = asyncio.Semaphore(1)

    async def permits(count: int) -> None:
        for _ in range(count):
            async with bound:
                pass

    return await effort.per_operation(permits)


@on_asyncio
async def contended_asyncio(effort: Effort) -> Values:
    bound = asyncio.Semaphore(1)

    async def client(times: int) -> None:
        for _ in range(times):
            async with bound:
                await asyncio.sleep(0)

    async def permits(count: int) -> None:
        await asyncio.gather(*map(client, shares(count)))

    return await effort.per_operation(permits)


SUBJECT = Subject(
    "limiter",
    "Registry and limiter",
    (
        Figure(
            "limiter",
            "limiter, acquire and release, free",
            "a process takes a permit that is there and gives it back; in Elixir a small GenServer",
            (
                Contender(OURS, free_ours),
                Contender(TRIO, on_trio(partial(free_trio, trio.Semaphore)), "Semaphore"),
                Contender(
                    TRIO, on_trio(partial(free_trio, trio.CapacityLimiter)), "CapacityLimiter"
                ),
                Contender(ASYNCIO, free_asyncio, "Semaphore"),
                elixir("limiter", "free"),
            ),
        ),
        Figure(
            "limiter-contended",
            "limiter, acquire and release, contended",
            f"{CLIENTS} processes share one permit, and hold it for a checkpoint; per permit",
            (
                Contender(OURS, contended_ours),
                Contender(TRIO, on_trio(partial(contended_trio, trio.Semaphore)), "Semaphore"),
                Contender(
                    TRIO, on_trio(partial(contended_trio, trio.CapacityLimiter)), "CapacityLimiter"
                ),
                Contender(ASYNCIO, contended_asyncio, "Semaphore"),
                elixir("limiter", "contended"),
            ),
        ),
    ),
)
