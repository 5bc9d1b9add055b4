"""Casts and plain messages: sent, and taken by whoever they are for."""

from __future__ import annotations

import asyncio
from functools import partial

import trio

from benchmarks.beam import elixir
from benchmarks.effort import Effort, Values
from benchmarks.figure import (
    ASYNCIO,
    ELIXIR,
    OURS,
    TRIO,
    Contender,
    Figure,
    Subject,
    one_row,
)
from benchmarks.grounds import in_node, in_process, on_asyncio, on_trio
from benchmarks.raw_asyncio import background
from benchmarks.raw_trio import Countdown, Inbox, ask, echo
from benchmarks.servers import SERVERS, Add, Ping
from runtime import Pid, receive, self_, send, spawn_link

BATCH = 1000
"""Messages in a mailbox."""


# -- casts -------------------------------------------------------------------------------------


async def cast_ours(handler: str, effort: Effort) -> Values:
    server = await SERVERS[handler].start()

    async def casts(count: int) -> None:
        for _ in range(count):
            server.cast(Add())
        await server.call(Ping())

    return await effort.per_operation(casts, exactly=BATCH)


@on_trio
async def cast_by_deque(effort: Effort) -> Values:
    inbox: Inbox[object] = Inbox()

    async def casts(count: int) -> None:
        for _ in range(count):
            inbox.put(1)
        await ask(inbox, 1)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(echo, inbox)
        values = await effort.per_operation(casts, exactly=BATCH)
        nursery.cancel_scope.cancel()
    return values


@on_trio
async def cast_by_channel(effort: Effort) -> Values:
    to_server, messages = trio.open_memory_channel[Countdown | None](BATCH + 1)

    async def serve() -> None:
        async for message in messages:
            if message is not None:
                message.down()

    async def casts(count: int) -> None:
        for _ in range(count):
            to_server.send_nowait(None)
        drained = Countdown(1)
        to_server.send_nowait(drained)
        await drained.zero()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(serve)
        values = await effort.per_operation(casts, exactly=BATCH)
        nursery.cancel_scope.cancel()
    return values


@on_asyncio
async def cast_asyncio(effort: Effort) -> Values:
    queue: asyncio.Queue[int] = asyncio.Queue()

    async def serve() -> None:
        while True:
            await queue.get()
            queue.task_done()

    async def casts(count: int) -> None:
        for _ in range(count):
            queue.put_nowait(1)
        await queue.join()

    async with background(serve()):
        return await effort.per_operation(casts, exactly=BATCH)
    raise AssertionError("the block swallows nothing")


RAW_CASTS = (
    Contender(TRIO, cast_by_deque, "deque"),
    Contender(TRIO, cast_by_channel, "channel"),
    Contender(ASYNCIO, cast_asyncio),
    elixir("casts", "cast"),
)


# -- raw processes -----------------------------------------------------------------------------


@in_process
async def ping_pong_ours(effort: Effort) -> Values:
    async def pong() -> None:
        while True:
            sender = await receive(Pid)
            send(sender, 1)

    partner, me = spawn_link(pong), self_()

    async def round_trips(count: int) -> None:
        for _ in range(count):
            send(partner, me)
            await receive(int)

    return await effort.per_operation(round_trips)


@on_trio
async def ping_pong_trio(effort: Effort) -> Values:
    one: Inbox[int] = Inbox()
    other: Inbox[int] = Inbox()

    async def pong() -> None:
        while True:
            one.put(await other.take())

    async def round_trips(count: int) -> None:
        for _ in range(count):
            other.put(1)
            await one.take()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(pong)
        values = await effort.per_operation(round_trips)
        nursery.cancel_scope.cancel()
    return values


@on_asyncio
async def ping_pong_asyncio(effort: Effort) -> Values:
    one: asyncio.Queue[int] = asyncio.Queue()
    other: asyncio.Queue[int] = asyncio.Queue()

    async def pong() -> None:
        while True:
            one.put_nowait(await other.get())

    async def round_trips(count: int) -> None:
        for _ in range(count):
            other.put_nowait(1)
            await one.get()

    async with background(pong()):
        return await effort.per_operation(round_trips)
    raise AssertionError("the block swallows nothing")


@in_process
async def send_ours(effort: Effort) -> Values:
    async def take() -> None:
        while True:
            message = await receive()
            if isinstance(message, Pid):
                send(message, 1)

    taker, me = spawn_link(take), self_()

    async def sends(count: int) -> None:
        for _ in range(count):
            send(taker, 1)
        send(taker, me)
        await receive(int)

    return await effort.per_operation(sends, exactly=BATCH)


SUBJECT = Subject(
    "casts",
    "Messages",
    (
        Figure(
            "cast",
            "cast and drain, def handler",
            f"casts to a server, {BATCH} and then a call that waits until they are handled",
            (Contender(OURS, in_node(partial(cast_ours, "def"))), *RAW_CASTS),
            one_row(4.0, ELIXIR),
        ),
        Figure(
            "cast-async",
            "cast and drain, async def handler",
            "the same with an async def handler",
            (Contender(OURS, in_node(partial(cast_ours, "async def"))), *RAW_CASTS),
        ),
        Figure(
            "ping-pong",
            "send and receive, there and back",
            "a message to a raw process that receives, and its answer, received",
            (
                Contender(OURS, ping_pong_ours),
                Contender(TRIO, ping_pong_trio, "deques"),
                Contender(ASYNCIO, ping_pong_asyncio),
                elixir("casts", "ping-pong"),
            ),
        ),
        Figure(
            "send",
            "send and receive, one way",
            f"messages to a raw process that receives them, {BATCH} at a time",
            (
                Contender(OURS, send_ours),
                Contender(TRIO, cast_by_deque, "deque"),
                Contender(TRIO, cast_by_channel, "channel"),
                Contender(ASYNCIO, cast_asyncio),
                elixir("casts", "send"),
            ),
        ),
    ),
)
