"""A tree for the length of a block: its options, its body, and what leaves it."""

from __future__ import annotations

from typing import Any

import pytest
import trio

from runtime import (
    AlreadyStarted,
    ChildEnded,
    Crashed,
    Instrument,
    Node,
    NoNode,
    NoProcess,
    Normal,
    ProcessEnded,
    Shutdown,
    StartFailed,
    named,
    open_node,
    processes,
    start,
    wait_exit,
    whereis,
)
from supervisors import (
    Backoff,
    FailedToStartChild,
    SupervisorRef,
    open_supervisor,
)
from tests.conftest import Recorder
from tests.supervisors.tree_parts import (
    End,
    Fail,
    Ping,
    crash,
    end,
    kids,
    settle,
    worker,
    workers,
)


async def test_the_block_has_a_handle_of_the_running_tree() -> None:
    log: list[str] = []
    async with open_supervisor(workers(log, "ab")) as sup:
        assert isinstance(sup, SupervisorRef)
        assert await kids(sup) == "b=up a=up"
    assert log[2:] == ["terminate b shutdown", "terminate a shutdown"]


async def test_leaving_the_block_takes_as_long_as_the_children_and_their_budgets() -> None:
    log: list[str] = []
    slow = [
        worker(log, tag, nap=100).replace(shutdown=seconds)
        for tag, seconds in zip("ab", (1, 2), strict=True)
    ]
    async with open_supervisor(slow):
        began = trio.current_time()
    assert trio.current_time() - began == 3


async def test_nothing_is_left_when_the_block_is_over() -> None:
    async with open_supervisor(workers([], "ab"), name="shop"):
        assert len(processes()) == 3
    with pytest.raises(NoNode):
        processes()
    with pytest.raises(NoNode):
        named("shop").whereis()


async def test_the_root_has_the_name_it_was_given() -> None:
    async with open_supervisor(workers([], "a"), name="shop") as sup:
        assert whereis("shop") is sup.pid
        assert await kids(SupervisorRef(named("shop"))) == "a=up"


async def test_a_supervisor_can_be_used_again_and_again_in_one_run() -> None:
    for _ in range(3):
        async with open_supervisor(workers([], "a"), name="shop"):
            pass


async def test_the_options_reach_the_root() -> None:
    log: list[str] = []
    async with open_supervisor(
        workers(log, "ab"),
        strategy="one_for_all",
        max_restarts=1,
        max_seconds=0.5,
        auto_shutdown="any_significant",
        backoff=Backoff(1.0, 1.0, jitter=0.0),
    ) as sup:
        for _ in range(2):
            await crash(sup, "a")
            assert log[-1] == "terminate b shutdown"
            await trio.sleep(1.5)
            assert await kids(sup) == "b=up a=up"
        await sup.start_child(
            worker(log, "s").replace(restart="transient", significant=True, name="s")
        )
        named("s").cast(End(Normal()))
        await trio.sleep_forever()
    assert log[-1] == "terminate a shutdown"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"strategy": "one"}, "strategy: got 'one', allowed are"),
        ({"max_restarts": -1}, "max_restarts: got -1, allowed"),
        ({"max_seconds": 0}, "max_seconds: got 0, allowed"),
        ({"auto_shutdown": True}, "auto_shutdown: got True, allowed are"),
        ({"backoff": 1}, "backoff: got 1, allowed are"),
        ({"name": ""}, "name: got '', allowed is a non-empty string"),
        ({"name": 5}, "name: got 5, allowed is a non-empty string"),
    ],
)
def test_a_wrong_option_is_refused_before_anything_runs(
    options: dict[str, Any], message: str
) -> None:
    """Contract 9, SUP-013: when open_supervisor is called, not when the block is entered."""
    with pytest.raises((ValueError, TypeError), match=message):
        open_supervisor([], **options)


