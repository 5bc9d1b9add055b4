"""Real workers of a pool that do what their ``Fleet`` says, numbered in the order they are made."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import trio

from runtime import Cast, ChildSpec, ExitReason, GenServer, Ignore, Pid, Stop, handles, self_
from runtime.server_body import ServerBody
from tests.models.clients import Oops
from tests.models.pool_fleet import BUDGET, Fleet, start_takes, stop_takes


class End(Cast):
    """The worker stops itself, or crashes if there is no reason."""

    reason: Any


class Conn(GenServer):
    """A worker."""

    def __init__(self, made: Made, number: int, base: float, fault: str) -> None:
        self._made = made
        self._number = number
        self._base = base
        self._fault = fault

    async def init(self) -> Ignore | None:
        """Take the time it takes, and fail if it must."""
        self._made.numbers[self_()] = self._number
        await trio.sleep(start_takes(self._number, self._base))
        if self._fault == "raises":
            raise Oops
        return Ignore() if self._fault == "ignores" else None

    @handles(End)
    def end(self, message: End) -> Stop:
        if message.reason is None:
            raise Oops
        return Stop(message.reason)

    async def terminate(self, reason: ExitReason) -> None:
        await trio.sleep(stop_takes(self._number, self._made.fleet.stop))


class Made:
    """The workers that were made so far. A body is made in the very step that takes the slot."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        self.count = 0
        self.numbers: dict[Pid, int] = {}

    def _body(self, make: Callable[..., Conn]) -> ServerBody:
        number, self.count = self.count, self.count + 1
        return ServerBody(partial(make, number, self.fleet.start, self.fleet.fault))

    @property
    def spec(self) -> ChildSpec:
        """Of one worker."""
        return ChildSpec(
            target=Conn,
            args=(self,),
            kwargs={},
            body_of=self._body,
            check=lambda args, kwargs: (args, kwargs),
            behaviour="Conn",
            shutdown=BUDGET,
        )
