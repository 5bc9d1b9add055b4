"""start_child, terminate_child, restart_child, delete_child, and what they refuse."""

from __future__ import annotations

from typing import Any

import pytest
import trio

from runtime import (
    AlreadyStarted,
    CallCycle,
    ChildSpec,
    Crashed,
    Ignore,
    Ignored,
    Killed,
    Node,
    Ref,
    StartFailed,
    Stop,
    child_spec,
    kill,
    named,
    start,
)
from supervisors import (
    AlreadyPresent,
    ChildError,
    ChildNotFound,
    ChildRunning,
    Supervisor,
    SupervisorRef,
)
from tests.conftest import Recorder
from tests.supervisors.tree_parts import (
    Ping,
    kids,
    pid_of,
    settle,
    start_supervisor,
    worker,
    workers,
)
from tests.support import end_of


async def test_a_started_child_comes_back_as_a_handle(node: Node) -> None:
    sup = await start_supervisor([])
    child = await sup.start_child(worker([], "a"))
    assert isinstance(child, Ref)
    assert child.pid is await pid_of(sup, "a")
    assert await child.call(Ping()) == "a"


async def test_an_id_that_is_stopped_is_refused(node: Node) -> None:
    """SUP-049."""
    sup = await start_supervisor(workers([], "a"))
    await sup.terminate_child("a")
    with pytest.raises(AlreadyPresent) as caught:
        await sup.start_child(worker([], "a"))
    assert caught.value.child_id == "a"
    assert isinstance(caught.value, ChildError)


async def test_a_started_childs_value_is_not_part_of_the_start(node: Node) -> None:
    """SUP-051 differs: there is no ok+info; what task_status.started(value) gives is not passed
    on, the handle is all.
    """

    async def server(*, task_status: trio.TaskStatus[str] = trio.TASK_STATUS_IGNORED) -> None:
        task_status.started("info")
        await trio.sleep_forever()

    sup = await start_supervisor([])
    assert isinstance(await sup.start_child(child_spec(server)), Ref)


@pytest.mark.parametrize("significant", [False, True])
async def test_a_child_that_does_not_start_is_forgotten(node: Node, significant: bool) -> None:
    """SUP-053, SUP-054. differs: StartFailed.reason, from the exception of its init."""
    sup = await start_supervisor(workers([], "a"), auto_shutdown="any_significant")
    error = ValueError("no luck")

    def fail() -> None:
        raise error

    def spec(begin: Any) -> ChildSpec:
        return worker([], "b", begin=begin).replace(restart="transient", significant=significant)

    with pytest.raises(StartFailed) as caught:
        await sup.start_child(spec(lambda: Stop("bad day")))
    assert caught.value.reason == "bad day"
    with pytest.raises(StartFailed) as raised:
        await sup.start_child(spec(fail))
    assert raised.value.reason == Crashed(error)
    await settle()
    assert await kids(sup) == "a=up"


async def test_a_childs_name_that_is_taken_is_refused(node: Node) -> None:
    holder = await start(worker([], "x").replace(name="clerk"))
    sup = await start_supervisor([])
    with pytest.raises(AlreadyStarted) as caught:
        await sup.start_child(worker([], "a").replace(name="clerk"))
    assert caught.value.pid is holder.pid
    assert await kids(sup) == ""


async def test_terminating_a_temporary_child_removes_its_spec(node: Node) -> None:
    """SUP-059."""
    sup = await start_supervisor([worker([], "t").replace(restart="temporary")])
    await sup.terminate_child("t")
    assert await kids(sup) == ""
    with pytest.raises(ChildNotFound):
        await sup.terminate_child("t")


@pytest.mark.parametrize("request_name", ["terminate_child", "delete_child", "restart_child"])
async def test_an_unknown_id_is_not_found(node: Node, request_name: str) -> None:
    """SUP-060."""
    sup = await start_supervisor(workers([], "a"))
    with pytest.raises(ChildNotFound, match="there is no child 'b'") as caught:
        await getattr(sup, request_name)("b")
    assert caught.value.child_id == "b"


@pytest.mark.parametrize("request_name", ["delete_child", "restart_child"])
async def test_a_running_child_is_neither_deleted_nor_restarted(
    node: Node, request_name: str
) -> None:
    """SUP-061."""
    sup = await start_supervisor(workers([], "a"))
    with pytest.raises(ChildRunning) as caught:
        await getattr(sup, request_name)("a")
    assert caught.value.pid is await pid_of(sup, "a")


async def test_a_stopped_child_is_deleted(node: Node) -> None:
    """SUP-061."""
    sup = await start_supervisor(workers([], "ab"))
    await sup.terminate_child("a")
    await sup.delete_child("a")
    assert await kids(sup) == "b=up"
    await sup.start_child(worker([], "a"))
    assert await kids(sup) == "a=up b=up"


async def test_an_ignored_child_can_be_restarted_by_hand(node: Node) -> None:
    results: list[Any] = [Ignore(), None]
    sup = await start_supervisor([worker([], "a", begin=lambda: results.pop(0))])
    await sup.restart_child("a")
    assert await kids(sup) == "a=up"


async def test_a_child_that_is_not_enabled_is_not_started(node: Node) -> None:
    sup = await start_supervisor([])
    with pytest.raises(Ignored, match="child 'a' is not enabled"):
        await sup.start_child(worker([], "a").replace(enabled=lambda: False))
    assert await kids(sup) == ""


async def test_an_enabled_function_that_fails_is_the_requesters_error(node: Node) -> None:
    """Contract 9: and no harm to the supervisor."""
    log: list[str] = []
    sup = await start_supervisor(workers(log, "a"))

    def broken() -> bool:
        raise OSError("cannot know")

    with pytest.raises(OSError, match="cannot know"):
        await sup.start_child(worker(log, "b").replace(enabled=broken))
    with pytest.raises(TypeError, match="enabled of child 'b': returned 'yes'"):
        await sup.start_child(worker(log, "b").replace(enabled=lambda: "yes"))  # type: ignore[arg-type,return-value]  # pyright: ignore[reportArgumentType]
    assert await kids(sup) == "a=up"
    assert log == ["init a"]


@pytest.mark.parametrize("child", [None, 5, "a", int])
async def test_what_cannot_be_a_child_is_refused_in_the_requester(node: Node, child: Any) -> None:
    """SUP-015."""
    sup = await start_supervisor([])
    with pytest.raises(TypeError, match="children: got"):
        await sup.start_child(child)


async def test_a_child_may_ask_its_supervisor_but_not_from_its_init(node: Node) -> None:
    """In init the supervisor waits for the child: refused at once, and no deadlock."""
    errors: list[BaseException] = []

    async def begin() -> None:
        try:
            await SupervisorRef(named("sup")).count_children()
        except CallCycle as exc:
            errors.append(exc)

    spec = Supervisor.child_spec([worker([], "a", begin=begin)]).replace(name="sup")
    await start(spec)
    assert len(errors) == 1


async def test_a_child_that_ended_by_itself_just_before_is_terminated_all_the_same(
    node: Node, events: Recorder
) -> None:
    """Trap: one that dies at that instant is reported once and not restarted."""
    sup = await start_supervisor(workers([], "a"), max_restarts=100)
    for _ in range(10):
        await sup.terminate_child("a")
        first = (await sup.restart_child("a")).pid
        kill(first)
        await sup.terminate_child("a")
        assert end_of(events, first) == Killed()
        await settle()
        assert await kids(sup) == "a=undefined"
