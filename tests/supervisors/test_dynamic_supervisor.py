"""Children on demand: what a start gives, and how many there may be."""

from __future__ import annotations

from typing import Any

import pytest
import trio

from runtime import (
    Crashed,
    Down,
    GenServer,
    Ignored,
    Node,
    Normal,
    ProcessExit,
    StartFailed,
    Stop,
    child_spec,
    is_alive,
    kill,
    monitor,
    receive,
    whereis,
)
from supervisors import DynamicSupervisorRef, MaxChildren, Supervisor
from tests.supervisors.dynamic_parts import (
    counts,
    kill_and_see,
    pids,
    rows,
    slow,
    start_dynamic,
    telling_its_pid,
    temporary,
)
from tests.supervisors.tree_parts import Flaky, Ping, Worker, settle, worker
from tests.support import in_process

# ---------------------------------------------------------------------- starting


async def test_one_id_may_be_there_twice(node: Node) -> None:
    """DYN-003. A child is known by its pid."""
    sup = await start_dynamic()
    one, two = [await sup.start_child(worker([], "a")) for _ in range(2)]
    assert one.pid is not two.pid
    assert await rows(sup) == [("a", "running"), ("a", "running")]
    await sup.terminate_child(one)
    assert await pids(sup) == [two.pid]


async def test_a_child_may_be_any_async_function_or_class_with_its_arguments(node: Node) -> None:
    sup, log = await start_dynamic(), list[str]()

    async def note(text: str, *, end: str) -> None:
        log.append(text + end)
        await trio.sleep_forever()

    server = await sup.start_child(Worker, log, "a", trap=True)
    assert await server.call(Ping()) == "a"
    await sup.start_child(note, "noted", end="!")
    await sup.start_child(child_spec(note, "spec", end="?"))
    await settle()
    assert log[0] == "init a"
    assert set(log[1:]) == {"noted!", "spec?"}
    assert [one.behaviour for one in await sup.which_children()] == ["note", "note", "Worker"]


async def test_children_are_listed_with_the_one_started_last_first(node: Node) -> None:
    sup = await start_dynamic()
    for tag in "abc":
        await sup.start_child(worker([], tag))
    assert [one.id for one in await sup.which_children()] == ["c", "b", "a"]


async def test_a_child_that_starts_is_listed_as_starting(node: Node) -> None:
    """And counts as one of them already."""
    sup = await start_dynamic(max_children=1)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(sup.start_child, slow([], "a", 5))
        await settle()
        (row,) = await sup.which_children()
        assert (row.id, row.status, row.pid is None) == ("a", "starting", False)
        assert await counts(sup) == (1, 1, 0, 1)
        with pytest.raises(MaxChildren):
            await sup.start_child(worker([], "b"))
    assert await rows(sup) == [("a", "running")]


async def test_a_supervisor_as_a_child_counts_as_one(node: Node) -> None:
    """DYN-053."""
    sup = await start_dynamic()
    await sup.start_child(Supervisor.child_spec([worker([], "deep")]))
    await sup.start_child(worker([], "a"))
    assert await counts(sup) == (2, 2, 1, 1)


async def test_a_start_that_does_not_succeed_leaves_nothing(node: Node) -> None:
    """DYN-013, DYN-014, DYN-015. differs: a StartFailed with the reason, not a tuple."""
    error, sup = RuntimeError("no luck"), await start_dynamic()

    async def begin_with(result: Any) -> StartFailed:
        def begin() -> Any:
            if isinstance(result, BaseException):
                raise result
            return result

        with pytest.raises(StartFailed) as caught:
            await sup.start_child(worker([], "a", begin=begin).replace(name="main"))
        assert await sup.which_children() == []
        assert whereis("main") is None
        return caught.value

    assert (await begin_with(Stop("boom"))).reason == "boom"
    assert (await begin_with(Stop(Normal()))).reason == Normal()
    assert (await begin_with(ProcessExit("leaving"))).reason == "leaving"
    crashed = await begin_with(error)
    assert crashed.reason == Crashed(error)
    assert crashed.__cause__ is error
    junk = (await begin_with("junk")).reason
    assert isinstance(junk, Crashed)
    assert "init of Worker returned 'junk'" in str(junk.exception)


async def test_a_child_that_is_not_enabled_is_not_started(node: Node) -> None:
    log: list[str] = []
    sup = await start_dynamic()
    with pytest.raises(Ignored, match="child 'a' is not enabled"):
        await sup.start_child(worker(log, "a").replace(enabled=lambda: False))
    assert log == []
    await sup.start_child(worker(log, "a").replace(enabled=lambda: True))


async def test_a_condition_that_raises_is_the_requesters_error(node: Node) -> None:
    sup = await start_dynamic()

    def raises() -> bool:
        raise LookupError("no such flag")

    with pytest.raises(LookupError, match="no such flag"):
        await sup.start_child(worker([], "a").replace(enabled=raises))
    assert is_alive(sup)
    assert await counts(sup) == (0, 0, 0, 0)


# ---------------------------------------------------------------------- refused in the caller


def sync_function() -> None:
    """Nothing that can be a child."""