@pytest.mark.parametrize("children", [5, "ab", None, worker([], "a")])
def test_wrong_children_are_refused_before_anything_runs(children: Any) -> None:
    with pytest.raises(TypeError, match="children: got"):
        open_supervisor(children)


async def test_a_childs_failure_is_the_starts() -> None:
    """What ran is stopped in order; the child's exception is the cause."""
    log: list[str] = []
    error = ValueError("no luck")

    def fail() -> None:
        raise error

    with pytest.raises(StartFailed) as caught:
        async with open_supervisor([*workers(log, "ab"), worker(log, "c", begin=fail)]):
            pytest.fail("the body ran")
    assert caught.value.__cause__ is error
    assert caught.value.reason == Shutdown(FailedToStartChild("c", Crashed(error)))
    assert caught.value.__notes__ == ["child 'c' failed to start"]
    assert log == ["init a", "init b", "init c", "terminate b shutdown", "terminate a shutdown"]
    with pytest.raises(NoNode):
        processes()


async def test_a_root_whose_name_is_taken_is_refused(node: Node) -> None:
    holder = await start(worker([], "x").replace(name="shop"))
    with pytest.raises(AlreadyStarted) as caught:
        async with open_supervisor([], name="shop"):
            pytest.fail("the body ran")
    assert caught.value.pid is holder.pid


async def test_an_exception_of_the_body_leaves_as_itself() -> None:
    """Contract 6: unwrapped, the same object, after the orderly shutdown."""
    log: list[str] = []
    error = ValueError("mine")
    with pytest.raises(ValueError, match="mine") as caught:
        async with open_supervisor(workers(log, "ab")):
            raise error
    assert caught.value is error
    assert (error.__cause__, error.__context__) == (None, None)
    assert not hasattr(error, "__notes__")
    assert log[2:] == ["terminate b shutdown", "terminate a shutdown"]


async def test_an_exception_group_of_the_body_leaves_as_itself() -> None:
    group = ExceptionGroup("mine", [ValueError("a"), ValueError("b")])
    with pytest.raises(ExceptionGroup) as caught:
        async with open_supervisor(workers([], "a")):
            raise group
    assert caught.value is group


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(3), GeneratorExit()])
async def test_a_base_exception_of_the_body_leaves_as_itself(error: BaseException) -> None:
    log: list[str] = []
    with pytest.raises(type(error)) as caught:
        async with open_supervisor(workers(log, "ab")):
            raise error
    assert caught.value is error
    assert log[2:] == ["terminate b shutdown", "terminate a shutdown"]


async def test_an_error_in_the_body_while_another_is_handled_keeps_its_context() -> None:
    with pytest.raises(ValueError, match="second") as caught:
        async with open_supervisor([]):
            try:
                raise KeyError("first")
            except KeyError:
                raise ValueError("second")  # noqa: B904  the context is what is tested
    assert isinstance(caught.value.__context__, KeyError)


async def test_a_return_out_of_the_block_waits_for_the_shutdown() -> None:
    log: list[str] = []

    async def body() -> int:
        async with open_supervisor([worker(log, "a", nap=1)]):
            return 5

    assert await body() == 5
    assert log[-1] == "rested a"


async def test_a_nested_one_joins_the_node_that_is_open() -> None:
    """Contract 6: open_node is implied by the outermost; names are shared; the inner tree ends
    with its block.
    """
    log: list[str] = []
    async with open_supervisor(workers(log, "a"), name="outer"):
        async with open_supervisor([worker(log, "b").replace(name="b")], name="inner"):
            assert whereis("outer") is not None
            assert await named("b").call(Ping()) == "b"
        assert log == ["init a", "init b", "terminate b shutdown"]
        assert whereis("inner") is None
        assert whereis("outer") is not None
    assert log[-1] == "terminate a shutdown"


async def test_one_in_a_node_leaves_the_node_open(node: Node) -> None:
    async with open_supervisor(workers([], "a")):
        pass
    assert processes() == []
    await start(worker([], "x"))


