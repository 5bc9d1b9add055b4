"""What once brought a supervisor down, or made it miss an end, and must not again."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from typing import Any

import pytest
import trio

from runtime import (
    MailboxLimit,
    Node,
    Normal,
    StartFailed,
    child_spec,
    exit,
    kill,
    named,
    start,
    unlink,
    whereis,
)
from supervisors import Backoff, ChildNotFound, Supervisor, SupervisorRef, open_supervisor
from tests.supervisors.tree_parts import counts, kids, settle, start_supervisor, worker


class Unreadable:
    """An id, or a part of an exception, that cannot be shown."""

    def __repr__(self) -> str:
        raise RuntimeError("no repr")


class Incomparable:
    """An id that has the hash of all others of its kind, and raises when it is compared."""

    def __eq__(self, other: object) -> bool:
        raise LookupError("no comparison")

    def __hash__(self) -> int:
        return 1


class UnreadableError(Exception):
    """Raised by a child, to be told by its supervisor."""

    def __repr__(self) -> str:
        raise RuntimeError("no repr")


@pytest.mark.parametrize("request_of", ["terminate_child", "restart_child", "delete_child"])
async def test_an_id_that_is_none_is_refused_where_it_is_given(node: Node, request_of: str) -> None:
    sup = await start_supervisor([worker([], "a")])
    with pytest.raises(TypeError, match=r"id: got \[\], allowed is anything hashable"):
        await getattr(sup, request_of)([])
    with pytest.raises(ChildNotFound, match="there is no child <Unreadable whose repr raises>"):
        await getattr(sup, request_of)(Unreadable())
    assert await kids(sup) == "a=up"


async def test_an_id_that_cannot_be_compared_is_its_requesters_error_alone(node: Node) -> None:
    sup = await start_supervisor([worker([], "a").replace(id=Incomparable())])
    with pytest.raises(LookupError, match="no comparison"):
        await sup.start_child(worker([], "b").replace(id=Incomparable()))
    for request_of in ("terminate_child", "restart_child", "delete_child"):
        with pytest.raises(LookupError, match="no comparison"):
            await getattr(sup, request_of)(Incomparable())
    assert await counts(sup) == (1, 1, 0, 1)


@pytest.fixture
def no_gc() -> Iterator[None]:
    """What only the garbage collector would free stays."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


class Boom(Exception):
    """What is raised, and must not stay."""


@pytest.mark.usefixtures("no_gc")
async def test_what_a_request_raises_is_in_no_reference_cycle(node: Node) -> None:
    def raises() -> bool:
        raise Boom

    sup = await start_supervisor([])
    with pytest.raises(Boom) as raised:
        await sup.start_child(worker([], "a").replace(enabled=raises))
    left = weakref.ref(raised.value)
    del raised
    assert await kids(sup) == ""
    assert left() is None


@pytest.mark.usefixtures("no_gc")
async def test_a_tree_that_does_not_start_leaves_nothing_in_reference_cycles() -> None:
    def raises() -> None:
        raise Boom

    with pytest.raises(StartFailed) as raised:
        async with open_supervisor([worker([], "a", begin=raises)], instruments=[]):
            pass
    left = weakref.ref(raised.value)
    del raised
    assert left() is None


async def test_a_childs_exception_that_cannot_be_shown_is_a_crash_like_any(node: Node) -> None:
    """In a restart, whose failure is told and tried again."""
    starts: list[int] = []

    async def fails_the_second_time(*, task_status: Any = trio.TASK_STATUS_IGNORED) -> None:
        starts.append(1)
        if len(starts) == 2:
            raise UnreadableError
        task_status.started()
        await trio.sleep_forever()

    sup = await start_supervisor([child_spec(fails_the_second_time).replace(name="f")])
    kill(named("f"))
    await settle()
    assert len(starts) == 3
    assert await counts(sup) == (1, 1, 0, 1)


async def test_a_bounded_supervisor_keeps_its_own_messages(node: Node) -> None:
    """Its mailbox is full of requests when the delayed restart comes due."""
    spec = Supervisor.child_spec(
        [worker([], "a").replace(name="a")], backoff=Backoff(1, 1, 1, 0)
    ).replace(mailbox=MailboxLimit(1, "drop_newest"))
    sup = SupervisorRef(await start(spec))

    async def slow(*, task_status: Any = trio.TASK_STATUS_IGNORED) -> None:
        await trio.sleep(5)
        task_status.started()
        await trio.sleep_forever()

    kill(named("a"))
    await trio.sleep(0.5)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(sup.start_child, child_spec(slow))
        await trio.sleep(0.1)
        nursery.start_soon(sup.which_children)
    await settle()
    assert await kids(sup) == "slow=up a=up"


async def test_a_child_that_unlinks_itself_is_restarted_all_the_same(node: Node) -> None:
    starts: list[int] = []

    async def leaves() -> None:
        starts.append(1)
        if len(starts) == 1:
            unlink(named("sup"))
            raise ValueError
        await trio.sleep_forever()

    await start(Supervisor.child_spec([child_spec(leaves)]).replace(name="sup"))
    await settle()
    assert len(starts) == 2


async def test_a_reason_that_a_child_forges_is_not_its_end(node: Node) -> None:
    """It says that all is well, and crashes."""
    starts: list[int] = []

    async def forges() -> None:
        starts.append(1)
        if len(starts) == 1:
            exit(named("sup"), Normal())
            raise ValueError
        await trio.sleep_forever()

    spec = child_spec(forges).replace(restart="transient", name="f")
    await start(Supervisor.child_spec([spec]).replace(name="sup"))
    await settle()
    assert len(starts) == 2
    assert whereis("f") is not None


async def test_a_fatal_error_leaves_although_the_body_raises_a_group() -> None:
    """Trio makes a new group of it on the way, without the cancellations."""

    class Fatal(Supervisor):
        """Ends the program with its last words."""

        def terminate(self, reason: object) -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        async with open_supervisor([Fatal.child_spec([])]), trio.open_nursery():
            raise LookupError("body")
