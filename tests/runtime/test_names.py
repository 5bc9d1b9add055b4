"""Local names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import trio

from runtime import (
    NameTaken,
    Node,
    NoNode,
    OutsideProcess,
    Pid,
    ProcessNotFound,
    kill,
    named,
    ref,
    register,
    registered,
    send,
    spawn,
    unregister,
    wait_exit,
    whereis,
)
from tests.support import in_process, stop_all


@pytest.fixture
async def pid(node: Node) -> Pid:
    """A process that the test or, at the latest, the node ends."""
    return spawn(trio.sleep_forever)


async def test_a_name_leads_to_its_process(pid: Pid) -> None:
    register("counter", pid)
    assert whereis("counter") is pid
    assert named("counter").whereis() is pid
    assert registered() == ["counter"]
    await stop_all(pid)


async def test_a_process_registers_itself(node: Node) -> None:
    async def body() -> None:
        register("me")
        assert whereis("me") is not None
        unregister("me")
        register("me again")

    await in_process(body)
    assert registered() == []


async def test_a_process_has_one_name(pid: Pid) -> None:
    """PROC-064. differs: the error is NameTaken."""
    register("one", pid)
    with pytest.raises(NameTaken, match="is registered as 'one' already") as raised:
        register("two", pid)
    assert (raised.value.name, raised.value.pid) == ("one", pid)
    assert registered() == ["one"]
    with pytest.raises(NameTaken):
        register("one", pid)
    await stop_all(pid)


async def test_a_name_has_one_process(pid: Pid) -> None:
    """PROC-065."""
    register("one", pid)
    other = spawn(trio.sleep_forever)
    with pytest.raises(NameTaken, match="is held by") as raised:
        register("one", other)
    assert (raised.value.name, raised.value.pid) == ("one", pid)
    await stop_all(pid, other)


async def test_a_dead_process_cannot_be_registered(pid: Pid) -> None:
    """PROC-066."""
    handle = ref(pid)
    await stop_all(pid)
    for target in (pid, handle, named("nobody")):
        with pytest.raises(ProcessNotFound):
            register("name", target)
    assert registered() == []


@pytest.mark.parametrize("reserved", [None, True, False, "", 1, b"x", ("a", "b")])
async def test_what_is_no_text_is_no_name(pid: Pid, reserved: Any) -> None:
    """PROC-067. differs: names are strings, so what is reserved is what is no string."""

    def register_pid(name: Any) -> None:
        register(name, pid)

    calls: tuple[Callable[[Any], object], ...] = (register_pid, unregister, whereis, named)
    for call in calls:
        with pytest.raises(TypeError, match=r"^name: got .* allowed is a non-empty string$"):
            call(reserved)
    await stop_all(pid)


async def test_the_names_of_erlangs_reserved_atoms_are_text_like_any_other(pid: Pid) -> None:
    """PROC-067. differs: there are no atoms."""
    for name in ("nil", "true", "undefined"):
        register(name, pid)
        assert whereis(name) is pid
        unregister(name)
    await stop_all(pid)


async def test_a_freed_name_can_be_taken_and_its_old_holder_lives_on(pid: Pid) -> None:
    register("name", pid)
    unregister("name")
    other = spawn(trio.sleep_forever, name="name")
    assert whereis("name") is other
    await stop_all(pid)
    assert whereis("name") is other
    await stop_all(other)


async def test_the_death_of_a_former_holder_does_not_free_the_name(node: Node) -> None:
    old = spawn(trio.sleep_forever, name="name")
    unregister("name")
    register("other", old)
    new = spawn(trio.sleep_forever, name="name")
    await stop_all(old)
    assert registered() == ["name"]
    assert whereis("name") is new
    await stop_all(new)


async def test_a_name_is_free_as_soon_as_the_death_is_known(node: Node) -> None:
    """PROC-063."""
    for _ in range(50):
        holder = spawn(trio.sleep_forever, name="name")
        await trio.lowlevel.checkpoint()
        kill(holder)
        assert whereis("name") in (holder, None)
        await wait_exit(holder)
        assert whereis("name") is None


async def test_sending_by_a_name_nobody_holds_raises(node: Node) -> None:
    """PROC-007."""
    target = named("nobody")
    with pytest.raises(ProcessNotFound) as raised:
        target.send("message")
    assert raised.value.target is target
    with pytest.raises(ProcessNotFound):
        send(target, "message")


async def test_sending_to_a_dead_pid_vanishes(pid: Pid) -> None:
    """PROC-006. differs: ``send`` returns nothing."""
    handle = ref(pid)
    await stop_all(pid)
    send(pid, "message")
    send(handle, "message")
    handle.send("message")
    ref(pid).send("message")


async def test_names_are_listed_in_order(node: Node) -> None:
    pids = [spawn(trio.sleep_forever, name=name) for name in ("b", "c", "a")]
    assert registered() == ["a", "b", "c"]
    await stop_all(*pids)


async def test_a_plain_task_has_nothing_to_register(node: Node) -> None:
    with pytest.raises(OutsideProcess):
        register("me")


async def test_a_target_that_is_none_is_refused(node: Node) -> None:
    with pytest.raises(TypeError, match=r"^target: got 7"):
        register("name", 7)  # type: ignore[arg-type]


async def test_without_a_node_there_are_no_names() -> None:
    for call in (lambda: whereis("x"), lambda: unregister("x"), registered):
        with pytest.raises(NoNode):
            call()
