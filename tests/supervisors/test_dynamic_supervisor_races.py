"""What happens to a start whose requester goes away, and to one whose supervisor does."""

from __future__ import annotations

import pytest
import trio

from runtime import (
    CallExit,
    ChildSpec,
    ExitReason,
    Killed,
    Node,
    NoProcess,
    Pid,
    Ref,
    Shutdown,
    StartFailed,
    kill,
    processes,
    resume,
    spawn,
    suspend,
    wait_exit,
)
from supervisors import DynamicSupervisorRef
from tests.conftest import Recorder
from tests.supervisors.dynamic_parts import (
    counts,
    kill_and_see,
    pids,
    rows,
    slow,
    start_dynamic,
    telling_its_pid,
    temporary,
    the_pid,
)
from tests.supervisors.tree_parts import Ping, begin_after, settle, worker
from tests.support import end_of

# ---------------------------------------------------------------------- the requester


async def test_a_slow_init_holds_up_its_own_requester_alone(node: Node) -> None:
    """DYN-052. differs: OTP's supervisor would wait."""
    sup = await start_dynamic(max_children=2)
    began = trio.current_time()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(sup.start_child, slow([], "slow", 60))
        await settle()
        child = await sup.start_child(temporary([], "quick"))
        await sup.terminate_child(child)
        assert len(await sup.which_children()) == 1
        assert trio.current_time() == began
    assert trio.current_time() - began == 60


@pytest.mark.parametrize("seconds", [0.0, 0.5, 1.0, 1.5])
async def test_a_requester_that_is_cancelled_leaves_nothing(node: Node, seconds: float) -> None:
    """Whenever that is: the place is free, and the child either was asked for or is gone."""
    sup, log = await start_dynamic(max_children=1), list[str]()
    with trio.move_on_after(seconds) as patience:
        await sup.start_child(slow(log, "a", 1))
    await settle()
    if patience.cancelled_caught:
        assert log in ([], ["init a"])
        assert await sup.which_children() == []
        await sup.start_child(worker(log, "b"))
    else:
        assert await rows(sup) == [("a", "running")]


async def test_one_cancelled_before_its_request_is_read_starts_nothing(node: Node) -> None:
    sup, log = await start_dynamic(), list[str]()
    await suspend(sup)
    with trio.move_on_after(1) as patience:
        await sup.start_child(worker(log, "a"))
    assert patience.cancelled_caught
    await resume(sup)
    await settle()
    assert log == []
    assert await sup.which_children() == []


async def test_one_cancelled_in_the_tick_of_the_start_gets_it_or_leaves_nothing(
    node: Node,
) -> None:
    for _ in range(30):
        sup = await start_dynamic()
        got = await _cancelled_in_its_tick(sup)
        await settle()
        assert await pids(sup) == [child.pid for child in got]
        await sup.stop()


async def _cancelled_in_its_tick(sup: DynamicSupervisorRef) -> list[Ref]:
    got: list[Ref] = []

    async def ask() -> None:
        got.append(await sup.start_child(slow([], "a", 1)))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(ask)
        await trio.sleep(1)
        nursery.cancel_scope.cancel()
    return got


async def test_a_requester_that_dies_takes_the_start_with_it(node: Node, events: Recorder) -> None:
    sup, told = await start_dynamic(), list[Pid]()

    async def asks() -> None:
        begin = telling_its_pid(told, begin_after(100))
        await sup.start_child(worker([], "a", begin=begin))

    requester = spawn(asks)
    await settle()
    assert await counts(sup) == (1, 1, 0, 1)
    await kill_and_see(requester)
    assert end_of(events, told[0]) == Killed()
    assert await sup.which_children() == []


async def test_a_child_whose_init_cannot_be_interrupted_is_gone_when_it_is_over(
    node: Node,
) -> None:
    """And holds its place until then: it is really still there."""
    sup, log = await start_dynamic(max_children=1), list[str]()

    async def stubborn() -> None:
        with trio.CancelScope(shield=True):
            await trio.sleep(3)

    with trio.move_on_after(1):
        await sup.start_child(worker(log, "a", begin=stubborn))
    assert await counts(sup) == (1, 1, 0, 1)
    await trio.sleep(2.5)
    assert await sup.which_children() == []
    assert log == ["init a"]


