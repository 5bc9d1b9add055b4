"""Names by way of a registry: servers that are found, started and restarted by key."""

from __future__ import annotations

from typing import Any

import pytest
import trio

from runtime import (
    AlreadyStarted,
    CallExit,
    Crashed,
    Ignore,
    Ignored,
    Node,
    NoProcess,
    Normal,
    ProcessNotFound,
    Shutdown,
    StartFailed,
    StartTimeout,
    Stop,
    is_alive,
    kill,
    named,
    process_info,
    self_,
    spawn,
    spawn_link,
    spawn_monitor,
    start,
    wait_exit,
)
from runtime.registry import Registered, Registry
from runtime.registry_entries import Entry
from runtime.via import via
from supervisors import SupervisorRef, open_supervisor
from tests.runtime.registering import Client, client, got, on, start_registry
from tests.support import Ask, Do, Note, Scripted, in_process, stop_all


async def test_a_server_is_started_and_reached_by_its_key(node: Node) -> None:
    """REG-039."""
    names = await start_registry()
    name = via("names", 7)
    log: list[Any] = []
    started = await start(Scripted.child_spec(log).replace(name=name))
    assert name.whereis() is names.whereis_name(7) is started.pid is name.pid
    assert names.lookup(7) == [Entry(started.pid, None)]
    assert await name.call(Ask(lambda _server, _reply_to: "here")) == "here"
    name.cast(Do(lambda server: server.log.append("cast")))
    name.send(Note(text="sent"))
    await name.stop()
    assert log == ["cast", ("info", Note(text="sent")), ("terminate", Normal())]
    assert names.lookup(7) == []


async def test_who_is_started_by_name_is_a_registrant_like_any_other(node: Node) -> None:
    ears = await client(name="ears")
    names = await start_registry(listeners=["ears"])
    started = await start(Client.child_spec().replace(name=via("names", "k", 1)))
    assert await got(ears) == [Registered("names", "k", started.pid, 1)]
    info = process_info(started)
    assert info is not None
    assert info.links == (names.pid,)
    assert await on(started, names.update_value, "k", lambda value: value + 1) == (2, 1)
    await on(started, names.unregister, "k")
    assert via("names", "k").whereis() is None
    assert is_alive(started)


async def test_its_init_finds_it_registered(node: Node) -> None:
    names = await start_registry()
    seen: list[Any] = []

    def init(_server: object) -> None:
        seen.append((names.whereis_name("k"), names.keys()))

    started = await start(Scripted.child_spec(init=init).replace(name=via("names", "k")))
    assert seen == [(started.pid, ["k"])]


async def test_a_key_taken_by_register_starts_nothing(node: Node) -> None:
    names = await start_registry()
    a = await client()
    await on(a, names.register, "k", 1)
    with pytest.raises(AlreadyStarted) as raised:
        await start(Client.child_spec().replace(name=via(names, "k")))
    assert raised.value.pid is a.pid


def fail(_server: object) -> None:
    raise ValueError("not today")


async def slow(_server: object) -> None:
    await trio.sleep(60)


INITS = {
    "raises": (fail, StartFailed),
    "stops": (lambda _server: Stop("no"), StartFailed),
    "ignores": (lambda _server: Ignore(), Ignored),
    "hangs": (slow, StartTimeout),
}


@pytest.mark.parametrize("how", INITS)
async def test_a_name_is_free_when_its_start_has_failed(node: Node, how: str) -> None:
    """REG-042."""
    names = await start_registry()
    init, error = INITS[how]
    for _ in range(3):
        with pytest.raises(error):
            await start(Scripted.child_spec(init=init).replace(name=via("names", "k")), timeout=1)
        assert names.lookup("k") == []
        assert names.count() == 0
    info = process_info(names)
    assert info is not None
    assert info.links == ()
    await start(Client.child_spec().replace(name=via("names", "k")))


async def test_a_start_that_is_cancelled_leaves_nothing(node: Node) -> None:
    names = await start_registry()
    with trio.move_on_after(1) as scope:
        await start(Scripted.child_spec(init=slow).replace(name=via("names", "k")))
    assert scope.cancelled_caught
    assert names.count() == 0


async def test_killed_before_its_first_step_it_leaves_nothing(node: Node) -> None:
    names = await start_registry()
    pid = spawn(trio.sleep_forever, name=via("names", "k"))
    assert names.whereis_name("k") is pid
    kill(pid)
    await wait_exit(pid)
    assert names.count() == 0
    info = process_info(names)
    assert info is not None
    assert (info.links, info.handled, info.mailbox_length) == ((), 0, 0)


async def test_a_name_is_nobodys_as_soon_as_its_server_was_stopped(node: Node) -> None:
    """REG-043, GEN-060."""
    await start_registry()
    name = via("names", "k")
    await start(Client.child_spec().replace(name=name))
    await name.stop()
    assert name.whereis() is None
    with pytest.raises(CallExit) as exited:
        await name.call(Ask(lambda _server, _reply_to: None))
    assert exited.value.reason == NoProcess()
    name.cast(Do(lambda _server: None))
    with pytest.raises(ProcessNotFound) as raised:
        name.send("message")
    assert raised.value.target is name
    with pytest.raises(ProcessNotFound):
        name.pid  # noqa: B018


