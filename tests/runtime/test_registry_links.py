"""Who ends with whom: registrants, other registrants, the registry."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import trio

from runtime import (
    Crashed,
    Down,
    Event,
    Exit,
    ExitReason,
    Instrument,
    Killed,
    Node,
    Normal,
    ProcessEnded,
    ProcessNotFound,
    Ref,
    Shutdown,
    is_alive,
    kill,
    link,
    monitor,
    process_info,
    receive,
    self_,
    spawn,
    unlink,
    wait_exit,
)
from runtime.current import current_table
from runtime.registry import Registry, RegistryKeys, find_registry
from runtime.registry_entries import Entry
from runtime.registry_ref import AlreadyRegistered, RegistryRef
from tests.conftest import Recorder
from tests.runtime.registering import client, clients, got, on, start_registry
from tests.support import end_of, reason_of, stop_all


def linked(one: Ref, other: Ref) -> bool:
    """Both must agree."""
    infos = process_info(one), process_info(other)
    assert infos[0] is not None
    assert infos[1] is not None
    sides = (other.pid in infos[0].links, one.pid in infos[1].links)
    assert sides[0] == sides[1]
    return sides[0]


KINDS: tuple[RegistryKeys, ...] = ("unique", "duplicate")


# ---------------------------------------------------------------------- the link


async def test_a_registrant_is_linked_while_it_has_a_key(node: Node) -> None:
    """REG-001, REG-014."""
    names = await start_registry()
    a = await client()
    assert not linked(a, names)
    await on(a, names.register, "x", 1)
    await on(a, names.register, "y", 2)
    assert linked(a, names)
    await on(a, names.unregister, "x")
    await on(a, names.unregister, "never held")
    assert linked(a, names)
    await on(a, names.unregister_match, "y", lambda value: value == 2)
    assert not linked(a, names)
    await on(a, names.register, "z", 3)
    assert linked(a, names)


async def test_one_entry_of_several_under_a_key_keeps_the_link(node: Node) -> None:
    """REG-014, REG-029."""
    bus = await start_registry("duplicate")
    a = await client()
    for value in (1, 2):
        await on(a, bus.register, "k", value)
    await on(a, bus.unregister_match, "k", lambda value: value == 1)
    assert linked(a, bus)
    await on(a, bus.unregister_match, "k", lambda value: value == 2)
    assert not linked(a, bus)


async def test_who_is_refused_is_not_linked(node: Node) -> None:
    """REG-003."""
    names = await start_registry()
    a, b = await clients(2)
    await on(a, names.register, "k", 1)
    with pytest.raises(AlreadyRegistered):
        await on(b, names.register, "k", 2)
    assert not linked(b, names)
    with pytest.raises(AlreadyRegistered):
        await on(a, names.register, "k", 2)
    assert linked(a, names)
    await stop_all(names)
    assert is_alive(b)


async def test_a_link_made_before_by_hand_stays(node: Node) -> None:
    names = await start_registry()
    a = await client()
    await on(a, link, names)
    await on(a, names.register, "k", 1)
    await on(a, names.unregister, "k")
    assert linked(a, names)
    await on(a, unlink, names)
    await on(a, names.register, "k", 1)
    await on(a, names.unregister, "k")
    assert not linked(a, names)
    await on(a, link, names)
    await on(a, names.register, "k", 1)
    await stop_all(a)
    assert is_alive(names)
    assert names.count() == 0


# ---------------------------------------------------------------------- a registrant ends


async def fails() -> None:
    raise ValueError("real reason")


@pytest.mark.parametrize("keys", ["unique", "duplicate"])
async def test_the_end_of_a_registrant_hurts_nobody(node: Node, keys: Any) -> None:
    """REG-007."""
    names = await start_registry(keys)
    a, b = await clients(2)
    await on(a, names.register, "a", 1)

    async def registers_and_fails() -> None:
        names.register("c", 3)
        await fails()

    await on(b, names.register, "b", 2)
    assert isinstance(await reason_of(registers_and_fails), Crashed)
    kill(b)
    await wait_exit(b)
    await trio.testing.wait_all_tasks_blocked()
    assert is_alive(a)
    assert names.select() == [("a", a.pid, 1)]


async def test_the_entries_are_gone_before_anybody_hears_of_the_death(node: Node) -> None:
    """REG-004, REG-005, REG-006. differs: nothing stale is ever seen, so liveness needs no check;
    a successor can register in the very step in which it hears of the death."""
    names = await start_registry()
    a = await client()
    pid = a.pid
    seen: list[Any] = []
    await on(a, names.register, "k", 1)

    def look(event: Event) -> None:
        if isinstance(event, ProcessEnded) and event.pid is pid:
            seen.append((names.lookup("k"), names.keys(pid), names.count(), names.select()))

    async def successor() -> None:
        monitor(pid)
        kill(pid)
        await receive(Down)
        assert names.whereis_name("k") is None
        names.register("k", 2)
        assert names.lookup("k") == [Entry(self_(), 2)]

    current_table().instruments.add(Instrument(look, (ProcessEnded,)))
    assert await reason_of(successor) == Normal()
    assert seen == [([], [], 0, [])]


async def test_the_next_holder_may_come_at_any_step_of_a_death(node: Node) -> None:
    """REG-004."""
    names = await start_registry()

    async def holder() -> None:
        names.register("k", 1)
        await trio.sleep_forever()

    for _ in range(50):
        pid = spawn(holder)
        while names.whereis_name("k") is None:
            await trio.lowlevel.checkpoint()
        kill(pid)
        assert names.whereis_name("k") in (pid, None)
        await wait_exit(pid)
        assert names.whereis_name("k") is None


async def test_no_exit_of_a_registrant_is_sent_to_the_registry(node: Node) -> None:
    names = await start_registry()
    many = await clients(20)
    for key, process in enumerate(many):
        await on(process, names.register, key, key)
    await stop_all(*many)
    await trio.testing.wait_all_tasks_blocked()
    info = process_info(names)
    assert info is not None
    assert (info.handled, info.mailbox_length, info.links) == (0, 0, ())


async def test_the_last_words_of_a_registrant_find_it_registered(node: Node) -> None:
    names = await start_registry()
    seen: list[Any] = []

    async def body() -> None:
        names.register("k", 1)
        try:
            await trio.sleep_forever()
        finally:
            seen.append(names.lookup("k"))
            names.register("late", 2)

    pid = spawn(body)
    await trio.testing.wait_all_tasks_blocked()
    kill(pid)
    await wait_exit(pid)
    assert seen == [[Entry(pid, 1)]]
    assert names.count() == 0


async def test_a_helper_task_registers_its_process(node: Node) -> None:
    names = await start_registry()

    async def register() -> None:
        names.register("k", 1)

    async def body() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(register)
        assert names.keys() == ["k"]

    assert await reason_of(body) == Normal()
    assert names.count() == 0


# ---------------------------------------------------------------------- the registry ends


ENDS: dict[str, tuple[Callable[[Ref], Awaitable[None]], ExitReason]] = {
    "stopped": (lambda names: names.stop(), Shutdown()),
    "stopped as shutdown": (lambda names: names.stop(Shutdown("over")), Shutdown("over")),
    "killed": (stop_all, Killed()),
}


@pytest.mark.parametrize("how", ENDS)
@pytest.mark.parametrize("keys", ["unique", "duplicate"])
async def test_a_registry_that_ends_takes_its_registrants_down(
    node: Node, events: Recorder, how: str, keys: Any
) -> None:
    """REG-048, REG-046, REG-047. differs: there are no partitions; its crash is the registry's."""
    names = await start_registry(keys)
    a, b, c, d = await clients(4)
    traps = await client(trap=True)
    for process, key in ((a, 1), (a, 2), (b, 3), (c, 4), (traps, 5)):
        await on(process, names.register, key, key)
    await on(c, names.unregister, 4)
    pid, pids = names.pid, [process.pid for process in (a, b)]
    end, reason = ENDS[how]
    await end(names)
    await trio.testing.wait_all_tasks_blocked()
    assert [end_of(events, one) for one in pids] == [reason, reason]
    assert is_alive(c)
    assert is_alive(d)
    assert await got(traps) == [Exit(pid, reason)]


