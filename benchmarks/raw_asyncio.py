"""What one would write with asyncio alone: a queue, and a future for each reply."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

Asked: TypeAlias = tuple[object, asyncio.Future[object]]


async def ask(queue: asyncio.Queue[Asked], request: object) -> object:
    """Send a request and wait for the reply."""
    reply: asyncio.Future[object] = asyncio.get_running_loop().create_future()
    queue.put_nowait((request, reply))
    return await reply


async def echo(queue: asyncio.Queue[Asked]) -> None:
    """A server that answers every request with itself."""
    while True:
        request, reply = await queue.get()
        if not reply.done():
            reply.set_result(request)


@asynccontextmanager
async def background(coroutine: Coroutine[Any, Any, None]) -> AsyncGenerator[asyncio.Task[None]]:
    """A task for the length of a block."""
    task = asyncio.create_task(coroutine)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait([task])
