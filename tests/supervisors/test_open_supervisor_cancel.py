"""The block is cancelled, at every moment: the shutdown is orderly, and Cancelled propagates."""

from __future__ import annotations

import pytest
import trio

from runtime import (
    Node,
    NoNode,
    Pid,
    ProcessCrashed,
    StartFailed,
    Stop,
    exit,
    kill,
    open_node,
    processes,
)
from runtime.current import node_is_open
from supervisors import Supervisor, open_supervisor
from tests.conftest import Recorder
from tests.supervisors.tree_parts import (
    begin_after,
    kids,
    pid_of,
    settle,
    start_supervisor,
    worker,
    workers,
)


async def test_cancelling_the_body_stops_the_tree_in_reverse_order() -> None:
    """Contract 6: each child within its budget, before anything propagates."""
    log: list[str] = []
    steps: list[str] = []
    began = trio.current_time()
    with trio.move_on_after(1) as patience:
        try:
            async with open_supervisor(
                [worker(log, "a", nap=2), worker(log, "b", nap=100).replace(shutdown=4)]
            ):
                await trio.sleep_forever()
        except trio.Cancelled:
            steps.append("cancelled")
            assert trio.current_time() - began == 7
            raise
    assert patience.cancelled_caught
    assert steps == ["cancelled"]
    assert log == ["init a", "init b", "terminate b shutdown", "terminate a shutdown", "rested a"]


async def test_a_cancelled_body_that_never_awaited_is_no_different() -> None:
    log: list[str] = []
    with trio.CancelScope() as scope:
        async with open_supervisor(workers(log, "ab")):
            scope.cancel()
    assert log[2:] == ["terminate b shutdown", "terminate a shutdown"]


async def test_a_block_entered_when_cancelled_starts_nothing() -> None:
    log: list[str] = []
    with trio.CancelScope() as scope:
        scope.cancel()
        async with open_supervisor(workers(log, "ab")):
            pytest.fail("the body ran")
    assert scope.cancelled_caught
    assert log == []
    assert not node_is_open()


@pytest.mark.parametrize("slow", ["a", "b", "c", "d"])
async def test_cancelling_in_a_slow_init_stops_what_was_started_before_it(slow: str) -> None:
    """During the start of each child in turn."""
    log: list[str] = []
    before = "abcd"[: "abcd".index(slow)]
    specs = [worker(log, tag, nap=1, begin=begin_after(60 if tag == slow else 0)) for tag in "abcd"]
    with trio.move_on_after(5) as patience:
        async with open_supervisor(specs):
            pytest.fail("the body ran")
    assert patience.cancelled_caught
    assert trio.current_time() == 5 + len(before)
    assert log == [
        *(f"init {tag}" for tag in before + slow),
        *(
            line
            for tag in reversed(before)
            for line in (f"terminate {tag} shutdown", f"rested {tag}")
        ),
    ]
    assert not node_is_open()


async def test_cancelling_in_a_shielded_init_waits_for_it_within_its_budget() -> None:
    """It is killed after its budget, and really gone before Cancelled goes on."""
    log: list[str] = []

    async def begin() -> None:
        try:
            with trio.CancelScope(shield=True):
                await trio.sleep(10)
        finally:
            log.append("gone")

    with trio.move_on_after(2) as patience:
        async with open_supervisor(
            [*workers(log, "a"), worker(log, "b", begin=begin).replace(shutdown=3)], instruments=[]
        ):
            pytest.fail("the body ran")
    assert patience.cancelled_caught
    assert trio.current_time() == 10
    assert log == ["init a", "init b", "gone", "terminate a shutdown"]


async def test_cancelling_in_the_init_of_a_nested_supervisors_child() -> None:
    log: list[str] = []
    inner = Supervisor.child_spec([worker(log, "b"), worker(log, "c", begin=begin_after(60))])
    with trio.move_on_after(2) as patience:
        async with open_supervisor([worker(log, "a"), inner, worker(log, "d")]):
            pytest.fail("the body ran")
    assert patience.cancelled_caught
    assert log[3:] == ["terminate b shutdown", "terminate a shutdown"]


async def test_cancelling_while_the_block_stops_does_not_hurry_it() -> None:
    log: list[str] = []
    with trio.move_on_after(3) as patience:
        async with open_supervisor([worker(log, tag, nap=4) for tag in "ab"]):
            await trio.sleep(1)
    assert trio.current_time() == 9
    assert log[2:] == ["terminate b shutdown", "rested b", "terminate a shutdown", "rested a"]
    assert patience.cancel_called


async def test_a_cancellation_that_comes_while_the_block_stops_is_delivered_after_it() -> None:
    steps: list[str] = []
    with trio.move_on_after(3) as patience:
        async with open_supervisor([worker([], "a", nap=4)]):
            pass
        steps.append("after")
        await trio.lowlevel.checkpoint()
        steps.append("too far")
    assert patience.cancelled_caught
    assert steps == ["after"]


async def test_an_error_of_the_body_survives_a_cancellation_while_the_block_stops() -> None:
    """The body's exception goes first, unwrapped."""
    error = ValueError("mine")
    with trio.CancelScope(deadline=trio.current_time() + 3):
        with pytest.raises(ValueError, match="mine") as caught:
            async with open_supervisor([worker([], "a", nap=4)]):
                raise error
        assert caught.value is error
    assert trio.current_time() == 4


