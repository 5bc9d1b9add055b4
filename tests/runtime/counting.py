"""A server that counts, and its messages: a call, a cast and an info."""

from __future__ import annotations

import msgspec

from runtime import Call, Cast, GenServer, handles


class Get(Call[int]):
    """The count."""


class Add(Cast):
    by: int = 1


class Tick(msgspec.Struct, frozen=True):
    """An info."""


class Counter(GenServer):
    def __init__(self, count: int = 0) -> None:
        self.count = count

    @handles(Get)
    def get(self, request: Get) -> int:
        return self.count

    @handles(Add)
    def add(self, message: Add) -> None:
        self.count += message.by

    @handles(Tick)
    def tick(self, message: Tick) -> None:
        self.count += 100
