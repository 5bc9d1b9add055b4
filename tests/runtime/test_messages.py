"""Messages are frozen Structs; their base says how they are meant."""

from __future__ import annotations

import copy
from typing import Any

import msgspec
import pytest

from runtime import (
    Call,
    Cast,
    Down,
    Exit,
    GenServer,
    IdleTimeout,
    MonitorRef,
    Node,
    NoProcess,
    Normal,
    Pid,
    Ref,
    monitor,
    named,
    receive,
    send,
    start,
)
from runtime.messages import SystemCall
from tests.support import Scripted, in_process


class Get(Call[int]):
    """No fields."""


class Find(Call["str | None"]):
    key: str
    deep: bool = False


class Add(Cast):
    by: int = 1


class AddTwice(Add):
    """A subclass is a message of its own."""


@pytest.mark.parametrize("message", [Get(), Find("a"), Add(), AddTwice(3), Exit(None, Normal())])
def test_a_message_cannot_be_changed(message: Any) -> None:
    for field in (*message.__struct_fields__, "anything"):
        with pytest.raises(AttributeError):
            setattr(message, field, 1)


def test_messages_are_made_by_position_or_name_with_defaults() -> None:
    assert Find("a") == Find(key="a", deep=False)
    assert Add() == Add(by=1) != Add(by=2)
    assert AddTwice() != Add()
    assert repr(Find("a")) == "Find(key='a', deep=False)"
    with pytest.raises(TypeError):
        Find()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


def test_messages_are_hashable_and_can_be_copied_and_encoded() -> None:
    message = Find("a")
    assert {message, Find("a")} == {message}
    assert copy.deepcopy(message) == message
    assert msgspec.json.decode(msgspec.json.encode(message), type=Find) == message


def test_what_travels_is_told_apart_by_its_base() -> None:
    assert isinstance(Get(), Call)
    assert not isinstance(Get(), Cast | SystemCall)
    assert isinstance(AddTwice(), Cast)
    assert issubclass(SystemCall, Call)


def test_a_monitor_reference_is_equal_only_to_itself() -> None:
    one, two = MonitorRef(), MonitorRef()
    assert one == one
    assert one != two
    assert len({one, two, one}) == 2


async def test_a_call_class_goes_to_handle_call_a_cast_to_handle_cast_the_rest_to_info(
    node: Node,
) -> None:
    seen: list[tuple[str, object]] = []

    class Sorter(GenServer):
        def handle_call(self, request: object, reply_to: object) -> int:
            seen.append(("call", request))
            return 1

        def handle_cast(self, message: object) -> None:
            seen.append(("cast", message))

        def handle_info(self, message: object) -> None:
            seen.append(("info", message))

    server = await Sorter.start()
    infos: list[object] = [None, "text", 5, ("a", 1), Exit(None, "x"), IdleTimeout(), object, Get]
    for info in infos:
        server.send(info)
    server.cast(Add())
    server.send(AddTwice())
    assert await server.call(Get()) == 1
    assert seen == [
        *(("info", info) for info in infos),
        ("cast", Add()),
        ("cast", AddTwice()),
        ("call", Get()),
    ]


async def test_a_down_names_what_was_monitored(node: Node) -> None:
    """By name it holds the name, by pid or handle the pid."""
    server = await start(Scripted.child_spec().replace(name="counter"))
    pid = server.pid

    async def watch() -> list[Down]:
        targets: list[Pid | Ref] = [pid, server, named("counter"), named("nobody")]
        refs = [monitor(target) for target in targets]
        await server.stop("boom")
        downs = [await receive(Down) for _ in targets]
        assert {down.ref for down in downs} == set(refs)
        return sorted(downs, key=lambda down: refs.index(down.ref))

    downs = await in_process(watch)
    assert [(down.pid, down.reason, down.name) for down in downs] == [
        (pid, "boom", None),
        (pid, "boom", None),
        (pid, "boom", "counter"),
        (None, NoProcess(), "nobody"),
    ]


async def test_the_same_message_object_may_go_to_many(node: Node) -> None:
    logs: list[list[Any]] = [[], []]
    servers = [await start(Scripted.child_spec(log)) for log in logs]
    message = Exit(None, "shared")
    for server in servers:
        send(server, message)
    for server in servers:
        await server.stop()
    assert logs[0][0] == logs[1][0] == ("info", message)