async def test_two_side_by_side_in_one_node_do_not_disturb_each_other(node: Node) -> None:
    log: list[str] = []

    async def tree(tag: str, seconds: float) -> None:
        async with open_supervisor([worker(log, tag)]):
            await trio.sleep(seconds)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(tree, "a", 1)
        nursery.start_soon(tree, "b", 2)
        await trio.sleep(1.5)
        assert sorted(log) == ["init a", "init b", "terminate a shutdown"]


async def test_the_outermost_takes_the_instruments_of_the_node() -> None:
    events = Recorder()
    instrument = Instrument(events.append, (ProcessEnded, ChildEnded))
    async with open_supervisor(workers([], "a"), instruments=[instrument]) as sup:
        await crash(sup, "a")
    assert [type(one).__name__ for one in events] == [
        "ProcessEnded",
        "ChildEnded",
        "ProcessEnded",
        "ProcessEnded",
    ]


async def test_a_root_that_ends_because_its_work_is_done_leaves_the_block_quietly() -> None:
    """auto_shutdown: the body is cancelled and nothing is raised."""
    log: list[str] = []
    spec = worker(log, "s").replace(restart="transient", significant=True, name="s")
    reached = False
    async with open_supervisor([*workers(log, "a"), spec], auto_shutdown="any_significant"):
        named("s").cast(End(Normal()))
        await trio.sleep_forever()
        reached = True
    assert not reached
    assert log[2:] == ["terminate s normal", "terminate a shutdown"]


async def test_a_root_that_is_stopped_leaves_the_block_quietly() -> None:
    async with open_supervisor(workers([], "a")) as sup:
        await sup.stop()
        await trio.sleep_forever()


async def test_a_body_that_stopped_the_root_and_goes_on_is_cancelled_at_its_next_checkpoint() -> (
    None
):
    steps: list[str] = []
    async with open_supervisor([]) as sup:
        with trio.CancelScope(shield=True):
            await sup.stop()
            await trio.sleep(1)
            steps.append("shielded")
        steps.append("outside")
        await trio.lowlevel.checkpoint()
        steps.append("too far")
    assert steps == ["shielded", "outside"]


async def test_children_of_the_block_can_be_called_until_the_last_moment() -> None:
    """A child may use those that were started before it in its last words."""
    log: list[str] = []

    async def ask() -> None:
        log.append(await named("a").call(Ping()))

    async def worker_body() -> None:
        try:
            await trio.sleep_forever()
        finally:
            with trio.CancelScope(shield=True):
                await ask()

    async with open_supervisor([worker(log, "a").replace(name="a"), worker_body]):
        await settle()
    assert log == ["init a", "a", "terminate a shutdown"]


async def test_outside_of_any_run_nothing_breaks_when_the_block_is_never_entered() -> None:
    open_supervisor(workers([], "a"))
    async with open_node(instruments=[]):
        open_supervisor(workers([], "a"))
        assert processes() == []


async def test_a_reason_seen_from_outside(node: Node) -> None:
    """Who waits for the root sees why it ended."""
    async with open_supervisor(workers([], "a")) as sup:
        pid = sup.pid
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_ends_with_shutdown, sup)
            await settle()
            nursery.cancel_scope.cancel()
    assert await wait_exit(pid) == NoProcess()


async def _ends_with_shutdown(sup: SupervisorRef) -> None:
    assert await wait_exit(sup) == Shutdown()


async def test_a_crash_of_a_child_is_not_the_bodys_business() -> None:
    """Contract 6: an exception in one process never reaches a nursery."""
    async with open_supervisor(workers([], "ab"), instruments=[]) as sup:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.sleep, 5)
            await crash(sup, "a")
            await end(sup, "b", Crashed(ValueError("boom")))
        assert await kids(sup) == "b=up a=up"
        assert Fail(ValueError()) != Fail(ValueError())