# ---------------------------------------------------------------------- the supervisor


async def test_stopping_it_ends_what_is_starting(node: Node, events: Recorder) -> None:
    sup, reasons = await start_dynamic(), list[ExitReason]()

    async def ask() -> None:
        with pytest.raises(StartFailed) as caught:
            await sup.start_child(slow([], "a", 100))
        reasons.append(caught.value.reason)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(ask)
        await settle()
        began = trio.current_time()
        await sup.stop()
    assert trio.current_time() == began
    assert reasons == [Shutdown()]


async def test_killing_it_ends_what_is_starting(node: Node, events: Recorder) -> None:
    sup, told = await start_dynamic(), list[Pid]()
    pid, reasons = sup.pid, list[ExitReason]()

    async def ask() -> None:
        with pytest.raises(CallExit) as caught:
            await sup.start_child(worker([], "a", begin=telling_its_pid(told, begin_after(100))))
        reasons.append(caught.value.reason)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(ask)
        await settle()
        kill(sup)
    await wait_exit(pid)
    assert reasons == [Killed()]
    assert end_of(events, told[0]) == Killed()


async def test_a_suspended_supervisor_still_answers_the_starts_under_way(node: Node) -> None:
    sup, outcomes = await start_dynamic(), list[str]()

    async def fails() -> None:
        await trio.sleep(2)
        raise LookupError("x")

    async def ask(spec: ChildSpec) -> None:
        try:
            outcomes.append(await (await sup.start_child(spec)).call(Ping()))
        except StartFailed as exc:
            outcomes.append(repr(exc.__cause__))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(ask, slow([], "a", 1))
        nursery.start_soon(ask, worker([], "b", begin=fails))
        await settle()
        await suspend(sup)
    assert outcomes == ["a", "LookupError('x')"]
    await resume(sup)
    assert await rows(sup) == [("a", "running")]


async def test_a_child_may_be_terminated_while_it_starts(node: Node) -> None:
    """By whoever knows its pid; its requester hears of it."""
    sup, told, reasons = await start_dynamic(), list[Pid](), list[ExitReason]()

    async def ask() -> None:
        with pytest.raises(StartFailed) as caught:
            await sup.start_child(worker([], "a", begin=telling_its_pid(told, begin_after(100))))
        reasons.append(caught.value.reason)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(ask)
        await settle()
        await sup.terminate_child(told[0])
    assert reasons == [Shutdown()]
    assert await sup.which_children() == []


async def test_a_request_after_its_end_is_a_call_to_nobody(node: Node) -> None:
    sup = await start_dynamic()
    child = await sup.start_child(worker([], "a"))
    await sup.stop()
    for request in (sup.which_children(), sup.count_children(), sup.terminate_child(child)):
        with pytest.raises(CallExit) as caught:
            await request
        assert caught.value.reason == NoProcess()


async def test_starts_kills_and_stops_in_any_order_leave_nothing(node: Node) -> None:
    """Twenty requesters, some cancelled, some children killed, in the same ticks."""
    before = set(processes())
    sup = await start_dynamic(max_restarts=10**6)

    async def requester(number: int) -> None:
        with trio.move_on_after(number % 5 * 0.5):
            child = await sup.start_child(slow([], str(number), number % 3 * 0.5))
            if number % 2:
                kill(child)
            await trio.sleep(0.5)
            if child.whereis() is not None:
                await sup.terminate_child(child)

    async with trio.open_nursery() as nursery:
        for number in range(20):
            nursery.start_soon(requester, number)
    await trio.sleep(5)
    assert all(status == "running" for _, status in await rows(sup))
    await sup.stop()
    assert set(processes()) == before


async def test_the_only_child_is_found_again_after_many_crashes(node: Node) -> None:
    sup = await start_dynamic(max_restarts=10**6)
    await sup.start_child(worker([], "a"))
    for _ in range(50):
        await kill_and_see(await the_pid(sup))
    assert await rows(sup) == [("a", "running")]
