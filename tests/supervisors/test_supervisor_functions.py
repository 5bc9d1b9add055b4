"""Any async function as a supervised child, with and without task_status."""

from __future__ import annotations

import math
import socket
from contextlib import suppress
from contextvars import ContextVar
from functools import partial

import pytest
import trio

from runtime import (
    ChildSpec,
    Crashed,
    Node,
    Normal,
    StartFailed,
    child_spec,
    is_alive,
    kill,
    self_,
    trap_exits,
    wait_exit,
)
from supervisors import SupervisorRef
from tests.conftest import Recorder
from tests.supervisors.tree_parts import kids, pid_of, settle, start_supervisor
from tests.support import end_of


async def test_a_function_is_up_when_it_begins(node: Node) -> None:
    async def work(seconds: float) -> None:
        await trio.sleep(seconds)

    began = trio.current_time()
    sup = await start_supervisor([child_spec(work, 10)])
    assert trio.current_time() == began
    assert await kids(sup) == "work=up"


async def test_one_with_task_status_is_up_when_it_says_so(node: Node) -> None:
    """The next child waits for that."""
    log: list[tuple[str, float]] = []

    async def server(
        tag: str, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        await trio.sleep(2)
        log.append((tag, trio.current_time() - began))
        task_status.started()
        await trio.sleep_forever()

    began = trio.current_time()
    await start_supervisor([child_spec(server, tag).replace(id=tag) for tag in "ab"])
    assert log == [("a", 2), ("b", 4)]


async def test_one_that_never_says_it_is_up_and_returns_has_failed(node: Node) -> None:
    async def server(*, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        await trio.sleep(1)

    sup = await start_supervisor([])
    with pytest.raises(StartFailed) as caught:
        await sup.start_child(server)
    assert caught.value.reason == Normal()
    assert await kids(sup) == ""


async def test_one_that_raises_before_it_is_up_has_failed(node: Node) -> None:
    error = OSError("address in use")

    async def server(*, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        raise error

    sup = await start_supervisor([])
    with pytest.raises(StartFailed) as caught:
        await sup.start_child(server)
    assert caught.value.reason == Crashed(error)


async def test_one_that_says_twice_that_it_is_up_crashes(node: Node, events: Recorder) -> None:
    async def server(*, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        task_status.started()
        task_status.started()

    sup = await start_supervisor([])
    pid = (await sup.start_child(child_spec(server).replace(restart="temporary"))).pid
    await settle()
    reason = end_of(events, pid)
    assert isinstance(reason, Crashed)
    assert "twice" in str(reason.exception)


async def test_a_function_that_returns_is_restarted_if_permanent_and_done_if_transient(
    node: Node,
) -> None:
    runs: list[str] = []

    async def work(tag: str) -> None:
        runs.append(tag)
        await trio.sleep(10)

    sup = await start_supervisor(
        [
            child_spec(work, "p").replace(id="p"),
            child_spec(work, "t").replace(id="t", restart="transient"),
        ]
    )
    await trio.sleep(35)
    assert runs.count("p") == 4
    assert runs.count("t") == 1
    assert await kids(sup) == "t=undefined p=up"


async def test_a_function_that_raises_is_restarted_with_the_same_arguments(node: Node) -> None:
    seen: list[tuple[int, str]] = []

    async def work(number: int, *, text: str) -> None:
        seen.append((number, text))
        if len(seen) < 3:
            raise ValueError("again")
        await trio.sleep_forever()

    await start_supervisor([child_spec(work, 7, text="x")])
    await settle()
    assert seen == [(7, "x")] * 3


async def test_a_functions_finally_runs_when_it_is_stopped_or_killed(node: Node) -> None:
    """DESIGN 4: an exit signal cancels the process's scope."""
    log: list[str] = []

    async def work(tag: str) -> None:
        try:
            await trio.sleep_forever()
        finally:
            with trio.CancelScope(shield=True):
                await trio.sleep(1)
            log.append(tag)

    sup = await start_supervisor(
        [
            child_spec(work, "stopped").replace(id="s"),
            child_spec(work, "killed").replace(id="k", shutdown="brutal_kill"),
        ]
    )
    await settle()
    await sup.stop()
    assert log == ["killed", "stopped"]


async def test_a_function_that_traps_exits_has_its_budget(node: Node) -> None:
    """It is not cancelled by the signal and may finish; then it is killed."""
    log: list[str] = []

    async def work(seconds: float) -> None:
        trap_exits()
        await trio.sleep(seconds)
        log.append(f"slept {seconds}")

    sup = await start_supervisor(
        [
            child_spec(work, 3).replace(id="a", shutdown=5),
            child_spec(work, 30).replace(id="b", shutdown=5),
        ]
    )
    await settle()
    began = trio.current_time()
    await sup.stop()
    assert log == ["slept 3"]
    assert trio.current_time() - began == 5


async def test_partials_methods_and_callable_objects_are_functions_too(node: Node) -> None:
    class Job:
        async def method(self) -> None:
            await trio.sleep_forever()

        async def __call__(self) -> None:
            await trio.sleep_forever()

    sup = await start_supervisor(
        [partial(trio.sleep, math.inf), Job().method, Job(), child_spec(trio.sleep_forever)]
    )
    assert await kids(sup) == "sleep_forever=up Job=up method=up sleep=up"


async def test_a_function_is_a_process(node: Node) -> None:
    """It has a pid, and its supervisor knows it by that."""
    pids: list[object] = []

    async def work() -> None:
        pids.append(self_())
        await trio.sleep_forever()

    sup = await start_supervisor([work])
    await settle()
    assert pids == [await pid_of(sup, "work")]


flavour: ContextVar[str] = ContextVar("flavour", default="plain")


async def test_every_start_begins_in_the_nodes_context(node: Node) -> None:
    """Contract 7: the first as well as a restart, whoever asked for it or crashed it."""
    seen: list[str] = []

    async def work() -> None:
        seen.append(flavour.get())
        flavour.set("worker")
        await trio.sleep_forever()

    flavour.set("body")
    sup = await start_supervisor([])
    await sup.start_child(work)
    await settle()
    for _ in range(2):
        kill(await pid_of(sup, "work"))
        await settle()
    await sup.terminate_child("work")
    await sup.restart_child("work")
    await settle()
    assert seen == ["plain"] * 4


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _echo_server(port: int) -> ChildSpec:
    async def echo(stream: trio.SocketStream) -> None:
        async for chunk in stream:
            if chunk == b"die":
                raise ConnectionError("bad client")
            await stream.send_all(chunk.upper())

    return child_spec(trio.serve_tcp, echo, port, host="127.0.0.1")


async def _ask(port: int, text: bytes) -> bytes:
    stream = await trio.open_tcp_stream("127.0.0.1", port)
    async with stream:
        await stream.send_all(text)
        return bytes(await stream.receive_some())


@pytest.mark.real_clock
async def test_serve_tcp_is_a_supervised_child(node: Node) -> None:
    """It listens when the supervisor has started, comes back on the same port after a kill and
    after a crash in a connection, and is gone when the supervisor is.
    """
    port = _free_port()
    sup: SupervisorRef = await start_supervisor([_echo_server(port)])
    assert await _ask(port, b"hello") == b"HELLO"
    first = await pid_of(sup, "serve_tcp")
    kill(first)
    await wait_exit(first)
    second = await pid_of(sup, "serve_tcp")
    assert second is not first
    assert await _ask(port, b"again") == b"AGAIN"
    with suppress(trio.BrokenResourceError):  # the server hangs up, one way or another
        assert await _ask(port, b"die") == b""
    await wait_exit(second)
    assert await pid_of(sup, "serve_tcp") is not second
    assert await _ask(port, b"third") == b"THIRD"
    await sup.stop()
    assert not is_alive(sup)
    with pytest.raises(OSError, match="attempts to connect"):
        await _ask(port, b"gone")


@pytest.mark.real_clock
async def test_serve_tcp_on_a_port_that_is_taken_fails_the_start(node: Node) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(StartFailed) as caught:
            await start_supervisor([_echo_server(taken.getsockname()[1])])
    assert "serve_tcp" in str(caught.value)
