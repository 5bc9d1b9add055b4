"""The tree cannot go on: SupervisorGaveUp, from the last crash, with its history."""

from __future__ import annotations

from typing import Any

import pytest
import trio
from trio._core import _run as trio_run

from runtime import Crashed, ExitReason, Killed, Node, Shutdown, kill, named, processes
from runtime.current import node_is_open
from supervisors import GaveUp, Supervisor, SupervisorGaveUp, open_supervisor
from tests.supervisors.tree_parts import End, Fail, crash, settle, worker, workers


async def test_the_body_is_cancelled_and_the_last_crash_is_the_cause() -> None:
    log: list[str] = []
    error = ValueError("boom")
    with pytest.raises(SupervisorGaveUp) as caught:
        async with open_supervisor(
            [*workers(log, "a"), worker(log, "b").replace(name="b")],
            max_restarts=1,
            name="shop",
            instruments=[],
        ):
            for one in (KeyError("first"), error):
                named("b").cast(Fail(one))
                await settle()
            pytest.fail("the body went on")
    gave_up = caught.value
    assert gave_up.__cause__ is error
    assert isinstance(gave_up.reason, Shutdown)
    assert isinstance(gave_up.reason.detail, GaveUp)
    assert gave_up.history == (
        "+0.000 s  child 'b': crashed: KeyError('first')",
        "+0.000 s  child 'b': crashed: ValueError('boom')",
    )
    assert str(gave_up).startswith("shop ran out of restarts:\n  +0.000 s  child 'b': crashed")
    assert log[-1] == "terminate a shutdown"


async def test_without_a_crash_there_is_no_cause() -> None:
    with pytest.raises(SupervisorGaveUp) as caught:
        async with open_supervisor(workers([], "a"), max_restarts=0, instruments=[]) as sup:
            await crash(sup, "a")
            await trio.sleep_forever()
    assert caught.value.__cause__ is None
    assert caught.value.history == ("+0.000 s  child 'a': 'boom'",)


async def test_the_crash_may_be_deep_below() -> None:
    """Also from a nested supervisor, with the history of every level."""
    error = ValueError("deep")
    spec = worker([], "a").replace(name="a")
    for level in range(3):
        spec = Supervisor.child_spec([spec], max_restarts=0).replace(id=level)
    with pytest.raises(SupervisorGaveUp) as caught:
        async with open_supervisor([spec], max_restarts=0, instruments=[]):
            named("a").cast(Fail(error))
            await trio.sleep_forever()
    assert caught.value.__cause__ is error
    assert [line.strip() for line in caught.value.history] == [
        "+0.000 s  child 2: gave up restarting",
        "+0.000 s  child 1: gave up restarting",
        "+0.000 s  child 0: gave up restarting",
        "+0.000 s  child 'a': crashed: ValueError('deep')",
    ]


async def test_a_body_that_raises_because_of_it_wins_and_carries_a_note() -> None:
    error = RuntimeError("mine")
    with pytest.raises(RuntimeError, match="mine") as caught:
        async with open_supervisor(workers([], "a"), max_restarts=0, instruments=[]) as sup:
            try:
                await crash(sup, "a")
                await trio.sleep_forever()
            finally:
                raise error
    assert caught.value is error
    (note,) = error.__notes__
    assert note.startswith("meanwhile: Supervisor ran out of restarts:")
    assert "child 'a': 'boom'" in note


async def test_a_body_that_raises_while_the_tree_gives_up_wins_and_carries_a_note() -> None:
    """The tree has decided and is stopping its children, slowly."""
    error = RuntimeError("mine")
    log: list[str] = []
    with pytest.raises(RuntimeError, match="mine") as caught:
        async with open_supervisor(
            [worker(log, "slow", nap=3), *workers(log, "a")], max_restarts=0, instruments=[]
        ) as sup:
            await crash(sup, "a")
            await trio.sleep(1)
            raise error
    assert caught.value is error
    assert "meanwhile: Supervisor ran out of restarts:" in error.__notes__[0]
    assert log[-1] == "rested slow"


async def test_a_body_that_is_over_while_the_tree_gives_up_hears_of_it() -> None:
    log: list[str] = []
    error = ValueError("boom")
    with pytest.raises(SupervisorGaveUp) as caught:
        async with open_supervisor(
            [worker(log, "slow", nap=3), worker(log, "a").replace(name="a")],
            max_restarts=0,
            instruments=[],
        ):
            named("a").cast(Fail(error))
            await trio.sleep(1)
    assert caught.value.__cause__ is error
    assert log[-1] == "rested slow"


async def test_a_cancelled_block_stays_cancelled_with_a_note_on_nobody() -> None:
    """The outer cancellation is the body's own end; it goes first and is not turned into one."""
    log: list[str] = []
    with trio.move_on_after(1) as patience:
        async with open_supervisor(
            [worker(log, "slow", nap=3), *workers(log, "a")], max_restarts=0, instruments=[]
        ) as sup:
            await crash(sup, "a")
            await trio.sleep_forever()
    assert patience.cancelled_caught
    assert log[-1] == "rested slow"


