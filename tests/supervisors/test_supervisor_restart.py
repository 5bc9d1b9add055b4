"""Which children are restarted, and with whom: strategies and restart types."""

from __future__ import annotations

from typing import Any

import pytest
import trio

from runtime import (
    CallExit,
    ChildEnded,
    ExitReason,
    Killed,
    Node,
    Normal,
    ProcessExit,
    Shutdown,
    is_alive,
    kill,
    named,
    ref,
    self_,
    whereis,
)
from tests.conftest import Recorder
from tests.supervisors.tree_parts import (
    End,
    Ping,
    crash,
    drain,
    end,
    kids,
    pid_of,
    settle,
    start_supervisor,
    worker,
    workers,
)
from tests.support import Ask, Do, Note, Scripted

ENDS: list[ExitReason] = [Normal(), Shutdown(), Shutdown("x"), "boom", Killed()]


async def test_one_for_one_restarts_only_what_crashed_in_its_old_place(node: Node) -> None:
    """SUP-020."""
    log: list[str] = []
    sup = await start_supervisor(workers(log, "abc"))
    before = {tag: await pid_of(sup, tag) for tag in "abc"}
    drain(log)
    await crash(sup, "b")
    assert drain(log) == ["terminate b boom", "init b"]
    after = {tag: await pid_of(sup, tag) for tag in "abc"}
    assert (after["a"], after["c"]) == (before["a"], before["c"])
    assert after["b"] is not before["b"]
    assert not is_alive(before["b"])
    assert await kids(sup) == "c=up b=up a=up"


async def test_one_for_all_stops_the_others_in_reverse_then_starts_all_in_order(
    node: Node,
) -> None:
    """SUP-021."""
    log: list[str] = []
    sup = await start_supervisor(workers(log, "abc"), strategy="one_for_all")
    drain(log)
    await crash(sup, "b")
    assert drain(log) == [
        "terminate b boom",
        "terminate c shutdown",
        "terminate a shutdown",
        "init a",
        "init b",
        "init c",
    ]


@pytest.mark.parametrize(
    ("victim", "expected"),
    [
        (
            "b",
            ["terminate b boom", "terminate c shutdown", "init b", "init c"],
        ),
        ("c", ["terminate c boom", "init c"]),
        (
            "a",
            [
                "terminate a boom",
                "terminate c shutdown",
                "terminate b shutdown",
                "init a",
                "init b",
                "init c",
            ],
        ),
    ],
)
async def test_rest_for_one_restarts_what_ended_and_what_was_started_after_it(
    node: Node, victim: str, expected: list[str]
) -> None:
    """SUP-022, SUP-023."""
    log: list[str] = []
    sup = await start_supervisor(workers(log, "abc"), strategy="rest_for_one")
    drain(log)
    await crash(sup, victim)
    assert drain(log) == expected
    assert await kids(sup) == "c=up b=up a=up"


@pytest.mark.parametrize("strategy", ["one_for_all", "rest_for_one"])
async def test_a_child_added_later_counts_as_the_last(node: Node, strategy: str) -> None:
    """SUP-004: in restart groups and when the supervisor stops."""
    log: list[str] = []
    sup = await start_supervisor(workers(log, "ab"), strategy=strategy)
    await sup.start_child(worker(log, "c"))
    drain(log)
    await crash(sup, "a")
    assert drain(log) == [
        "terminate a boom",
        "terminate c shutdown",
        "terminate b shutdown",
        "init a",
        "init b",
        "init c",
    ]
    await sup.stop()
    assert drain(log) == ["terminate c shutdown", "terminate b shutdown", "terminate a shutdown"]


@pytest.mark.parametrize("reason", ENDS)
async def test_a_permanent_child_is_restarted_whatever_it_ended_with(
    node: Node, events: Recorder, reason: ExitReason
) -> None:
    """SUP-024: and each end counts."""
    log: list[str] = []
    sup = await start_supervisor(workers(log, "a"), max_restarts=1)
    first = await pid_of(sup, "a")
    await end(sup, "a", reason)
    second = await pid_of(sup, "a")
    assert second is not first
    await end(sup, "a", reason)
    assert not is_alive(sup)
    assert [(one.restarts, one.reason) for one in events.of(ChildEnded)] == [
        (1, reason),
        (2, reason),
    ]


@pytest.mark.parametrize("reason", ENDS)
async def test_a_transient_child_is_restarted_only_after_an_abnormal_end(
    node: Node, reason: ExitReason
) -> None:
    """SUP-025, SUP-026: else its spec stays, without a process, and nothing was counted."""
    log: list[str] = []
    spec = worker(log, "a").replace(restart="transient")
    sup = await start_supervisor([spec], max_restarts=1)
    clean = isinstance(reason, Normal | Shutdown)
    await end(sup, "a", reason)
    assert await kids(sup) == ("a=undefined" if clean else "a=up")
    if clean:
        await sup.restart_child("a")
    await crash(sup, "a")
    assert is_alive(sup) is clean


