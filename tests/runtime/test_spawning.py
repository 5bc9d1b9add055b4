"""``spawn`` and its relatives."""

from __future__ import annotations

import contextvars
import inspect
import re
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Self

import pytest
import trio

from runtime import (
    AlreadyStarted,
    MailboxFull,
    MailboxLimit,
    Node,
    NoNode,
    Normal,
    OutsideProcess,
    Pid,
    ProcessExit,
    ProcessStarted,
    Shutdown,
    exit,
    is_alive,
    open_node,
    process_info,
    processes,
    receive,
    self_,
    send,
    spawn,
    spawn_link,
    spawn_monitor,
    wait_exit,
    whereis,
)
from runtime.spawning import (
    check_arguments,
    check_async_function,
    function_name,
    takes_task_status,
)
from tests.conftest import Recorder
from tests.support import end_of, in_process, reason_of, stop_all

request_id: contextvars.ContextVar[str] = contextvars.ContextVar("request_id", default="unset")


async def nothing() -> None: ...


class AsyncCallable:
    async def __call__(self, text: str) -> None:
        assert text == "argument"


class SyncCallable:
    def __call__(self) -> None: ...


async def test_spawn_returns_at_once_and_the_first_step_comes_later(node: Node) -> None:
    log: list[str] = []

    async def body(text: str) -> None:
        log.append(text)

    pid = spawn(body, "ran")
    assert log == []
    assert is_alive(pid)
    assert await wait_exit(pid) == Normal()
    assert log == ["ran"]


@pytest.mark.parametrize(
    "fn", [partial(nothing), partial(partial(AsyncCallable(), "argument")), AsyncCallable()]
)
async def test_anything_async_that_can_be_called_is_a_body(
    node: Node, fn: Callable[..., Awaitable[object]]
) -> None:
    args = ("argument",) if isinstance(fn, AsyncCallable) else ()
    assert await wait_exit(spawn(fn, *args)) == Normal()


@pytest.mark.parametrize("garbage", [None, 7, len, lambda: None, SyncCallable(), AsyncCallable])
async def test_what_is_no_async_function_is_refused(node: Node, garbage: object) -> None:
    with pytest.raises(TypeError) as caught:
        spawn(garbage)  # type: ignore[arg-type]
    told, _, instead = str(caught.value).partition("; ")
    assert told == f"fn: got {garbage!r}, allowed is an async function, not called"
    assert bool(re.match(r"write `async.*partial.*: to_thread", instead)) is callable(garbage)
    assert processes() == []


async def test_a_coroutine_instead_of_a_function_is_refused(node: Node) -> None:
    coroutine = nothing()
    with pytest.raises(TypeError, match="not called"):
        spawn(coroutine)  # type: ignore[arg-type]
    coroutine.close()


async def test_arguments_the_function_would_refuse_are_refused_now(node: Node) -> None:
    with pytest.raises(TypeError, match=r"too many positional arguments"):
        spawn(nothing, 1)
    assert processes() == []


async def test_a_name_is_taken_before_the_first_step(node: Node) -> None:
    pid = spawn(trio.sleep_forever, name="holder")
    assert whereis("holder") is pid
    assert repr(pid).endswith(" holder>")
    with pytest.raises(AlreadyStarted) as raised:
        spawn(nothing, name="holder")
    assert (raised.value.name, raised.value.pid) == ("holder", pid)
    assert processes() == [pid]
    await stop_all(pid)


@pytest.mark.parametrize("garbage", ["", 7, True, b"name"])
async def test_a_name_that_is_no_text_is_refused(node: Node, garbage: object) -> None:
    with pytest.raises(TypeError, match=r"^name: got .* allowed is a non-empty string"):
        spawn(nothing, name=garbage)  # type: ignore[arg-type]
    assert processes() == []


async def test_a_mailbox_that_is_no_limit_is_refused(node: Node) -> None:
    with pytest.raises(TypeError, match=r"^mailbox: got 5, allowed are MailboxLimit"):
        spawn(nothing, mailbox=5)  # type: ignore[arg-type]


