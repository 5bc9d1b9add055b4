"""What the tests of the inspection share: what is seen, by name, and a server to be traced."""

from __future__ import annotations

from typing import Any, Literal

import trio

from runtime import Call, Cast, GenServer, ProcessView, Ref, Snapshot, TraceEvent, handles, snapshot
from runtime.current import find_process


def names(seen: Snapshot) -> list[str | None]:
    """Who is in it, in order."""
    return [one.name for one in seen.processes]


def the(name: str) -> ProcessView:
    """The process of this name."""
    (found,) = [one for one in snapshot().processes if one.name == name]
    return found


class Get(Call[int]):
    """The count."""


class Add(Cast):
    """One more."""

    secret: str = ""


class Slow(Call[int]):
    """The count, after a while."""


class Counter(GenServer):
    """Counts."""

    def __init__(self) -> None:
        self.count = 0

    @handles(Get)
    def get(self, request: Get) -> int:
        return self.count

    @handles(Add)
    def add(self, message: Add) -> None:
        self.count += 1

    @handles(Slow)
    async def slow(self, request: Slow) -> int:
        await trio.sleep(3)
        return self.count

    def redact(self, what: Literal["message", "state"], value: Any) -> object:
        return "Add(...)" if isinstance(value, Add) else value


class Story(list[TraceEvent]):
    """What a trace has told."""

    @property
    def steps(self) -> list[tuple[str, str | None]]:
        return [(one.what, one.text) for one in self]

    @property
    def whats(self) -> list[str]:
        return [one.what for one in self]


def is_as_before(server: Ref) -> bool:
    """Whether nothing is left of any trace."""
    process = find_process(server)
    assert process is not None
    return (
        type(process.body).__name__ == "ServerBody"
        and process.table.traces == {}
        and process.watches == {}
    )