@pytest.mark.parametrize(
    "junk", [None, 5, "worker", Worker, sync_function, object(), int, [Worker]]
)
async def test_what_cannot_be_a_child_is_refused(node: Node, junk: Any) -> None:
    """DYN-016."""
    sup = await start_dynamic()
    with pytest.raises(TypeError):
        await sup.start_child(junk)
    assert await sup.which_children() == []
    assert is_alive(sup)


@pytest.mark.parametrize("junk", [None, 5, "worker", sync_function, object(), int, [Worker]])
async def test_that_is_checked_in_the_caller(node: Node, junk: Any) -> None:
    """DYN-016: also where no supervisor is."""
    with pytest.raises(TypeError, match=r"child: got .*, allowed"):
        await DynamicSupervisorRef("nobody").start_child(junk)


@pytest.mark.parametrize(
    ("field", "value"), [("restart", "always"), ("shutdown", -1), ("type", "daemon"), ("name", 7)]
)
def test_a_bad_option_never_gets_into_a_spec(field: str, value: Any) -> None:
    """DYN-017. Specs are checked when they are made, see test_child_spec."""
    with pytest.raises((TypeError, ValueError), match=f"{field}.*: got {value!r}, allowed"):
        worker([], "a").replace(**{field: value})


async def test_arguments_beside_a_spec_are_refused(node: Node) -> None:
    spec = worker([], "a")
    for args, kwargs in (((5,), {}), ((), {"nap": 1.0})):
        wrong: Any = DynamicSupervisorRef("nobody").start_child
        with pytest.raises(TypeError, match=r"child: .* has its arguments already"):
            await wrong(spec, *args, **kwargs)


async def test_an_option_of_a_child_given_as_an_argument_is_told_its_place(node: Node) -> None:
    sup = await start_dynamic()
    with pytest.raises(TypeError) as caught:
        await sup.start_child(Worker, [], "a", name="main")
    assert caught.value.__notes__ == ["name: options of a child are set with .replace(...)"]


# ---------------------------------------------------------------------- how many


async def test_one_more_than_max_children_is_refused_before_anything_runs(node: Node) -> None:
    """DYN-005."""
    log: list[str] = []
    sup = await start_dynamic(max_children=2)
    await sup.start_child(worker(log, "a"))
    await sup.start_child(worker(log, "b"))

    class Costly(GenServer):
        def __init__(self) -> None:
            log.append("made")

    with pytest.raises(MaxChildren) as caught:
        await sup.start_child(Costly)
    assert caught.value.limit == 2
    assert str(caught.value) == (
        "the supervisor has its 2 children, as many as max_children allows"
    )
    assert log == ["init a", "init b"]
    assert await counts(sup) == (2, 2, 0, 2)


async def test_there_may_be_any_number_without_a_limit(node: Node) -> None:
    sup = await start_dynamic(max_children=None)
    for _ in range(50):
        await sup.start_child(worker([], "a"))
    assert await counts(sup) == (50, 50, 0, 50)


async def test_who_hears_of_the_end_finds_the_place_free(node: Node) -> None:
    sup = await start_dynamic(max_children=1)

    async def one_after_the_other() -> None:
        for _ in range(20):
            child = await sup.start_child(temporary([], "t"))
            monitor(child)
            kill(child)
            await receive(Down)

    await in_process(one_after_the_other)


async def test_a_child_that_is_still_starting_has_its_place(node: Node) -> None:
    sup = await start_dynamic(max_children=1)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(sup.start_child, slow([], "a", 60))
        await settle()
        with pytest.raises(MaxChildren):
            await sup.start_child(worker([], "b"))


async def test_a_child_whose_restart_keeps_failing_keeps_its_place(node: Node) -> None:
    """DYN-010."""
    sup = await start_dynamic(max_children=1, max_restarts=10**9)
    child = await sup.start_child(worker([], "a", begin=Flaky(10**9)))
    child.send("hello")
    async with trio.open_nursery() as nursery:

        async def ask() -> None:
            for _ in range(20):
                with pytest.raises(MaxChildren):
                    await sup.start_child(worker([], "b"))
            nursery.cancel_scope.cancel()

        nursery.start_soon(kill_and_see, child)
        nursery.start_soon(ask)
    assert len(await rows(sup)) == 1
    await sup.stop()


async def test_the_limit_holds_for_requests_at_the_same_time(node: Node) -> None:
    sup = await start_dynamic(max_children=3)
    outcomes: list[str] = []

    async def ask() -> None:
        try:
            await sup.start_child(slow([], "a", 1))
        except MaxChildren:
            outcomes.append("refused")
        else:
            outcomes.append("started")

    async with trio.open_nursery() as nursery:
        for _ in range(10):
            nursery.start_soon(ask)
    assert sorted(outcomes) == ["refused"] * 7 + ["started"] * 3


async def test_a_failed_start_makes_room_at_once(node: Node) -> None:
    told: list[Any] = []
    sup = await start_dynamic(max_children=1)
    for _ in range(5):
        with pytest.raises(StartFailed):
            await sup.start_child(worker([], "a", begin=telling_its_pid(told, lambda: Stop("no"))))
    await sup.start_child(worker([], "b"))
    assert len(set(told)) == 5