async def test_a_mailbox_limit_can_be_given(node: Node) -> None:
    pid = spawn(trio.sleep_forever, mailbox=MailboxLimit(1))
    send(pid, 1)
    with pytest.raises(MailboxFull):
        send(pid, 2)
    await stop_all(pid)


@pytest.mark.parametrize("function", [spawn_link, spawn_monitor])
async def test_link_and_monitor_need_a_process_to_link_to(
    node: Node, function: Callable[[object], object]
) -> None:
    with pytest.raises(OutsideProcess):
        function(nothing)
    assert processes() == []


async def test_spawn_link_and_spawn_monitor_are_one_step(node: Node) -> None:
    async def body() -> None:
        linked = spawn_link(trio.sleep_forever)
        monitored, _ = spawn_monitor(trio.sleep_forever)
        info = process_info(self_())
        assert info is not None
        assert (info.links, info.monitors) == ((linked,), (monitored,))
        child = process_info(linked)
        assert child is not None
        assert child.parent is self_()
        exit(linked, "boom")
        await trio.sleep_forever()

    assert await reason_of(body) == "boom"


async def test_a_process_starts_from_the_nodes_context_never_from_its_starters() -> None:
    """Contract 7."""
    seen: list[str] = []

    async def reads() -> None:
        seen.append(request_id.get())
        request_id.set("changed by a child")

    async def starter() -> None:
        request_id.set("the starter's")
        await wait_exit(spawn(reads))
        await wait_exit(spawn_link(reads))
        await wait_exit(spawn_monitor(reads)[0])
        assert request_id.get() == "the starter's"

    request_id.set("the node's")
    async with open_node(instruments=[]):
        request_id.set("the body's")
        await wait_exit(spawn(reads))
        await in_process(starter)
        assert request_id.get() == "the body's"
    assert seen == ["the node's"] * 4


async def test_a_spawned_process_is_itself_not_its_starter(node: Node) -> None:
    async def body() -> None:
        child: list[Pid] = []

        async def names_itself() -> None:
            child.append(self_())

        pid = spawn(names_itself)
        await wait_exit(pid)
        assert child == [pid]

    await in_process(body)


async def test_ancestors_are_who_started_it_by_name_or_pid(node: Node, events: Recorder) -> None:
    started: dict[str, Pid] = {}

    async def grandparent() -> None:
        started["parent"] = spawn(parent)
        await receive()

    async def parent() -> None:
        started["child"] = spawn(nothing)

    pid = spawn(grandparent, name="root")
    await trio.sleep(1)
    told = {event.pid: event.ancestors for event in events.of(ProcessStarted)}
    assert told[pid] == ()
    assert told[started["parent"]] == ("root",)
    assert told[started["child"]] == (started["parent"], "root")
    await stop_all(pid)


async def test_a_function_with_task_status_is_up_when_it_says_so(
    node: Node, events: Recorder
) -> None:
    async def body(*, task_status: trio.TaskStatus[int]) -> None:
        await trio.sleep(3)
        task_status.started(8000)
        with pytest.raises(RuntimeError, match="called 'started' twice"):
            task_status.started(8001)
        await trio.sleep_forever()

    pid = spawn(body)
    await trio.sleep(1)
    assert events.of(ProcessStarted) == []
    info = process_info(pid)
    assert info is not None
    assert info.status == "starting"
    await trio.sleep(5)
    assert [event.pid for event in events.of(ProcessStarted)] == [pid]
    await stop_all(pid)


async def test_a_function_that_is_told_to_end_before_it_is_up_never_is(
    node: Node, events: Recorder
) -> None:
    async def body(*, task_status: trio.TaskStatus[None]) -> None:
        try:
            await trio.sleep_forever()
        finally:
            task_status.started()

    pid = spawn(body)
    await trio.sleep(1)
    exit(pid, Shutdown())
    await trio.sleep(1)
    assert end_of(events, pid) == Shutdown()
    assert events.of(ProcessStarted) == []


