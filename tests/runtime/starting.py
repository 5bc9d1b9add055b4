"""What the tests of starts share: an ``init`` that takes its time, and what the starter got."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import trio

from runtime import Exit, ReceiveTimeout, receive
from tests.support import Scripted


def slow(seconds: float, result: object = None) -> Callable[[Any], Any]:
    """An ``init`` that takes its time."""

    async def init(server: Scripted) -> object:
        server.log.append("init begins")
        await trio.sleep(seconds)
        server.log.append("init ends")
        return result

    return init


async def exits() -> list[Exit]:
    """The ``Exit`` messages in the calling process's mailbox, once all has settled."""
    await trio.sleep(1)
    found = []
    while True:
        try:
            found.append(await receive(Exit, timeout=0))
        except ReceiveTimeout:
            return found
