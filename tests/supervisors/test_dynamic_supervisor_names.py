"""Children that are found by a name: a local one, or one by way of a registry."""

from __future__ import annotations

import pytest
import trio

from runtime import (
    AlreadyStarted,
    CallExit,
    Ignored,
    Node,
    Ref,
    Registry,
    StartFailed,
    Stop,
    child_spec,
    is_alive,
    named,
    start,
    via,
    whereis,
)
from supervisors import Backoff, ChildNotFound, DynamicSupervisor, DynamicSupervisorRef
from tests.supervisors.dynamic_parts import (
    counts,
    ended,
    kill_and_see,
    rows,
    start_dynamic,
    temporary,
)
from tests.supervisors.tree_parts import Ping, start_supervisor, worker


async def tree() -> DynamicSupervisorRef:
    """A registry ``names`` and a dynamic supervisor ``dyn``."""
    await start_supervisor(
        [
            Registry.child_spec("unique").replace(name="names"),
            DynamicSupervisor.child_spec(max_restarts=1000).replace(name="dyn"),
        ]
    )
    return DynamicSupervisorRef("dyn")


async def test_a_child_is_found_by_its_key_and_by_none_other(node: Node) -> None:
    sup = await tree()
    for key in (1, 2, "x", ("order", 7)):
        spec = worker([], str(key)).replace(id=None, name=via("names", key))
        child = await sup.start_child(spec)
        assert via("names", key).whereis() is child.pid
    assert [one.id for one in reversed(await sup.which_children())] == [1, 2, "x", ("order", 7)]
    assert await via("names", ("order", 7)).call(Ping()) == "('order', 7)"
    assert via("names", 3).whereis() is None


async def test_a_taken_key_is_refused(node: Node) -> None:
    """DYN-004, by way of a registry."""
    sup, log = await tree(), list[str]()
    first = await sup.start_child(worker(log, "a").replace(name=via("names", 1)))
    with pytest.raises(AlreadyStarted) as caught:
        await sup.start_child(worker(log, "b").replace(name=via("names", 1)))
    assert caught.value.pid is first.pid
    assert log == ["init a"]
    assert await counts(sup) == (1, 1, 0, 1)


async def test_a_restarted_child_is_found_under_its_key_again(node: Node) -> None:
    sup = await tree()
    key: Ref = via("names", 1)
    await sup.start_child(worker([], "a").replace(name=via("names", 1)))
    for _ in range(20):
        before = key.pid
        await kill_and_see(key)
        assert key.pid is not before
        assert await key.call(Ping()) == "a"


async def test_a_child_that_has_ended_leaves_its_key(node: Node) -> None:
    sup = await tree()
    for _ in range(3):
        child = await sup.start_child(temporary([], "a").replace(name=via("names", 1)))
        await ended(child, "boom")
        assert via("names", 1).whereis() is None


async def test_a_start_that_fails_leaves_its_key(node: Node) -> None:
    sup = await tree()
    for _ in range(3):
        spec = worker([], "a", begin=lambda: Stop("no")).replace(name=via("names", 1))
        with pytest.raises(StartFailed):
            await sup.start_child(spec)
        assert via("names", 1).whereis() is None


async def test_a_name_in_a_registry_that_is_not_there_fails_the_start(node: Node) -> None:
    sup = await start_dynamic()
    with pytest.raises(StartFailed):
        await sup.start_child(worker([], "a").replace(name=via("nowhere", 1)))
    assert await counts(sup) == (0, 0, 0, 0)
    assert is_alive(sup)


async def test_a_child_is_terminated_by_its_key(node: Node) -> None:
    sup = await tree()
    await sup.start_child(worker([], "a").replace(name=via("names", 1)))
    await sup.terminate_child(via("names", 1))
    assert via("names", 1).whereis() is None
    assert await counts(sup) == (0, 0, 0, 0)


async def test_somebody_elses_name_is_not_found(node: Node) -> None:
    sup = await tree()
    other = await start(worker([], "a").replace(name="other"))
    with pytest.raises(ChildNotFound):
        await sup.terminate_child(named("other"))
    assert is_alive(other)


async def test_one_name_for_several_children_is_that_of_the_first(node: Node) -> None:
    sup = await start_dynamic(max_children=5)
    first = await sup.start_child(worker([], "a").replace(name="main"))
    for _ in range(10):
        with pytest.raises(AlreadyStarted) as caught:
            await sup.start_child(worker([], "a").replace(name="main"))
        assert caught.value.pid is first.pid
    assert await counts(sup) == (1, 1, 0, 1)


async def test_a_name_is_free_while_its_child_waits_for_the_restart(node: Node) -> None:
    sup = await start_dynamic(backoff=Backoff(initial=10))
    await kill_and_see(await sup.start_child(worker([], "a").replace(name="main")))
    assert whereis("main") is None
    with pytest.raises(CallExit):
        await named("main").call(Ping())
    assert await rows(sup) == [("a", "restarting")]


async def test_an_ignored_child_leaves_its_name(node: Node) -> None:
    sup = await tree()
    spec = worker([], "a").replace(name=via("names", 1), enabled=False)
    with pytest.raises(Ignored):
        await sup.start_child(spec)
    assert via("names", 1).whereis() is None


async def test_a_function_may_have_a_key(node: Node) -> None:
    sup = await tree()

    child = await sup.start_child(child_spec(trio.sleep_forever).replace(name=via("names", "fn")))
    assert via("names", "fn").whereis() is child.pid


class Incomparable:
    """A key that has the hash of all others of its kind, and raises when it is compared."""

    def __eq__(self, other: object) -> bool:
        raise LookupError("no comparison")

    def __hash__(self) -> int:
        return 1


async def test_a_key_that_cannot_be_compared_is_its_requesters_error_alone(node: Node) -> None:
    sup = await tree()
    child = await sup.start_child(worker([], "a").replace(name=via("names", Incomparable())))
    with pytest.raises(StartFailed) as raised:
        await sup.start_child(worker([], "b").replace(name=via("names", Incomparable())))
    assert isinstance(raised.value.__cause__, LookupError)
    assert is_alive(child)
    assert await counts(sup) == (1, 1, 0, 1)
