"""A ctrl-C at every step of a start: whatever has been spawned is stopped, and the program ends."""

from __future__ import annotations

import sys
import threading
from _thread import interrupt_main
from collections.abc import Awaitable, Callable, Iterator
from itertools import count
from types import FrameType

import pytest
import trio
from trio.testing import MockClock

from runtime import ChildSpec, GenServer, kill, named, processes
from supervisors import (
    DynamicSupervisor,
    DynamicSupervisorRef,
    KeyedRateLimiter,
    KeyedRateLimiterRef,
    PartitionSupervisor,
    PartitionSupervisorRef,
    Supervisor,
    SupervisorRef,
    open_supervisor,
)


class Child(GenServer):
    """Does nothing."""


class Interrupt:
    """A ctrl-C at the call number ``number`` of a function of ours."""

    def __init__(self, number: int) -> None:
        self.left = number
        self.armed = False

    @property
    def struck(self) -> bool:
        return self.left == 0

    def look(self, frame: FrameType, event: str, _arg: object) -> None:
        ours = frame.f_globals.get("__name__", "").startswith("supervisors.")
        if self.armed and ours and event == "call" and not self.struck:
            self.left -= 1
            if self.struck:
                interrupt_main()


@pytest.fixture(autouse=True)
def no_profile() -> Iterator[None]:
    """Nobody looks any more when the test is over."""
    assert threading.current_thread() is threading.main_thread()
    yield
    sys.setprofile(None)


async def restart_dynamic() -> None:
    kill(await DynamicSupervisorRef("sup").start_child(Child))
    await trio.sleep(1)


async def restart_static() -> None:
    kill((await SupervisorRef("sup").start_child(Child)).pid)
    await trio.sleep(1)


async def resize() -> None:
    await PartitionSupervisorRef("sup").resize(1)
    await PartitionSupervisorRef("sup").resize(2)


async def first_use() -> None:
    hosts: KeyedRateLimiterRef[str] = KeyedRateLimiterRef("sup")
    async with hosts.permit("a"):
        await trio.sleep(1)


STARTS: dict[str, tuple[ChildSpec, Callable[[], Awaitable[None]]]] = {
    "a dynamic supervisor": (DynamicSupervisor.child_spec(), restart_dynamic),
    "a supervisor": (Supervisor.child_spec([]), restart_static),
    "a partition supervisor": (PartitionSupervisor.child_spec(Child, partitions=2), resize),
    "a keyed limiter": (KeyedRateLimiter.child_spec(1), first_use),
}


async def program(
    spec: ChildSpec, starts: Callable[[], Awaitable[None]], ctrl_c: Interrupt
) -> None:
    async with open_supervisor([spec.replace(name="sup")], instruments=[]):
        ctrl_c.armed = True
        await starts()
        ctrl_c.armed = False
        assert named("sup").whereis() is not None


async def watched(
    spec: ChildSpec, starts: Callable[[], Awaitable[None]], ctrl_c: Interrupt, late: list[str]
) -> None:
    """What still runs after a long time is stuck."""

    async def watch() -> None:
        await trio.sleep(1000)
        late.extend(map(repr, processes()))
        for pid in processes():
            kill(pid)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(watch)
        await program(spec, starts, ctrl_c)
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize("what", STARTS)
def test_a_ctrl_c_in_a_start_leaves_nothing_that_nobody_stops(what: str) -> None:
    for number in count(1):
        ctrl_c, late = Interrupt(number), list[str]()
        sys.setprofile(ctrl_c.look)
        try:
            trio.run(watched, *STARTS[what], ctrl_c, late, clock=MockClock(autojump_threshold=0))
        except BaseException as exc:
            sys.setprofile(None)
            assert ctrl_c.struck
            group = exc if isinstance(exc, BaseExceptionGroup) else BaseExceptionGroup("", [exc])
            assert group.split(KeyboardInterrupt)[1] is None
        sys.setprofile(None)
        assert late == [], number
        if not ctrl_c.struck:
            assert number > 20
            return