@pytest.mark.parametrize("strategy", ["one_for_one", "one_for_all", "rest_for_one"])
@pytest.mark.parametrize("reason", ENDS)
async def test_a_temporary_child_is_never_restarted_and_its_spec_is_removed(
    node: Node, strategy: str, reason: ExitReason
) -> None:
    """SUP-027: its siblings are not touched, whatever the strategy."""
    log: list[str] = []
    sup = await start_supervisor(
        [worker(log, "a"), worker(log, "t").replace(restart="temporary"), worker(log, "b")],
        strategy=strategy,
        max_restarts=0,
    )
    drain(log)
    await end(sup, "t", reason)
    assert len(drain(log)) == 1
    assert await kids(sup) == "b=up a=up"


async def test_a_named_child_has_its_name_again_after_each_restart(node: Node) -> None:
    """PROC: a name is free before anybody hears of the death, so the successor can take it."""
    log: list[str] = []
    spec = worker(log, "a").replace(name="clerk", id="a")
    sup = await start_supervisor([spec], max_restarts=100)
    for _ in range(30):
        before = whereis("clerk")
        assert before is not None
        kill(before)
        await settle()
        assert whereis("clerk") is await pid_of(sup, "a") is not before
        assert await named("clerk").call(Ping()) == "a"
    assert log == ["init a"] * 31


async def test_no_group_member_is_started_before_all_of_them_are_down(node: Node) -> None:
    """Trap: members that take their time to stop are waited for, one after the other."""
    log: list[str] = []
    sup = await start_supervisor(
        [worker(log, "a", nap=2), worker(log, "b"), worker(log, "c", nap=3)],
        strategy="one_for_all",
    )
    drain(log)
    began = trio.current_time()
    await crash(sup, "b")
    await trio.sleep(10)
    assert drain(log) == [
        "terminate b boom",
        "terminate c shutdown",
        "rested c",
        "terminate a shutdown",
        "rested a",
        "init a",
        "init b",
        "init c",
    ]
    assert await sup.which_children()
    assert trio.current_time() == began + 10


async def test_a_group_members_budget_holds_in_a_restart_too(node: Node) -> None:
    """Too slow is killed, and only then the group is started."""
    log: list[str] = []
    times: list[float] = []
    slow = worker(log, "slow", nap=100).replace(shutdown=7)
    noted = worker(log, "a", begin=lambda: times.append(trio.current_time()))
    sup = await start_supervisor([noted, slow], strategy="one_for_all")
    await crash(sup, "a")
    await trio.sleep(20)
    assert times[1] - times[0] == 7
    assert drain(log)[2:] == ["terminate a boom", "terminate slow shutdown", "init a", "init slow"]


async def test_what_the_supervisor_does_about_an_end_is_told(node: Node, events: Recorder) -> None:
    """The supervisor report: which child, why, how many restarts, and what follows."""
    log: list[str] = []
    specs: list[Any] = [
        worker(log, "p"),
        worker(log, "t").replace(restart="temporary"),
        worker(log, "last"),
    ]
    sup = await start_supervisor(specs, strategy="rest_for_one", max_restarts=1)
    root, first = sup.pid, await pid_of(sup, "p")
    await crash(sup, "t")
    await crash(sup, "p")
    await crash(sup, "p")
    told = events.of(ChildEnded)
    assert [(one.child_id, one.restarts, one.max_restarts, one.action) for one in told] == [
        ("t", 0, 1, "leave it stopped"),
        ("p", 1, 1, "restart p, last"),
        ("p", 2, 1, "give up"),
    ]
    assert told[1].pid is first
    assert {one.supervisor for one in told} == {root}
    assert {one.reason for one in told} == {"boom"}


async def test_a_child_that_ends_in_the_step_in_which_it_is_up_is_restarted(node: Node) -> None:
    """Its end and its start reach the supervisor together."""
    log: list[str] = []

    def begin() -> None:
        if len(log) == 1:
            ref(self_()).cast(End("boom"))

    sup = await start_supervisor([worker(log, "a", begin=begin)])
    await settle()
    assert log == ["init a", "terminate a boom", "init a"]
    assert await kids(sup) == "a=up"


async def test_what_its_predecessor_left_unhandled_never_reaches_a_restarted_child(
    node: Node,
) -> None:
    """Nothing is sent again: not what was queued, nor what it ended by; its callers hear of it."""
    log: list[Any] = []
    sup = await start_supervisor([Scripted.child_spec(log).replace(name="server", id="s")])
    server, first = named("server"), await pid_of(sup, "s")
    exits: list[object] = []

    async def leave(_server: object) -> None:
        log.append("asked to leave")
        await trio.sleep(1)
        raise ProcessExit("boom")

    async def client() -> None:
        with pytest.raises(CallExit) as caught:
            await server.call(Ask(lambda _server, _reply_to: log.append("call")))
        exits.append(caught.value.reason)

    async with trio.open_nursery() as nursery:
        server.cast(Do(leave))
        server.cast(Do(lambda _server: log.append("cast")))
        server.send(Note(text="info"))
        nursery.start_soon(client)
    await trio.sleep(10)
    assert await pid_of(sup, "s") is not first
    assert exits == ["boom"]
    assert log == ["asked to leave", ("terminate", "boom")]
    assert await server.call(Ask(lambda _server, _reply_to: "the new one")) == "the new one"
