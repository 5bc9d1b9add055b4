"""What the checkers know about specs and starts: arguments against ``__init__``, options."""

from __future__ import annotations

import math
from collections.abc import Hashable
from typing import Generic, TypeVar, assert_type

import trio

from runtime import (
    ChildSpec,
    GenServer,
    MailboxLimit,
    MonitorRef,
    Pid,
    Ref,
    Restart,
    ShutdownBudget,
    child_spec,
    spawn,
    spawn_link,
    spawn_monitor,
    start,
    start_link,
)

T = TypeVar("T")


class Counter(GenServer):
    def __init__(self, start: int = 0, *, step: int = 1) -> None:
        self.count = start
        self.step = step


class Plain(GenServer):
    """No arguments."""


class Cache(GenServer, Generic[T]):
    def __init__(self, default: T) -> None:
        self.default = default


async def poll(url: str, every: float = 1.0) -> None: ...


async def serve(port: int, *, task_status: trio.TaskStatus[int] = trio.TASK_STATUS_IGNORED) -> None:
    task_status.started(port)


async def on_connection(stream: trio.SocketStream) -> None: ...


def blocking() -> None: ...


def the_arguments_of_a_server_are_checked_against_its_init() -> None:
    assert_type(Counter.child_spec(), ChildSpec)
    Counter.child_spec(10)
    Counter.child_spec(start=10, step=2)
    Plain.child_spec()
    Cache[str].child_spec("x")
    Counter.child_spec("10")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Counter.child_spec(1, 2)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    Counter.child_spec(stop=10)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    Counter.child_spec(step="2")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Plain.child_spec(1)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    Cache[str].child_spec(5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Cache[str].child_spec()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


async def so_are_those_of_a_start() -> None:
    assert_type(await Counter.start(10), Ref)
    assert_type(await Counter.start_link(10, step=2), Ref)
    await Counter.start("10")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await Counter.start_link(1, 2)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    await Counter.start(10, timeout=1)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    Counter.start(10)  # type: ignore[unused-coroutine]  # pyright: ignore[reportUnusedCoroutine]
    print(Counter.start(10).cast)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]


async def a_start_takes_a_spec() -> None:
    assert_type(await start(Counter.child_spec(10)), Ref)
    assert_type(await start_link(child_spec(poll, "http://x"), timeout=1), Ref)
    await start(Counter)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await start(Counter())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await start(Counter.child_spec(), timeout="1")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await start(Counter.child_spec(), 1)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


def the_arguments_of_a_function_are_checked() -> None:
    assert_type(child_spec(poll, "http://x"), ChildSpec)
    child_spec(poll, "http://x", every=2)
    child_spec(serve, 80)
    child_spec(trio.serve_tcp, on_connection, 8000)
    child_spec(trio.sleep, 1)
    child_spec(poll)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    child_spec(poll, 5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    child_spec(poll, "http://x", often=2)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    child_spec(serve, "80")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    child_spec(blocking)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    child_spec(poll("http://x"))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
    child_spec(Counter)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def options_are_checked(spec: ChildSpec) -> None:
    assert_type(spec.replace(name="counter"), ChildSpec)
    assert_type(spec.id, Hashable)
    assert_type(spec.restart, Restart)
    assert_type(spec.shutdown, ShutdownBudget)
    spec.replace(id=("any", "key"), restart="transient", shutdown=1, significant=True)
    spec.replace(shutdown="brutal_kill", enabled=lambda: True, type="supervisor")
    spec.replace(shutdown=math.inf, mailbox=MailboxLimit(10), enabled=False)
    spec.replace(restart="always")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    spec.replace(shutdown="brutal")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    spec.replace(shutdown=None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    spec.replace(name=5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    spec.replace(id=[])  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    spec.replace(type="server")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    spec.replace(significant="yes")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    spec.replace(mailbox=10)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    spec.replace(enabled="yes")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    spec.replace(nam="counter")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    spec.name = "counter"  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]


def mailbox_limits_are_checked() -> None:
    MailboxLimit(10)
    MailboxLimit(10, policy="drop_oldest")
    MailboxLimit()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    MailboxLimit("10")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    MailboxLimit(10, policy="drop")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def a_process_is_made_of_an_async_function() -> None:
    assert_type(spawn(poll, "http://x", name="poller"), Pid)
    assert_type(spawn_link(poll, "http://x", mailbox=MailboxLimit(1)), Pid)
    assert_type(spawn_monitor(poll, "http://x"), tuple[Pid, MonitorRef])
    spawn(blocking)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    spawn(poll("http://x"))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    spawn(poll, "http://x", name=5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await spawn(poll, "http://x")  # type: ignore[misc]  # pyright: ignore[reportGeneralTypeIssues]
