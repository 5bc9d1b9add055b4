"""The worker of the traces, the ``T.W`` of ``_trace.exs``: it prints its start and its end."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TypedDict, Unpack

import trio

from runtime import (
    Cast,
    ChildSpec,
    ExitReason,
    GenServer,
    InitResult,
    ProcessExit,
    Stop,
    handles,
    ref,
    trap_exits,
)
from tests.oracle.rendering import say
from tests.oracle.trace import AnySupervisor, Trace, pid_of, settle


class End(Cast):
    """Stop with this reason."""

    reason: ExitReason


class WorkerOptions(TypedDict, total=False):
    """What a worker does otherwise than others."""

    trap: bool
    """Whether it traps exits; by default it does."""
    begin: Callable[[], InitResult]
    """Says what its ``init`` returns."""
    nap: float
    """Milliseconds that pass in its ``terminate``."""
    last: ExitReason
    """What its ``terminate`` exits with."""


class Worker(GenServer):
    """Prints ``init ID``, ``init_refused ID RESULT``, ``info ID MESSAGE``, ``terminate ID WHY``."""

    def __init__(self, trace: Trace, tag: Hashable, **options: Unpack[WorkerOptions]) -> None:
        self.out = trace.out
        self.tag = say(tag)
        self.options = options

    def init(self) -> InitResult:
        self.out(f"init {self.tag}")
        if self.options.get("trap", True):
            trap_exits()
        if "begin" not in self.options:
            return None
        result = self.options["begin"]()
        self.out(f"init_refused {self.tag} {say(result)}")
        return result

    @handles(End)
    def end(self, message: End) -> Stop:
        return Stop(message.reason)

    def handle_info(self, message: object) -> None:
        self.out(f"info {self.tag} {say(message)}")

    async def terminate(self, reason: ExitReason) -> None:
        self.out(f"terminate {self.tag} {say(reason)}")
        if "nap" in self.options:
            await trio.sleep(self.options["nap"] / 1000)
        if "last" in self.options:
            raise ProcessExit(self.options["last"])


def worker(trace: Trace, tag: str, **options: Unpack[WorkerOptions]) -> ChildSpec:
    """The spec of a worker, whose id is its tag."""
    return Worker.child_spec(trace, tag, **options).replace(id=tag)


async def end(sup: AnySupervisor, child_id: Hashable, reason: ExitReason) -> None:
    """Let a worker stop itself, and see what follows."""
    ref(await pid_of(sup, child_id)).cast(End(reason))
    await settle()
