"""What the tests of entered context managers share: things to enter, and a crash."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager

import trio

from runtime import Ref
from tests.support import Do

BOOM = ValueError("boom")


class Resources:
    """Context managers of all kinds that write down what happens to them."""

    def __init__(self) -> None:
        self.log: list[str] = []

    @contextmanager
    def plain(self, name: str) -> Generator[str, None, None]:
        self.log.append(f"+{name}")
        try:
            yield name
        except BaseException as exc:
            self.log.append(f"{name} saw {type(exc).__name__}")
            raise
        finally:
            self.log.append(f"-{name}")

    @asynccontextmanager
    async def slow(self, name: str, seconds: float = 1) -> AsyncGenerator[str, None]:
        self.log.append(f"+{name}")
        try:
            yield name
        finally:
            with trio.move_on_after(100):
                await trio.sleep(seconds)
                self.log.append(f"-{name}")

    async def worker(self) -> None:
        self.log.append("+worker")
        try:
            await trio.sleep_forever()
        finally:
            self.log.append("-worker")


async def crash_now(server: Ref) -> None:
    def crash(one: object) -> None:
        raise BOOM

    server.cast(Do(crash))