async def test_a_node_that_stops_starts_nothing_any_more() -> None:
    refused: list[BaseException] = []

    async def starts_late() -> None:
        try:
            await trio.sleep_forever()
        finally:
            with pytest.raises(NoNode, match="the node is stopping") as raised:
                spawn(nothing)
            refused.append(raised.value)

    async with open_node(instruments=[]):
        spawn(starts_late)
        await trio.sleep(1)
    assert len(refused) == 1


async def test_without_a_node_there_is_nowhere_to_spawn() -> None:
    with pytest.raises(NoNode, match="open_supervisor"):
        spawn(nothing)


async def test_a_process_ends_with_the_node_at_the_latest() -> None:
    """Contract 6: no process outlives its node."""
    log: list[str] = []

    async def body(name: str) -> None:
        try:
            await trio.sleep_forever()
        finally:
            log.append(name)

    async with open_node(instruments=[]):
        for name in ("first", "second", "third"):
            spawn(body, name)
        await trio.sleep(1)
    assert log == ["third", "second", "first"]


async def test_a_thousand_processes_start_and_end(node: Node, events: Recorder) -> None:
    async def body(number: int) -> None:
        raise ProcessExit(number)

    pids = [spawn(body, number) for number in range(1000)]
    await trio.sleep(1)
    assert [end_of(events, pid) for pid in pids[::100]] == list(range(0, 1000, 100))
    assert processes() == []


def test_the_name_of_a_function_is_found_through_partials() -> None:
    assert function_name(nothing) == "nothing"
    assert function_name(partial(partial(nothing))) == "nothing"
    assert function_name(AsyncCallable()) == "AsyncCallable"


def test_a_task_status_parameter_is_seen() -> None:
    async def takes(*, task_status: object) -> None: ...

    assert takes_task_status(takes)
    assert takes_task_status(partial(takes, task_status=None))
    assert takes_task_status(trio.serve_tcp)
    assert not takes_task_status(nothing)


def test_async_methods_are_async_functions() -> None:
    class Service:
        async def run(self) -> None: ...

    check_async_function("fn", Service().run)
    check_async_function("fn", partial(Service().run))


async def test_of_a_long_line_of_ancestors_only_the_nearest_are_kept(node: Node) -> None:
    """A process that starts its successor and ends, for ever, must not grow."""
    lengths: list[int] = []

    async def generation(left: int) -> None:
        info = process_info(self_())
        assert info is not None
        lengths.append(len(info.ancestors))
        if left:
            spawn(generation, left - 1)

    spawn(generation, 50)
    await trio.sleep(1)
    assert lengths == [min(generation, 32) for generation in range(51)]


class Plain:
    """No constructor of its own."""


class Two:
    def __init__(self, one: int, two: int = 2) -> None: ...

    def method(self, one: int) -> None: ...


class Made:
    def __new__(cls, *args: int) -> Self:
        return super().__new__(cls)


def one(first: int, second: int = 2) -> None: ...


def named(first: int, *, second: int) -> None: ...


def collects(*all_of_them: int) -> None: ...


def later(first: int, task_status: object = None) -> None: ...


def wrapped() -> None: ...


wrapped.__wrapped__ = one  # type: ignore[attr-defined]  # pyright: ignore[reportFunctionMemberAccess]


@pytest.mark.parametrize("fn", [
    Plain, Two, Two(1).method, Made, one, named, collects, later, wrapped, partial(one, 1), len,
])  # fmt: skip
@pytest.mark.parametrize("count", range(4))
def test_arguments_are_refused_exactly_when_a_call_would_refuse_them(
    fn: Callable[..., object], count: int
) -> None:
    """Plain functions and classes are told without their signature: the answer is the same."""
    args = tuple(range(count))
    signature = inspect.signature(fn)
    given = {"task_status": None} if "task_status" in signature.parameters else {}
    try:
        signature.bind(*args, **given)
    except TypeError as exc:
        with pytest.raises(TypeError, match=re.escape(f"arguments of it: {exc}")):
            check_arguments("it", fn, args, {})
    else:
        check_arguments("it", fn, args, {})