async def test_a_duplicate_registry_is_no_directory(node: Node) -> None:
    """REG-044. differs: a start raises ``StartFailed`` because of a ``TypeError``."""
    bus = await start_registry("duplicate", "bus")
    name = via("bus", "z")
    with pytest.raises(TypeError, match=r"^via: .* is a registry of duplicate keys, allowed is"):
        await name.call(Ask(lambda _server, _reply_to: None))
    with pytest.raises(StartFailed, match=r"^bus\[z\] did not start: .*duplicate keys") as raised:
        await start(Client.child_spec().replace(name=name))
    assert isinstance(raised.value.reason, Crashed)
    assert isinstance(raised.value.__cause__, TypeError)
    assert bus.count() == 0


async def test_a_directory_that_is_not_running_has_nobody(node: Node) -> None:
    """REG-033. differs: as for any name nobody holds; a start fails."""
    name = via("no such registry", 1)
    assert name.whereis() is None
    with pytest.raises(CallExit):
        await name.call(Ask(lambda _server, _reply_to: None))
    name.cast(Do(lambda _server: None))
    with pytest.raises(ProcessNotFound):
        name.send("message")
    with pytest.raises(StartFailed) as raised:
        await start(Client.child_spec().replace(name=name))
    assert raised.value.reason == NoProcess()
    assert raised.value.__notes__ == [
        "named('no such registry'), which would register it, is not running"
    ]


async def test_plain_functions_are_registered_too(node: Node) -> None:
    names = await start_registry()

    async def body() -> None:
        assert names.keys() == [key]
        await trio.sleep_forever()

    key = "spawned"
    one = spawn(body, name=via("names", key))
    await trio.testing.wait_all_tasks_blocked()
    assert names.whereis_name(key) is one

    async def starter() -> None:
        two = spawn_link(trio.sleep_forever, name=via("names", "linked"))
        three, _ = spawn_monitor(trio.sleep_forever, name=via("names", "monitored"))
        assert names.whereis_name("linked") is two
        assert names.whereis_name("monitored") is three
        with pytest.raises(AlreadyStarted):
            spawn(trio.sleep_forever, name=via("names", "linked"))
        await stop_all(three)

    await in_process(starter)


async def test_a_restarted_child_has_its_key_again(node: Node) -> None:
    """The trap: a restart meets no trace of its predecessor."""
    names = await start_registry()
    name = via(names, ("user", 7), "v")
    children = [Client.child_spec().replace(name=name)]
    async with open_supervisor(children, max_restarts=100):
        pids = set()
        for _ in range(20):
            pids.add(name.pid)
            assert names.lookup(("user", 7)) == [Entry(name.pid, "v")]
            kill(name)
            await trio.testing.wait_all_tasks_blocked()
        assert len(pids) == 20
        assert names.count() == 1
    assert names.count() == 0


async def test_the_key_is_the_id_of_a_child(node: Node) -> None:
    await start_registry()
    async with open_supervisor(
        [Client.child_spec().replace(name=via("names", key)) for key in (1, 2, "three")]
    ) as supervisor:
        children = await SupervisorRef(supervisor.pid).which_children()
        assert [child.id for child in children] == ["three", 2, 1]


async def test_a_registry_that_is_restarted_takes_its_names_with_it(node: Node) -> None:
    """REG-048, with everything under one supervisor."""
    children = [
        Registry.child_spec("unique").replace(name="names"),
        Client.child_spec().replace(name=via("names", "k")),
    ]
    async with open_supervisor(children, strategy="rest_for_one"):
        name = via("names", "k")
        before = name.pid
        await stop_all(name)
        await trio.testing.wait_all_tasks_blocked()
        middle = name.pid
        await stop_all(named("names"))
        await trio.testing.wait_all_tasks_blocked()
        assert len({before, middle, name.pid}) == 3
        assert not is_alive(middle)


async def test_a_process_registers_what_it_starts_not_itself(node: Node) -> None:
    names = await start_registry()

    async def starter() -> None:
        pid = spawn(trio.sleep_forever, name=via("names", "k"))
        assert names.keys() == []
        assert names.keys(pid) == ["k"]
        assert pid is not self_()
        await stop_all(pid)

    await in_process(starter)
    assert names.count() == 0


async def test_a_stopped_registry_leaves_no_name_to_start_under(node: Node) -> None:
    names = await start_registry()
    started = await start(Client.child_spec().replace(name=via("names", "k")))
    await names.stop()
    assert await wait_exit(started) in (Shutdown(), NoProcess())
    with pytest.raises(StartFailed):
        await start(Client.child_spec().replace(name=via("names", "k")))
