"""The servers that are measured, and what they are sent."""

from __future__ import annotations

from collections.abc import Callable

from runtime import Call, Cast, GenServer, InitResult, handles


class Ping(Call[int]):
    """Reply with ``value``."""

    value: int = 1


class Add(Cast):
    """Add one."""


class Boom(Cast):
    """Crash."""


class Echo(GenServer):
    """Everything with ``def``."""

    def __init__(self) -> None:
        self.count = 0

    @handles(Ping)
    def ping(self, request: Ping) -> int:
        return request.value

    @handles(Add)
    def add(self, message: Add) -> None:
        self.count += 1


class AsyncEcho(GenServer):
    """Everything with ``async def``."""

    def __init__(self) -> None:
        self.count = 0

    async def init(self) -> InitResult:
        return None

    @handles(Ping)
    async def ping(self, request: Ping) -> int:
        return request.value

    @handles(Add)
    async def add(self, message: Add) -> None:
        self.count += 1


class Fragile(GenServer):
    """Crashes when told to, and says when it is up."""

    def __init__(self, up: Callable[[], None]) -> None:
        self._up = up

    def init(self) -> None:
        self._up()

    @handles(Boom)
    def boom(self, message: Boom) -> None:
        raise ArithmeticError("boom")


SERVERS: dict[str, type[Echo | AsyncEcho]] = {"def": Echo, "async def": AsyncEcho}
