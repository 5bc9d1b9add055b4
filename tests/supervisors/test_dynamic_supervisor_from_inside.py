"""Children that ask their own dynamic supervisor, and what would wait for itself."""

from __future__ import annotations

import math

import pytest
import trio

from runtime import (
    CallCycle,
    ExitReason,
    GenServer,
    Node,
    StartFailed,
    handles,
    is_alive,
    ref,
    self_,
)
from tests.supervisors.dynamic_parts import Tagged, rows, slow, start_dynamic
from tests.supervisors.tree_parts import Ping, Worker, settle, worker


async def test_a_child_may_start_its_sibling_from_its_init(node: Node) -> None:
    """DYN-051 differs: in OTP both would wait for each other for ever."""
    sup, log = await start_dynamic(), list[str]()

    async def begin() -> None:
        await sup.start_child(worker(log, "sibling"))
        log.append("sibling is up")

    await sup.start_child(worker(log, "a", begin=begin))
    assert log == ["init a", "init sibling", "sibling is up"]
    assert await rows(sup) == [("a", "running"), ("sibling", "running")]


async def test_a_child_that_ends_in_its_init_takes_along_the_sibling_it_starts(
    node: Node,
) -> None:
    sup, log = await start_dynamic(), list[str]()

    async def begin() -> None:
        await sup.start_child(slow(log, "sibling", 100))

    with trio.move_on_after(1):
        await sup.start_child(worker(log, "a", begin=begin))
    await settle()
    assert log == ["init a", "init sibling"]
    assert await sup.which_children() == []


async def test_a_child_whose_init_calls_its_requester_is_refused_at_once(node: Node) -> None:
    """It waits for the child, which would wait for it."""
    sup = await start_dynamic()
    began = trio.current_time()

    class Starter(Tagged):
        async def handle_info(self, message: object) -> None:
            me = ref(self_())

            async def begin() -> None:
                await me.call(Ping())

            with pytest.raises(StartFailed) as caught:
                await sup.start_child(worker([], "a", begin=begin))
            assert isinstance(caught.value.__cause__, CallCycle)

    starter = await Starter.start("x")
    starter.send("go")
    await settle()
    assert trio.current_time() == began
    assert await starter.call(Ping()) == "x"
    assert await sup.which_children() == []


async def test_a_trapping_child_that_waits_for_its_own_end_is_refused_at_once(
    node: Node,
) -> None:
    """And ends as it was asked to."""
    sup, refused = await start_dynamic(), list[Exception]()

    class Leaving(Worker):
        async def handle_info(self, message: object) -> None:
            try:
                await sup.terminate_child(self_())
            except CallCycle as exc:
                refused.append(exc)

    child = await sup.start_child(Leaving.child_spec([], "a", trap=True).replace(shutdown=math.inf))
    child.send("go")
    await settle()
    assert len(refused) == 1
    assert not is_alive(child)
    assert await sup.which_children() == []


async def test_that_holds_for_a_wait_by_way_of_another_server(node: Node) -> None:
    """A waits for B, which waits for the end of A."""
    sup, refused = await start_dynamic(), list[Exception]()

    class Stopper(GenServer):
        @handles(Ping)
        async def ping(self, request: Ping) -> str:
            try:
                await sup.terminate_child(child)
            except CallCycle as exc:
                refused.append(exc)
            return "tried"

    stopper = await Stopper.start()

    class Asking(Worker):
        async def handle_info(self, message: object) -> None:
            await stopper.call(Ping(), timeout=math.inf)

    child = await sup.start_child(Asking.child_spec([], "a", trap=True).replace(shutdown=math.inf))
    child.send("go")
    await settle()
    assert not is_alive(child)
    assert len(refused) == 1


async def test_a_child_that_waits_for_its_siblings_start_does_not_hold_up_the_stop(
    node: Node,
) -> None:
    """It traps exits and has all the time in the world; its call is refused instead."""
    sup, log = await start_dynamic(), list[str]()

    class Starter(Worker):
        async def handle_info(self, message: object) -> None:
            try:
                await sup.start_child(slow(log, "sibling", 1000))
            except CallCycle:
                log.append("refused")

    child = await sup.start_child(
        Starter.child_spec(log, "starter", trap=True).replace(shutdown=math.inf)
    )
    child.send("go")
    await settle()
    began = trio.current_time()
    await sup.stop()
    assert trio.current_time() == began
    assert log == ["init starter", "init sibling", "refused", "terminate starter shutdown"]


async def test_what_was_started_for_a_refused_call_is_killed_when_it_is_up(node: Node) -> None:
    """Nobody knows of it."""
    sup, log = await start_dynamic(), list[str]()

    class Starter(Worker):
        async def handle_info(self, message: object) -> None:
            try:
                await sup.start_child(slow(log, "sibling", 3, trap=True))
            except CallCycle:
                log.append("refused")

    child = await sup.start_child(Starter.child_spec(log, "starter", trap=True))
    child.send("go")
    await settle()
    began = trio.current_time()
    await sup.stop()
    assert trio.current_time() - began == 3
    assert log == ["init starter", "init sibling", "refused", "terminate starter shutdown"]


async def test_a_child_that_asks_a_stopping_supervisor_is_refused_at_once(node: Node) -> None:
    """Else both would wait for its budget."""
    sup, refused = await start_dynamic(), list[type[Exception]]()

    class Asking(Worker):
        async def terminate(self, reason: ExitReason) -> None:
            for ask in (sup.count_children(), sup.start_child(worker([], "late"))):
                try:
                    await ask
                except CallCycle as exc:
                    refused.append(type(exc))

    await sup.start_child(Asking.child_spec([], "a").replace(shutdown=100))
    began = trio.current_time()
    await sup.stop()
    assert trio.current_time() == began
    assert refused == [CallCycle, CallCycle]
