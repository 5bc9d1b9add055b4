"""How a supervisor ends: stopped, told by its parent, killed; and what does not end it."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable

import pytest
import trio

from runtime import (
    CallExit,
    Exit,
    ExitReason,
    Killed,
    MessageUnexpected,
    Node,
    NoProcess,
    Normal,
    Pid,
    ProcessExit,
    Shutdown,
    exit,
    is_alive,
    kill,
    link,
    ref,
    send,
    spawn,
    wait_exit,
)
from runtime.current import current_table, find_process
from runtime.spawning import spawn_process
from runtime.stops import stop_process
from supervisors import Supervisor
from tests.conftest import Recorder
from tests.supervisors.tree_parts import (
    crash,
    drain,
    kids,
    pid_of,
    settle,
    start_supervisor,
    worker,
    workers,
)
from tests.support import Do, Scripted, end_of


@pytest.mark.parametrize("reason", [Normal(), "custom"])
async def test_a_request_to_a_supervisor_that_is_stopping_gets_its_reason(
    node: Node, reason: ExitReason
) -> None:
    """SUP-075."""
    sup = await start_supervisor([worker([], "a", nap=3)])
    async with trio.open_nursery() as nursery:
        nursery.start_soon(sup.stop, reason)
        await trio.sleep(1)
        for request in (sup.which_children, sup.count_children):
            nursery.start_soon(_ends_with, request, reason)
        nursery.start_soon(_ends_with, lambda: sup.start_child(worker([], "b")), reason)
    await _ends_with(sup.which_children, NoProcess())


async def _ends_with(request: Callable[[], Awaitable[object]], reason: ExitReason) -> None:
    with pytest.raises(CallExit) as caught:
        await request()
    assert caught.value.reason == reason


@pytest.mark.parametrize("reason", [Normal(), Shutdown(), Shutdown("x"), "parent_gone"])
async def test_it_ends_with_its_parents_reason_after_its_children(
    node: Node, events: Recorder, reason: ExitReason
) -> None:
    """SUP-076: also Normal, which would not end an ordinary linked process."""
    log: list[str] = []
    started: list[Pid] = []

    async def parent() -> None:
        started.append((await Supervisor.start_link(workers(log, "ab"))).pid)
        raise ProcessExit(reason)

    spawn(parent)
    await settle()
    assert log[2:] == ["terminate b shutdown", "terminate a shutdown"]
    assert end_of(events, started[0]) == reason


async def test_it_ends_in_order_when_its_parent_crashes(node: Node, events: Recorder) -> None:
    """SUP-076."""
    log: list[str] = []

    async def parent() -> None:
        await Supervisor.start_link(workers(log, "ab"))
        raise ValueError("boom")

    spawn(parent)
    await settle()
    assert log[2:] == ["terminate b shutdown", "terminate a shutdown"]


async def test_strangers_exit_signals_are_nothing_to_it(node: Node) -> None:
    """SUP-077."""
    log: list[str] = []
    sup = await start_supervisor(workers(log, "a"))

    async def stranger() -> None:
        for reason in (Normal(), Shutdown(), "boom", Killed()):
            exit(sup, reason)

    for reason in (Normal(), Shutdown(), "boom", Killed()):
        exit(sup, reason)
    await wait_exit(spawn(stranger))
    await settle()
    assert is_alive(sup)
    assert log == ["init a"]


async def test_nor_is_one_that_comes_before_its_first_step(node: Node) -> None:
    """SUP-077."""
    log: list[str] = []
    spec = Supervisor.child_spec(workers(log, "a"))
    root = spawn_process(current_table(), spec.make_body(), label=spec.behaviour)
    exit(root.pid, "boom")
    await settle()
    assert is_alive(root.pid)
    assert log == ["init a"]


async def test_a_linked_stranger_that_crashes_is_nothing_to_it(node: Node) -> None:
    """SUP-077: a child's child, say, that linked itself to the supervisor."""
    log: list[str] = []
    sup = await start_supervisor(workers(log, "a"))

    async def stranger() -> None:
        link(sup)
        raise ProcessExit("boom")

    await wait_exit(spawn(stranger))
    await settle()
    assert is_alive(sup)
    assert log == ["init a"]


async def test_an_exit_signal_sent_by_a_living_child_is_not_its_end(node: Node) -> None:
    """SUP-077: a child is no parent either, and there is never a second one beside it."""
    spec = Scripted.child_spec().replace(id="a")
    sup = await start_supervisor([spec], strategy="one_for_all", max_restarts=0)
    first = await pid_of(sup, "a")
    ref(first).cast(Do(lambda _: exit(sup, "boom")))
    sup.send(Exit(first, "forged"))
    await settle()
    assert await pid_of(sup, "a") is first
    await sup.stop()
    assert not is_alive(first)


async def test_a_killed_supervisor_skips_the_order_but_not_its_childrens_last_words(
    node: Node, events: Recorder
) -> None:
    """SUP-078: its children end with Killed, told by their parent, and run terminate; also those
    that do not trap exits, which is where we differ from OTP.
    """
    log: list[str] = []
    sup = await start_supervisor(
        [worker(log, "a", trap=True), worker(log, "b"), *workers(log, "c")]
    )
    root, pids = sup.pid, [await pid_of(sup, tag) for tag in "abc"]
    drain(log)
    kill(sup)
    assert await wait_exit(root) == Killed()
    assert sorted(log) == [f"terminate {tag} killed" for tag in "abc"]
    assert [end_of(events, pid) for pid in pids] == [Killed()] * 3


