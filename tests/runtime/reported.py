"""What the tests of reports share: a node that writes them, and looking into what was written."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import trio.testing

from runtime import Cast, GenServer, handles, open_node, processes


@asynccontextmanager
async def reporting_node() -> AsyncGenerator[None]:
    """A node with the instruments it has by default; nothing may be left in it."""
    async with open_node():
        yield
        await trio.testing.wait_all_tasks_blocked()
        assert processes() == []


def only(logs: list[Any], event: str) -> dict[str, Any]:
    """The one line of this event."""
    (line,) = [line for line in logs if line["event"] == event]
    return dict(line)


def frames(text: str) -> list[str]:
    """The files a traceback goes through."""
    return [
        line.split('"')[1] for line in text.splitlines() if line.lstrip(" |").startswith("File ")
    ]


class Charge(Cast):
    """Take money from a card."""

    card: str
    amount: int = 0


class Ping(Cast):
    """Nothing."""


class Shop(GenServer):
    """Crashes while it knows secrets."""

    def __init__(self) -> None:
        self.password = "hunter2"

    @handles(Charge)
    def charge(self, message: Charge) -> None:
        pin = "4711"
        if pin:
            raise ValueError("card refused")

    @handles(Ping)
    def ping(self, message: Ping) -> None:
        pass
