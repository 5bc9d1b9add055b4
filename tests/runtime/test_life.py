"""What all the ends of a server pass through, in order."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
import trio

from runtime import ExitReason, GenServer, Node, Shutdown, exit, wait_exit


class Last(GenServer):
    """Enters something, and says in which order it is let go of."""

    def __init__(self, log: list[str], error: Exception | None) -> None:
        self.log = log
        self.error = error

    async def init(self) -> None:
        await self.enter(self.thing())

    @asynccontextmanager
    async def thing(self) -> AsyncGenerator[None]:
        try:
            yield
        finally:
            await trio.sleep(1)
            self.log.append("closed")

    def terminate(self, reason: ExitReason) -> None:
        self.log.append("terminate")
        if self.error is not None:
            raise self.error


@pytest.mark.parametrize("error", [None, ValueError("in terminate")])
async def test_last_words_come_before_the_clean_up_and_the_reason_stays(
    node: Node, error: Exception | None
) -> None:
    log: list[str] = []
    server = await Last.start(log, error)
    exit(server, Shutdown())
    assert await wait_exit(server) == Shutdown()
    assert log == ["terminate", "closed"]