async def test_cancelling_in_the_tick_in_which_the_start_is_done_is_a_shutdown() -> None:
    """The last child cancels the block on its way up."""
    log: list[str] = []
    with trio.CancelScope() as scope:
        async with open_supervisor([*workers(log, "a"), worker(log, "b", begin=scope.cancel)]):
            await trio.sleep_forever()
    assert scope.cancelled_caught
    assert log == ["init a", "init b", "terminate b shutdown", "terminate a shutdown"]


@pytest.mark.parametrize("ticks", range(12))
async def test_cancelling_after_any_number_of_steps_leaves_nothing(ticks: int) -> None:
    """During every step of the start, the body, and the end."""
    log: list[str] = []
    scope = trio.CancelScope()

    async def canceller() -> None:
        for _ in range(ticks):
            await trio.lowlevel.checkpoint()
        scope.cancel()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(canceller)
        with scope:
            async with open_supervisor(workers(log, "abc"), instruments=[]) as sup:
                assert await kids(sup) == "c=up b=up a=up"
                await trio.sleep_forever()
    assert not node_is_open()
    started = [line.split()[1] for line in log if line.startswith("init")]
    ended = [line.split()[1] for line in log if line.startswith("terminate")]
    assert ended == sorted(ended, reverse=True)
    assert set(started) - set(ended) <= set(started[-1:])


async def test_an_outer_nursery_that_is_cancelled_by_a_sibling_waits_for_the_tree() -> None:
    log: list[str] = []
    error = ValueError("sibling")

    async def sibling() -> None:
        await trio.sleep(1)
        raise error

    with pytest.raises(ExceptionGroup) as caught:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(sibling)
            async with open_supervisor([worker(log, "a", nap=2)]):
                await trio.sleep_forever()
    assert caught.value.exceptions == (error,)
    assert trio.current_time() == 3
    assert log[-1] == "rested a"


async def test_a_start_that_fails_in_the_tick_in_which_it_is_cancelled_is_cancelled() -> None:
    with trio.CancelScope() as scope:

        def begin() -> Stop:
            scope.cancel()
            return Stop("no luck")

        async with open_supervisor([worker([], "a", begin=begin)]):
            pytest.fail("the body ran")
    assert scope.cancelled_caught
    assert not node_is_open()


async def test_killing_the_root_while_it_is_starting_fails_the_start(node: Node) -> None:
    log: list[str] = []

    async def killer() -> None:
        await trio.sleep(1)
        kill(processes()[0])

    async with trio.open_nursery() as nursery:
        nursery.start_soon(killer)
        with pytest.raises(StartFailed, match="Killed"):
            async with open_supervisor(
                [*workers(log, "a"), worker(log, "b", begin=begin_after(9))]
            ):
                pytest.fail("the body ran")
    assert log == ["init a", "init b", "terminate a killed"]


async def test_a_pid_of_a_closed_tree_leads_nowhere() -> None:
    pids: list[Pid] = []
    async with open_supervisor(workers([], "a")) as sup:
        pids.append(await pid_of(sup, "a"))
    with pytest.raises(NoNode):
        exit(pids[0], "late")


async def test_a_tree_inside_a_supervised_function_ends_before_the_function_does() -> None:
    """A block in a process: stopping the process is cancelling the block."""
    log: list[str] = []

    async def work() -> None:
        async with open_supervisor([worker(log, tag, nap=1) for tag in "ab"]):
            await trio.sleep_forever()

    async with open_supervisor([worker(log, "outer"), work]):
        await settle()
    assert log == [
        "init outer",
        "init a",
        "init b",
        "terminate b shutdown",
        "rested b",
        "terminate a shutdown",
        "rested a",
        "terminate outer shutdown",
    ]


async def test_a_tree_inside_a_function_that_is_killed_is_stopped_before_the_next_begins() -> None:
    """The function is not dead before its block is left, so two inner trees never overlap."""
    log: list[str] = []

    async def work() -> None:
        async with open_supervisor([worker(log, "a", nap=1)], name="inner"):
            await trio.sleep_forever()

    async with open_supervisor([work], instruments=[]) as sup:
        await settle()
        kill(await pid_of(sup, "work"))
        await trio.sleep(2)
        assert log == ["init a", "terminate a shutdown", "rested a", "init a"]


async def test_cancelling_one_of_two_trees_leaves_the_other(node: Node) -> None:
    log: list[str] = []
    other = await start_supervisor(workers(log, "x"))
    with trio.move_on_after(1):
        async with open_supervisor(workers(log, "a")):
            await trio.sleep_forever()
    assert log == ["init x", "init a", "terminate a shutdown"]
    assert await kids(other) == "x=up"


async def test_closing_the_node_is_no_crash_of_a_function_that_has_a_tree_inside(
    events: Recorder,
) -> None:
    """The inner tree is asked to end by the end of its function, not before and behind it."""
    log: list[str] = []

    async def work() -> None:
        async with open_supervisor([worker(log, "a", nap=1)]):
            await trio.sleep_forever()

    async with open_node(instruments=[events.instrument]):
        await start_supervisor([worker(log, "outer"), work])
        await settle()
    assert log[2:] == ["terminate a shutdown", "rested a", "terminate outer shutdown"]
    assert events.of(ProcessCrashed) == []
