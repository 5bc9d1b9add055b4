"""A supervisor that ends waits for its children, so their calls to it would wait for themselves."""

from __future__ import annotations

from typing import Any

import pytest
import trio

from runtime import (
    CallCycle,
    CallExit,
    ChildSpec,
    Continue,
    Node,
    Pid,
    Shutdown,
    get_state,
    named,
    self_,
    spawn,
    start,
)
from supervisors import Supervisor
from tests.support import Scripted


def asking(owner: str, found: list[tuple[Pid, CallCycle]]) -> ChildSpec:
    """A child whose last words are a question to ``owner``."""

    async def last_words(one: object, reason: object) -> None:
        with pytest.raises(CallCycle) as caught:
            await get_state(named(owner))
        found.append((self_(), caught.value))

    return Scripted.child_spec(terminate=last_words)


@pytest.mark.parametrize("owner", ["inner", "outer"])
async def test_last_words_to_an_owner_that_waits_for_them_are_refused(
    node: Node, owner: str
) -> None:
    """At once, instead of by the end of the shutdown budget; whichever owner it is."""
    found: list[tuple[Pid, CallCycle]] = []
    inner = Supervisor.child_spec([asking(owner, found)]).replace(name="inner")
    outer = await start(Supervisor.child_spec([inner]).replace(name="outer"))
    owners = {name: named(name).pid for name in ("inner", "outer")}
    begun = trio.current_time()
    await outer.stop(Shutdown())
    assert trio.current_time() == begun
    ((child, error),) = found
    assert error.cycle == (child, owners[owner], child)


async def test_a_stranger_that_calls_an_ending_supervisor_hears_of_its_end(node: Node) -> None:
    """It does not live in the supervisor, so nobody waits for it."""
    got: list[object] = []

    async def last_words(one: object, reason: object) -> None:
        await trio.sleep(2)

    async def stranger() -> None:
        with pytest.raises(CallExit) as caught:
            await get_state(named("owner"))
        got.append(caught.value.reason)

    children: list[Any] = [Scripted.child_spec(terminate=last_words)]
    owner = await start(Supervisor.child_spec(children).replace(name="owner"))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(owner.stop, Shutdown())
        await trio.sleep(1)
        spawn(stranger)
    await trio.sleep(1)
    assert got == [Shutdown()]


async def test_a_child_may_ask_its_owner_while_that_runs(node: Node) -> None:
    got: list[object] = []

    async def ask(one: object) -> None:
        got.append(await get_state(named("owner")))

    def later(one: object) -> Continue:
        return Continue(ask)

    await start(Supervisor.child_spec([Scripted.child_spec(init=later)]).replace(name="owner"))
    await trio.sleep(1)
    assert len(got) == 1