@pytest.mark.parametrize(
    ("reason", "cause"), [("custom", False), (Killed(), False), (Crashed(ValueError("x")), True)]
)
async def test_a_root_that_ends_otherwise_than_by_request_is_told_too(
    reason: ExitReason, cause: bool
) -> None:
    """SUP-073: stopped with a reason that is not clean; or killed."""
    with pytest.raises(SupervisorGaveUp, match="Supervisor ended: ") as caught:
        async with open_supervisor(workers([], "a"), instruments=[]) as sup:
            if reason == Killed():
                kill(sup)
                await trio.sleep_forever()
            await sup.stop(reason)
            await trio.sleep_forever()
    assert caught.value.reason == reason
    assert caught.value.history == ()
    assert (caught.value.__cause__ is not None) is cause


async def test_giving_up_in_a_nested_block_is_an_error_of_that_block(node: Node) -> None:
    """The outer tree goes on."""
    log: list[str] = []
    async with open_supervisor(workers(log, "a")):
        with pytest.raises(SupervisorGaveUp):
            async with open_supervisor(workers(log, "b"), max_restarts=0) as inner:
                await crash(inner, "b")
                await trio.sleep_forever()
        assert len(processes()) == 2
    assert log[-1] == "terminate a shutdown"


async def test_what_cannot_be_started_again_says_why() -> None:
    """The last failure is that of an init."""
    attempts: list[int] = []
    error = ValueError("no database")

    def begin() -> Any:
        attempts.append(1)
        if len(attempts) > 1:
            raise error

    with pytest.raises(SupervisorGaveUp) as caught:
        async with open_supervisor([worker([], "a", begin=begin)], instruments=[]) as sup:
            await crash(sup, "a")
            await trio.sleep_forever()
    assert caught.value.__cause__ is error
    assert len(caught.value.history) == 4


async def test_a_permanent_root_below_that_fails_to_start_again_gives_its_exception() -> None:
    """FailedToStartChild, one level down, is looked into."""
    attempts: list[int] = []
    error = ValueError("no database")

    def begin() -> Any:
        attempts.append(1)
        if len(attempts) > 1:
            raise error

    inner = Supervisor.child_spec([worker([], "a", begin=begin).replace(name="a")], max_restarts=0)
    with pytest.raises(SupervisorGaveUp) as caught:
        async with open_supervisor([inner], max_restarts=1, instruments=[]):
            named("a").cast(End("boom"))
            await trio.sleep_forever()
    assert caught.value.__cause__ is error


async def test_a_tree_whose_node_was_closed_under_it_is_told_so() -> None:
    """Side by side, the one that was first has opened the node, and closes it when it leaves."""
    log: list[str] = []

    async def first() -> None:
        async with open_supervisor(workers(log, "a"), instruments=[]):
            await trio.sleep(1)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(first)
        await settle()
        with pytest.raises(SupervisorGaveUp, match="shop ended with the node, which was closed"):
            async with open_supervisor(workers(log, "b"), name="shop"):
                await trio.sleep(10)
    assert trio.current_time() == 1
    assert sorted(log) == ["init a", "init b", "terminate a shutdown", "terminate b shutdown"]


@pytest.mark.parametrize("seed", range(6))
async def test_two_trees_that_start_in_the_same_tick_share_one_node(seed: int) -> None:
    """Whichever is first opens it; the other waits until it is open, and joins. Both leave in
    the same tick, so the one that joined may see the node closed under it.
    """
    trio_run._r.seed(seed)
    seen: list[int] = []
    ended: list[str] = []

    async def tree(name: str) -> None:
        try:
            async with open_supervisor(workers([], "a"), name=name, instruments=[]):
                await trio.sleep(1)
                seen.append(len(processes()))
                await trio.sleep(1)
            ended.append("quietly")
        except SupervisorGaveUp as exc:
            ended.append(str(exc).partition(" ended ")[2])

    async with trio.open_nursery() as nursery:
        nursery.start_soon(tree, "one")
        nursery.start_soon(tree, "two")
    assert seen == [4, 4]
    assert sorted(ended) in (["quietly", "quietly"], ["quietly", "with the node, which was closed"])


@pytest.mark.parametrize("seed", range(6))
async def test_a_tree_that_waits_for_anothers_node_can_be_cancelled(seed: int) -> None:
    trio_run._r.seed(seed)
    log: list[str] = []

    async def tree(tag: str, scope: trio.CancelScope) -> None:
        with scope:
            async with open_supervisor(workers(log, tag), instruments=[]):
                await trio.sleep_forever()

    scopes = [trio.CancelScope(), trio.CancelScope()]
    async with trio.open_nursery() as nursery:
        for tag, scope in zip("ab", scopes, strict=True):
            nursery.start_soon(tree, tag, scope)
        await trio.lowlevel.checkpoint()
        for scope in scopes:
            scope.cancel()
    assert all(scope.cancelled_caught for scope in scopes)
    assert not node_is_open()
    assert sorted(line for line in log if line.startswith("init")) == sorted(
        line.replace("terminate", "init").removesuffix(" shutdown")
        for line in log
        if line.startswith("terminate")
    )


async def test_a_group_of_the_body_that_loses_its_cancellations_carries_the_note_too() -> None:
    """Giving up cancels the body's nursery; one of its tasks raises at that."""
    error = ValueError("clean-up failed")

    async def tidy() -> None:
        try:
            await trio.sleep_forever()
        finally:
            raise error

    with pytest.raises(ExceptionGroup) as caught:
        async with open_supervisor(workers([], "a"), max_restarts=0, instruments=[]) as sup:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(tidy)
                await settle()
                await crash(sup, "a")
                await trio.sleep_forever()
    assert caught.value.exceptions == (error,)
    assert "meanwhile: Supervisor ran out of restarts:" in caught.value.__notes__[0]