class Bad(Registry):
    """A registry of a user's, with a bug."""

    def handle_info(self, message: object) -> None:
        raise ValueError("bug")


async def test_a_registry_that_crashes_takes_its_registrants_down(
    node: Node, events: Recorder
) -> None:
    names = RegistryRef[str, int](await Bad.start())
    a = await client()
    await on(a, names.register, "k", 1)
    pid = a.pid
    names.send("anything")
    await trio.testing.wait_all_tasks_blocked()
    assert isinstance(end_of(events, pid), Crashed)


async def test_what_outlives_its_registry_holds_nothing_of_it(node: Node) -> None:
    names = await start_registry()
    traps = await client(trap=True)
    await on(traps, names.register, "k", 1)
    await stop_all(names)
    again = await start_registry()
    assert again.lookup("k") == []
    assert again.keys(traps) == []
    process = traps.find()
    assert process is not None
    assert not process.claims
    await on(traps, again.register, "k", 2)
    await stop_all(traps)
    assert again.count() == 0


async def test_the_next_entry_links_again_who_has_unlinked_itself(node: Node) -> None:
    names = await start_registry()
    a = await client()
    await on(a, link, names)
    await on(a, names.register, "x", 1)
    await on(a, unlink, names)
    await on(a, names.register, "y", 2)
    assert linked(a, names)
    await on(a, names.unregister, "x")
    assert linked(a, names)
    await on(a, names.unregister, "y")
    assert not linked(a, names)


async def test_who_has_unlinked_itself_outlives_the_registry(node: Node) -> None:
    names = await start_registry()
    a = await client()
    await on(a, names.register, "k", 1)
    await on(a, unlink, names)
    await names.stop()
    await trio.testing.wait_all_tasks_blocked()
    assert is_alive(a)
    await stop_all(a)


async def test_registrant_and_registry_killed_in_the_same_tick(node: Node) -> None:
    for _ in range(20):
        names = await start_registry()
        a, b = await clients(2)
        await on(a, names.register, "k", 1)
        await on(b, names.register, "l", 1)
        kill(a)
        kill(names)
        kill(b)
        for one in (a, b, names):
            await wait_exit(one)


async def test_who_registers_with_a_registry_that_was_killed_goes_down_with_it(node: Node) -> None:
    names = await start_registry()

    async def late() -> None:
        kill(names)
        names.register("k", 1)
        await trio.sleep_forever()

    assert await reason_of(late) == Killed()


async def test_a_registrant_may_stop_its_registry(node: Node) -> None:
    names = await start_registry()

    async def body() -> None:
        names.register("k", 1)
        await names.stop()
        with pytest.raises(ProcessNotFound):
            names.keys()

    assert await reason_of(body) == Shutdown()


async def test_a_registry_that_has_ended_is_freed_at_once(node: Node) -> None:
    """Also while a registrant lives on."""
    traps = await client(trap=True)
    gc.collect()
    gc.disable()
    try:
        for keys in KINDS:
            names = await start_registry(keys)
            await on(traps, names.register, "k", object())
            gone = weakref.ref(find_registry(names))
            await stop_all(names)
            await trio.testing.wait_all_tasks_blocked()
            assert gone() is None
    finally:
        gc.enable()
