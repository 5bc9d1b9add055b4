"""The registry itself: how it is started, and what it does with messages."""

from __future__ import annotations

from typing import Any

import pytest
import trio

from runtime import (
    Call,
    Cast,
    MessageUnexpected,
    Node,
    NoProcess,
    Normal,
    Pid,
    ProcessExit,
    ProcessNotFound,
    UnhandledMessage,
    exit,
    is_alive,
    kill,
    process_info,
    self_,
    start,
    wait_exit,
)
from runtime.current import current_table
from runtime.registry import Registry
from runtime.registry_ref import RegistryInfo, RegistryRef
from runtime.spawning import spawn_process
from supervisors import open_supervisor
from tests.conftest import Recorder
from tests.runtime.registering import client, clients, on, start_registry
from tests.support import reason_of, stop_all

# ---------------------------------------------------------------------- options

BAD: dict[str, tuple[dict[str, Any], type[Exception], str]] = {
    "keys of another kind": (
        {"keys": "many"}, ValueError, r"^keys: got 'many', allowed are 'unique' and 'duplicate'$",
    ),
    "keys that are no word": ({"keys": ["unique"]}, ValueError, r"^keys: got \['unique'\], allow"),
    "no listeners": ({"listeners": 1}, TypeError, r"^listeners: got 1, allowed are several names"),
    "one name": ({"listeners": "ears"}, TypeError, r"^listeners: got 'ears', allowed are several"),
    "no name": ({"listeners": ["ears", 1]}, TypeError, r"^listeners: got 1, allowed is a non-emp"),
    "an empty name": ({"listeners": [""]}, TypeError, r"^listeners: got '', allowed is a non-emp"),
    "no meta": ({"meta": 1}, TypeError, r"^meta: got 1, allowed are a mapping and None$"),
    "partitions": ({"partitions": 4}, TypeError, r"unexpected keyword argument 'partitions'"),
}  # fmt: skip


@pytest.mark.parametrize("what", BAD)
def test_bad_options_are_refused_when_the_spec_is_made(what: str) -> None:
    """REG-050. differs: there are no partitions and nothing is compressed: it is one thread."""
    options, error, text = BAD[what]
    with pytest.raises(error, match=text):
        Registry.child_spec(**options)
    with pytest.raises(error, match=text.replace("^keys: got", "got")):
        Registry(**options)


async def test_keys_are_unique_by_default(node: Node) -> None:
    names = RegistryRef[str, int](await Registry.start())
    assert names.info() == RegistryInfo("unique", 0, ())


async def test_options_that_come_once_are_kept_for_restarts(node: Node) -> None:
    given = {"a": 1}
    spec = Registry.child_spec("unique", listeners=iter(["ears"]), meta=given)
    given["a"] = 2
    async with open_supervisor([spec.replace(name="names")]):
        names = RegistryRef[str, int]("names")
        for _ in range(2):
            assert names.info().listeners == ("ears",)
            assert names.meta("a") == 1
            names.put_meta("a", 3)
            assert names.meta("a") == 3
            await stop_all(names)
            await trio.testing.wait_all_tasks_blocked()


class Colours(Registry):
    """A registry with options of its own."""

    def __init__(self, *colours: str) -> None:
        super().__init__("duplicate", meta={"colours": colours})


async def test_a_registry_may_be_a_class_of_the_users(node: Node) -> None:
    await start(Colours.child_spec("red").replace(name="colours"))
    colours = RegistryRef[str, None]("colours")
    assert colours.meta("colours") == ("red",)
    assert colours.info().keys == "duplicate"


async def test_a_registry_that_has_not_run_yet_is_not_found(node: Node) -> None:
    body = Registry.child_spec().make_body()
    process = spawn_process(current_table(), body, label="names", name="names")
    names = RegistryRef[str, int]("names")
    with pytest.raises(ProcessNotFound):
        names.count()
    await trio.testing.wait_all_tasks_blocked()
    assert names.count() == 0
    assert process.pid is names.pid


async def test_a_registry_killed_before_it_ran_leaves_nothing(node: Node) -> None:
    body = Registry.child_spec().make_body()
    pid = spawn_process(current_table(), body, label="names", name="names").pid
    kill(pid)
    await wait_exit(pid)
    with pytest.raises(ProcessNotFound):
        RegistryRef[str, int]("names").count()


class Fails(Registry):
    """A registry that cannot be made."""

    def __init__(self) -> None:
        raise ValueError("not today")


async def test_one_that_cannot_be_made_fails_its_start(node: Node) -> None:
    with pytest.raises(Exception, match="did not start") as raised:
        await Fails.start()
    assert isinstance(raised.value.__cause__, ValueError)


# ---------------------------------------------------------------------- messages


class Anything(Call[int]):
    """A call meant for somebody else."""


class Whatever(Cast):
    """A cast meant for somebody else."""


async def test_messages_meant_for_a_registrant_do_no_harm(node: Node, events: Recorder) -> None:
    names = await start_registry()
    a = await client()
    await on(a, names.register, "k", 1)
    with pytest.raises(UnhandledMessage, match=r"the call Anything; call whom it has: via\(\.\.\."):
        await names.call(Anything())
    names.cast(Whatever())
    names.send("hello")
    await trio.testing.wait_all_tasks_blocked()
    assert [event.message for event in events.of(MessageUnexpected)] == ["Whatever()", "'hello'"]
    assert names.count() == 1


async def test_the_exit_signals_of_strangers_are_ignored(node: Node, events: Recorder) -> None:
    names = await start_registry()
    exit(names, "boo")
    exit(names, Normal())
    await trio.testing.wait_all_tasks_blocked()
    assert names.count() == 0
    assert events.of(MessageUnexpected) == []
    info = process_info(names)
    assert info is not None
    assert (info.trap_exits, info.mailbox_length) == (True, 0)


@pytest.mark.parametrize("entries", ["none", "some", "none any more", "some again"])
async def test_a_registry_ends_with_its_parent(node: Node, entries: str) -> None:
    """Also if the parent is registered there: its link was there before its entries."""
    pids: list[Pid] = []

    async def parent() -> None:
        names = RegistryRef[str, None](await Registry.start_link())
        pids.append(names.pid)
        if entries != "none":
            names.register("x")
            names.register("y")
        if entries.endswith(("more", "again")):
            names.unregister("x")
            names.unregister("y")
        if entries.endswith("again"):
            names.register("x")
        raise ProcessExit("bye")

    assert await reason_of(parent) == "bye"
    assert await wait_exit(pids[0]) in ("bye", NoProcess())
    assert not is_alive(pids[0])


# ---------------------------------------------------------------------- a registrant of its own


class Itself(Registry):
    """A registry that is in its own list."""

    def init(self) -> None:
        RegistryRef[str, int](self_()).register("me", 1)


async def test_a_registry_may_register_itself(node: Node) -> None:
    names = RegistryRef[str, int](await Itself.start())
    assert names.whereis_name("me") is names.pid
    info = process_info(names)
    assert info is not None
    assert info.links == ()
    await names.stop()


async def test_two_registries_do_not_meet(node: Node) -> None:
    one, two = await start_registry(name="one"), await start_registry(name="two")
    a, b = await clients(2)
    await on(a, one.register, "k", 1)
    await on(b, two.register, "k", 2)
    await on(a, two.register, "mine", 3)
    assert (one.keys(a), two.keys(a), two.keys(b)) == (["k"], ["mine"], ["k"])
    await stop_all(b)
    assert (one.count(), two.count()) == (1, 1)
    await stop_all(a)
    assert (one.count(), two.count()) == (0, 0)