async def test_the_children_of_a_killed_supervisor_have_their_budgets_at_the_same_time(
    node: Node,
) -> None:
    """SUP-078: within their budgets, but not one after the other."""
    log: list[str] = []
    slow = [
        worker(log, tag, nap=100, trap=trap).replace(shutdown=seconds)
        for tag, trap, seconds in [("a", True, 3), ("b", False, 5), ("c", False, 2)]
    ]
    sup = await start_supervisor(slow)
    root, pids = sup.pid, {tag: await pid_of(sup, tag) for tag in "abc"}
    began = trio.current_time()
    kill(sup)
    took: dict[str, float] = {}

    async def note(tag: str) -> None:
        await wait_exit(pids[tag])
        took[tag] = trio.current_time() - began

    async with trio.open_nursery() as nursery:
        for tag in pids:
            nursery.start_soon(note, tag)
        assert await wait_exit(root) == Killed()
    assert took == {"a": 3, "b": 5, "c": 2}
    assert trio.current_time() - began == 5


async def test_a_kill_during_the_orderly_shutdown_ends_the_order(
    node: Node, events: Recorder
) -> None:
    """What is left is then stopped at the same time, each within its budget."""
    log: list[str] = []
    specs = [worker(log, tag, nap=100).replace(shutdown=10) for tag in "abc"]
    sup = await start_supervisor(specs)
    root = sup.pid
    drain(log)
    began = trio.current_time()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_ends_with, lambda: sup.stop(), Killed())
        await trio.sleep(4)
        assert log == ["terminate c shutdown"]
        kill(root)
        assert await wait_exit(root) == Killed()
    assert sorted(log) == ["terminate a killed", "terminate b killed", "terminate c shutdown"]
    assert trio.current_time() - began == 14
    assert end_of(events, root) == Killed()


async def test_a_killed_nested_supervisor_is_restarted(node: Node, events: Recorder) -> None:
    """A kill of an inner one is a crash for the outer one."""
    log: list[str] = []
    inner = Supervisor.child_spec(workers(log, "ab")).replace(id="inner")
    sup = await start_supervisor([inner])
    first = await pid_of(sup, "inner")
    kill(first)
    await settle()
    assert sorted(log) == ["init a", "init a", "init b", "init b", *_killed("ab")]
    assert await pid_of(sup, "inner") is not first
    assert end_of(events, first) == Killed()


def _killed(tags: str) -> list[str]:
    return [f"terminate {tag} killed" for tag in tags]


@pytest.mark.parametrize("message", ["hello", 5, ("EXIT", "x")])
async def test_a_plain_message_is_told_and_ignored(
    node: Node, events: Recorder, message: object
) -> None:
    """SUP-079."""
    sup = await start_supervisor(workers([], "a"))
    send(sup, message)
    await settle()
    assert [one.message for one in events.of(MessageUnexpected)] == [repr(message)]
    assert await kids(sup) == "a=up"


async def test_a_supervisor_that_is_told_to_stop_in_a_slow_init_undoes_what_it_has(
    node: Node,
) -> None:
    """From its parent, while child c is starting."""
    log: list[str] = []

    async def begin() -> None:
        await trio.sleep(60)

    outer = await start_supervisor([])
    inner = Supervisor.child_spec([*workers(log, "ab"), worker(log, "c", begin=begin)])
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_ends_with, lambda: outer.start_child(inner), Shutdown())
        await trio.sleep(1)
        began = trio.current_time()
        nursery.start_soon(_stop_from_above, outer.pid)
    assert log[3:] == ["terminate b shutdown", "terminate a shutdown"]
    assert trio.current_time() == began


async def _stop_from_above(pid: Pid) -> None:
    """As the node does when it ends."""
    process = find_process(pid)
    assert process is not None
    await stop_process(process, current_table().owner, math.inf)


async def test_a_crash_before_the_stop_is_still_a_restart(node: Node) -> None:
    """The supervisor handles what it has, in order, then stops."""
    log: list[str] = []
    sup = await start_supervisor(workers(log, "a"))
    await crash(sup, "a")
    await sup.stop()
    assert log == ["init a", "terminate a boom", "init a", "terminate a shutdown"]


async def test_a_request_to_a_killed_supervisor_does_not_wait_for_its_children(
    node: Node,
) -> None:
    """One of them may be the one that asked, in its last words."""
    sup = await start_supervisor([worker([], "a", nap=3), worker([], "b", nap=3)])
    root = sup.pid
    began = trio.current_time()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_ends_with, lambda: sup.terminate_child("b"), Killed())
        await settle()
        nursery.start_soon(_ends_with, sup.which_children, Killed())
        await trio.sleep(1)
        kill(sup)
    assert trio.current_time() - began == 1
    assert await wait_exit(root) == Killed()
    assert trio.current_time() - began == 4
