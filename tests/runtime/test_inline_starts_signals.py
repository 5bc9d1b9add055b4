"""An ``init`` in the step of its starter that ends its starter, its supervisor, or itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import trio
import trio.testing

from runtime import (
    CallExit,
    CleanupFailed,
    GenServer,
    Killed,
    Node,
    Pid,
    Shutdown,
    StartFailed,
    exit,
    kill,
    open_node,
    processes,
    self_,
    start,
    start_link,
    wait_exit,
)
from supervisors import DynamicSupervisor, DynamicSupervisorRef, Supervisor, SupervisorRef
from tests.conftest import Recorder
from tests.runtime.inlining import in_both_modes
from tests.runtime.test_inline_starts import Doer
from tests.support import reason_of

pytestmark = in_both_modes

BOOM = ValueError("boom")


def exit_enough(target: Pid) -> None:
    exit(target, "enough")


ENDED_BY = pytest.mark.parametrize(("end", "reason"), [(exit_enough, "enough"), (kill, Killed())])


@ENDED_BY
@pytest.mark.parametrize("by", [start, start_link])
async def test_a_starter_that_init_ends_goes_no_further(
    node: Node, events: Recorder, end: Callable[[Pid], None], reason: object, by: Any
) -> None:
    log: list[str] = []

    async def starter() -> None:
        me = self_()
        try:
            await by(Doer.child_spec(lambda _: end(me)))
            log.append("went on")
        finally:
            log.append("cleaned up")

    assert await reason_of(starter) == reason
    assert log == ["cleaned up"]
    assert processes() == []
    assert [event for event in events if isinstance(event, CleanupFailed)] == []


@ENDED_BY
async def test_a_starter_in_scopes_of_its_own_goes_no_further_either(
    node: Node, end: Callable[[Pid], None], reason: object
) -> None:
    log: list[str] = []

    async def starter() -> None:
        me = self_()

        def init(_server: object) -> None:
            trio.CancelScope().__enter__()
            end(me)
            trio.CancelScope().__enter__()

        with trio.CancelScope() as outer, trio.CancelScope() as inner:
            await start(Doer.child_spec(init))
            log.append("went on")
        log.append(f"left {outer.cancelled_caught} {inner.cancelled_caught}")

    assert await reason_of(starter) == reason
    assert log == []


async def test_a_nursery_that_init_left_open_is_none_of_the_starters(node: Node) -> None:
    """In its own task it is closed when the server ends."""

    def init(_server: object) -> None:
        opening = trio.open_nursery().__aenter__()
        with pytest.raises(StopIteration) as opened:
            opening.send(None)
        opened.value.value.start_soon(trio.sleep_forever)

    async with trio.open_nursery() as own:
        own.start_soon(trio.sleep, 1)
        server = await start(Doer.child_spec(init))
    exit(server, Shutdown())
    await wait_exit(server)
    assert processes() == []


async def test_a_supervisor_that_an_init_kills_starts_no_more(node: Node) -> None:
    log: list[int] = []

    def init_of(at: int) -> Callable[[object], None]:
        def init(_server: object) -> None:
            log.append(at)
            if at == 1:
                kill(processes()[0])

        return init

    with pytest.raises(StartFailed) as caught:
        await Supervisor.start([Doer.child_spec(init_of(at)).replace(id=at) for at in range(3)])
    assert caught.value.reason == Killed()
    assert log == [0, 1]


async def test_nor_does_it_answer_for_the_child_that_killed_it(node: Node) -> None:
    supervisor = SupervisorRef(await Supervisor.start([]))
    with pytest.raises(CallExit) as caught:
        await supervisor.start_child(Doer.child_spec(lambda _: kill(processes()[0])))
    assert caught.value.reason == Killed()


async def test_a_requester_that_init_cancels_takes_the_child_along(node: Node) -> None:
    supervisor = DynamicSupervisorRef(await DynamicSupervisor.start())
    await trio.testing.wait_all_tasks_blocked()
    with trio.CancelScope() as scope:
        await supervisor.start_child(Doer.child_spec(lambda _: scope.cancel()))
    assert scope.cancelled_caught
    await trio.testing.wait_all_tasks_blocked()
    assert await supervisor.which_children() == []


@ENDED_BY
async def test_so_does_one_that_it_ends(
    node: Node, end: Callable[[Pid], None], reason: object
) -> None:
    supervisor = DynamicSupervisorRef(await DynamicSupervisor.start())
    await trio.testing.wait_all_tasks_blocked()
    log: list[str] = []

    async def requester() -> None:
        me = self_()
        await supervisor.start_child(Doer.child_spec(lambda _: end(me)))
        log.append("went on")

    assert await reason_of(requester) == reason
    await trio.testing.wait_all_tasks_blocked()
    assert log == []
    assert await supervisor.which_children() == []


async def test_what_a_constructor_raises_after_a_signal_to_itself_is_not_lost(
    node: Node, events: Recorder
) -> None:
    class Torn(GenServer):
        def __init__(self) -> None:
            exit(self_(), "enough")
            raise BOOM

    with pytest.raises(StartFailed) as caught:
        await Torn.start()
    assert caught.value.reason == "enough"
    assert [event.exception for event in events if isinstance(event, CleanupFailed)] == [BOOM]


async def test_nor_is_what_ends_the_program() -> None:
    class Torn(GenServer):
        def __init__(self) -> None:
            exit(self_(), "enough")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        async with open_node(instruments=[]):
            with pytest.raises(StartFailed):
                await Torn.start()
