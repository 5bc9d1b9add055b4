"""What the tests of tables share: tables whose owner does nothing but own them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import trio

from runtime import Pid, Table, TableAccess, TableKind, receive, send, spawn
from runtime.current import Target, current_table


class Owner:
    """A process that makes a table, and then runs what it is given and keeps other messages."""

    def __init__(self, make: Callable[[], Table[Any, Any]]) -> None:
        self._make = make
        self._made = trio.Event()
        self.messages: list[object] = []
        self.table: Table[Any, Any]
        self.pid: Pid = spawn(self._live)

    async def _live(self) -> None:
        self.table = self._make()
        self._made.set()
        while True:
            message = await receive()
            if callable(message):
                message()
            else:
                self.messages.append(message)

    async def made(self) -> Owner:
        """Once the table is there."""
        await self._made.wait()
        return self

    async def do(self, work: Callable[[], object]) -> BaseException | None:
        """Run ``work`` in the owner; what it raised."""
        raised: list[BaseException] = []
        done = trio.Event()

        def run() -> None:
            try:
                work()
            except Exception as exc:
                raised.append(exc)
            done.set()

        send(self.pid, run)
        await done.wait()
        return raised[0] if raised else None


async def owner_of(
    name: str | None = None,
    *,
    kind: TableKind = "set",
    access: TableAccess = "public",
    heir: Target | None = None,
    ttl: float | None = None,
) -> Owner:
    """A process that owns such a table."""
    return await Owner(
        lambda: Table[Any, Any](name, kind=kind, access=access, heir=heir, ttl=ttl)
    ).made()


async def a_table(*, kind: TableKind = "set", ttl: float | None = None) -> Table[Any, Any]:
    """A table that everybody may write."""
    return (await owner_of(kind=kind, ttl=ttl)).table


def names_of_tables() -> list[str]:
    """The names of tables the node knows."""
    return list(current_table().tables)


def deadlines_pending() -> int:
    """How many timers of the node are still to fire."""
    return sum(entry.callback is not None for _, _, entry in current_table().deadlines._heap)
