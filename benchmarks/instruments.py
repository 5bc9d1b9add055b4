"""What an instrument costs that hears nothing, and one that hears everything."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import get_args

from benchmarks.effort import Effort, Values
from benchmarks.figure import Contender, Figure, Subject
from benchmarks.grounds import on_trio
from benchmarks.servers import Echo, Ping
from runtime import Event, Instrument, open_node
from supervisors import DynamicSupervisor, DynamicSupervisorRef

NONE = "none"
DEAF = "hears nothing"
ALL = "hears all"


def hear(_event: Event) -> None:
    """An instrument does something of its own with it."""


INSTRUMENTS: dict[str, list[Instrument]] = {
    NONE: [],
    DEAF: [Instrument(hear, ())],
    ALL: [Instrument(hear, get_args(Event))],
}


async def calls(effort: Effort) -> Values:
    server = await Echo.start()

    async def run(count: int) -> None:
        for _ in range(count):
            await server.call(Ping())

    return await effort.per_operation(run)


async def starts(effort: Effort) -> Values:
    supervisor = DynamicSupervisorRef(await DynamicSupervisor.start())
    spec = Echo.child_spec()

    async def run(count: int) -> None:
        for _ in range(count):
            await supervisor.terminate_child(await supervisor.start_child(spec))

    return await effort.per_operation(run)


async def with_instruments(
    which: str, measure: Callable[[Effort], Awaitable[Values]], effort: Effort
) -> Values:
    async with open_node(instruments=INSTRUMENTS[which]):
        return await measure(effort)
    raise AssertionError("a node swallows nothing")


def figure(
    name: str, title: str, operation: str, measure: Callable[[Effort], Awaitable[Values]]
) -> Figure:
    contenders = [
        Contender(which, on_trio(partial(with_instruments, which, measure)))
        for which in INSTRUMENTS
    ]
    return Figure(name, title, operation, tuple(contenders))


SUBJECT = Subject(
    "instruments",
    "Instruments",
    (
        figure(
            "instruments-call", "call", "a call to an idle server whose handler is a def", calls
        ),
        figure(
            "instruments-start",
            "child started and stopped",
            "a child of a dynamic supervisor is started and terminated, which are two events",
            starts,
        ),
    ),
    ((DEAF, NONE), (ALL, NONE)),
)
