"""What the checkers know about processes: receive, signals, timers, looking in."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from io import StringIO
from typing import Any, TypeGuard, assert_type

from runtime import (
    Down,
    Event,
    Exit,
    ExitReason,
    GenServer,
    Instrument,
    MonitorRef,
    Node,
    Pid,
    ProcessCrashed,
    ProcessEnded,
    ProcessExit,
    ProcessInfo,
    Ref,
    ServerStatus,
    Statistics,
    TimerRef,
    cancel_timer,
    demonitor,
    exit,
    get_state,
    get_status,
    is_alive,
    kill,
    link,
    monitor,
    named,
    open_node,
    process_info,
    processes,
    read_timer,
    receive,
    register,
    replace_state,
    self_,
    send_after,
    send_interval,
    set_label,
    statistics,
    trap_exits,
    unregister,
    wait_exit,
    whereis,
)


def is_text(message: object) -> TypeGuard[str]:
    return isinstance(message, str)


def is_long(message: object) -> bool:
    return len(str(message)) > 10


async def what_is_received_has_the_type_of_the_match() -> None:
    assert_type(await receive(Down), Down)
    assert_type(await receive(str, timeout=1), str)
    assert_type(await receive((Down, Exit)), Down | Exit)
    assert_type(await receive((Down, Exit, str)), Down | Exit | str)
    assert_type(await receive(is_text), str)
    assert_type(await receive(is_long), object)
    assert_type(await receive(), object)
    assert_type(await receive(timeout=0), object)
    assert_type(await receive(lambda message: message == 5), object)
    await receive(5)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]
    await receive("text")  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]
    await receive([Down, Exit])  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]
    await receive(Down, 1)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
    await receive(Down, timeout="1")  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]
    receive(Down)  # type: ignore[unused-coroutine]  # pyright: ignore[reportUnusedCoroutine]
    text: str = await receive(Down)  # type: ignore[arg-type]  # pyright: ignore[reportAssignmentType]
    print(text)


def signals_go_to_pids_and_handles(pid: Pid, server: Ref) -> None:
    exit(pid, "any reason")
    exit(server, 404)
    kill(pid)
    kill(named("counter"))
    link(pid)
    assert_type(monitor(server), MonitorRef)
    assert_type(demonitor(monitor(pid), flush=True), bool)
    assert_type(is_alive(pid), bool)
    assert_type(self_(), Pid)
    assert_type(trap_exits(), bool)
    assert_type(trap_exits(False), bool)
    exit("counter", "any reason")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    exit(pid)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    kill("counter")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    link(5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    monitor(None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    demonitor(pid)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    demonitor(monitor(pid), True)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    trap_exits("yes")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    is_alive("counter")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def an_end_can_be_waited_for(pid: Pid) -> None:
    reason: ExitReason = await wait_exit(pid)
    print(reason)
    wait_exit(pid)  # type: ignore[unused-coroutine]  # pyright: ignore[reportUnusedCoroutine]
    await wait_exit("counter")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    raise ProcessExit("any reason")


def names_are_strings(pid: Pid) -> None:
    assert_type(whereis("counter"), Pid | None)
    register("counter")
    register("counter", pid)
    unregister("counter")
    whereis(5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    register(pid, "counter")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    unregister(pid)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def timers_have_handles(pid: Pid) -> None:
    timer = send_after(pid, "message", 1)
    assert_type(timer, TimerRef)
    assert_type(send_interval(named("counter"), "message", 0.5), TimerRef)
    assert_type(cancel_timer(timer), float | None)
    assert_type(read_timer(timer), float | None)
    send_after(pid, "message", "1")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    send_after(1, pid, "message")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    send_after("counter", "message", 1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    cancel_timer(1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def looking_in_is_typed(server: Ref) -> None:
    assert_type(await get_state(server), dict[str, Any])
    assert_type(await replace_state(server, lambda state: {**state, "count": 1}), dict[str, Any])
    assert_type(await get_status(server), ServerStatus)
    assert_type(await statistics(server), Statistics)
    assert_type(process_info(server), ProcessInfo | None)
    assert_type(processes(), list[Pid])
    set_label("working")
    set_label(None)
    await get_state("counter")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await replace_state(server, lambda state: 5)  # type: ignore[arg-type, return-value]  # pyright: ignore[reportArgumentType]
    await replace_state(server, {"count": 1})  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    print(process_info(server).name)  # type: ignore[union-attr]  # pyright: ignore[reportOptionalMemberAccess]
    set_label(5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


@asynccontextmanager
async def connection() -> AsyncGenerator[int]:
    yield 5


class Holder(GenServer):
    """Holds what it entered."""

    async def init(self) -> None:
        assert_type(await self.enter(connection()), int)
        assert_type(await self.enter(StringIO("text")), StringIO)
        await self.enter(5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        await self.enter(connection)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        self.enter(connection())  # type: ignore[unused-coroutine]  # pyright: ignore[reportUnusedCoroutine]


def told(event: Event) -> None: ...


def told_less(event: ProcessEnded) -> None: ...


async def instruments_are_typed() -> None:
    Instrument(told, (ProcessEnded, ProcessCrashed))
    async with open_node(instruments=[Instrument(told, (ProcessEnded,))]) as node:
        assert_type(node, Node)
    Instrument(told, ProcessEnded)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Instrument(told, (Down,))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Instrument(told_less, (ProcessEnded,))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    open_node(instruments=[told])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
    with open_node():  # type: ignore[attr-defined]  # pyright: ignore[reportGeneralTypeIssues]
        pass
