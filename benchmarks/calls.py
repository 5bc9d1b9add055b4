"""Calls: to an idle server, and by many clients at once."""

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
from benchmarks.raw_asyncio import Asked, background
from benchmarks.raw_asyncio import ask as ask_asyncio
from benchmarks.raw_asyncio import echo as echo_asyncio
from benchmarks.raw_trio import Inbox, ask, echo
from benchmarks.servers import SERVERS, Ping
from runtime import Ref

CLIENTS = 100
CALLS = 200


# -- one client --------------------------------------------------------------------------------


async def call_ours(handler: str, effort: Effort) -> Values:
    server = await SERVERS[handler].start()

    async def calls(count: int) -> None:
        for _ in range(count):
            await server.call(Ping())

    return await effort.per_operation(calls)


@on_trio
async def call_by_deque(effort: Effort) -> Values:
    inbox: Inbox[object] = Inbox()

    async def calls(count: int) -> None:
        for _ in range(count):
            await ask(inbox, 1)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(echo, inbox)
        values = await effort.per_operation(calls)
        nursery.cancel_scope.cancel()
    return values


@on_trio
async def call_by_deque_in_time(effort: Effort) -> Values:
    inbox: Inbox[object] = Inbox()

    async def calls(count: int) -> None:
        for _ in range(count):
            with trio.fail_after(5):
                await ask(inbox, 1)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(echo, inbox)
        values = await effort.per_operation(calls)
        nursery.cancel_scope.cancel()
    return values


@on_trio
async def call_by_channels(effort: Effort) -> Values:
    to_server, requests = trio.open_memory_channel[int](1)
    to_client, replies = trio.open_memory_channel[int](1)

    async def serve() -> None:
        async for request in requests:
            await to_client.send(request)

    async def calls(count: int) -> None:
        for _ in range(count):
            await to_server.send(1)
            await replies.receive()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(serve)
        values = await effort.per_operation(calls)
        nursery.cancel_scope.cancel()
    return values


@on_asyncio
async def call_asyncio(effort: Effort) -> Values:
    queue: asyncio.Queue[Asked] = asyncio.Queue()

    async def calls(count: int) -> None:
        for _ in range(count):
            await ask_asyncio(queue, 1)

    async with background(echo_asyncio(queue)):
        return await effort.per_operation(calls)
    raise AssertionError("the block swallows nothing")


RAW_CALLS = (
    Contender(TRIO, call_by_deque, "deque"),
    Contender(ASYNCIO, call_asyncio),
    elixir("calls", "call"),
)
OTHER_WAYS = (
    Contender(TRIO, call_by_channels, "channels"),
    Contender(TRIO, call_by_deque_in_time, "deque, fail_after(5)"),
)


# -- many clients ------------------------------------------------------------------------------


async def clients_ours(handler: str, effort: Effort) -> Values:
    server = await SERVERS[handler].start()
    each = effort.number(CALLS)

    async def client(server: Ref) -> None:
        for _ in range(each):
            await server.call(Ping())

    async def crowds(count: int) -> None:
        for _ in range(count):
            async with trio.open_nursery() as nursery:
                for _ in range(CLIENTS):
                    nursery.start_soon(client, server)

    return per_call(await effort.per_operation(crowds), each)


@on_trio
async def clients_trio(effort: Effort) -> Values:
    inbox: Inbox[object] = Inbox()
    each = effort.number(CALLS)

    async def client() -> None:
        for _ in range(each):
            await ask(inbox, 1)

    async def crowds(count: int) -> None:
        for _ in range(count):
            async with trio.open_nursery() as nursery:
                for _ in range(CLIENTS):
                    nursery.start_soon(client)

    async with trio.open_nursery() as server:
        server.start_soon(echo, inbox)
        values = await effort.per_operation(crowds)
        server.cancel_scope.cancel()
    return per_call(values, each)


@on_asyncio
async def clients_asyncio(effort: Effort) -> Values:
    queue: asyncio.Queue[Asked] = asyncio.Queue()
    each = effort.number(CALLS)

    async def client() -> None:
        for _ in range(each):
            await ask_asyncio(queue, 1)

    async def crowds(count: int) -> None:
        for _ in range(count):
            async with asyncio.TaskGroup() as group:
                for _ in range(CLIENTS):
                    group.create_task(client())

    async with background(echo_asyncio(queue)):
        return per_call(await effort.per_operation(crowds), each)
    raise AssertionError("the block swallows nothing")


def per_call(per_crowd: Values, each: int) -> Values:
    return {row: value / (CLIENTS * each) for row, value in per_crowd.items()}


RAW_CLIENTS = (
    Contender(TRIO, clients_trio, "deque"),
    Contender(ASYNCIO, clients_asyncio),
    elixir("calls", "clients"),
)

SUBJECT = Subject(
    "calls",
    "Messages",
    (
        Figure(
            "call",
            "call, def handler",
            "a plain task calls an idle server whose handler is a def, with the default timeout",
            (Contender(OURS, in_node(partial(call_ours, "def"))), *RAW_CALLS, *OTHER_WAYS),
            one_row(1.0, ELIXIR),
        ),
        Figure(
            "call-async",
            "call, async def handler",
            "the same with an async def handler",
            (Contender(OURS, in_node(partial(call_ours, "async def"))), *RAW_CALLS),
            one_row(1.4, TRIO),
        ),
        Figure(
            "call-in-process",
            "call, def handler, by a process",
            "a process calls an idle server whose handler is a def",
            (Contender(OURS, in_process(partial(call_ours, "def"))), *RAW_CALLS),
            one_row(1.0, ELIXIR),
        ),
        Figure(
            "call-async-in-process",
            "call, async def handler, by a process",
            "a process calls an idle server whose handler is an async def",
            (Contender(OURS, in_process(partial(call_ours, "async def"))), *RAW_CALLS),
            one_row(1.4, TRIO),
        ),
        Figure(
            "clients",
            "call by 100 clients, def handler",
            f"{CLIENTS} tasks make {CALLS} calls each to one server; per call",
            (Contender(OURS, in_node(partial(clients_ours, "def"))), *RAW_CLIENTS),
            one_row(1.0, ELIXIR),
        ),
        Figure(
            "clients-async",
            "call by 100 clients, async def handler",
            "the same with an async def handler; per call",
            (Contender(OURS, in_node(partial(clients_ours, "async def"))), *RAW_CLIENTS),
        ),
    ),
)
