"""Rows of REG about ends: of a registrant, and of the registry."""

from __future__ import annotations

from functools import partial

from runtime import (
    Crashed,
    Entry,
    Exit,
    ExitReason,
    Killed,
    Pid,
    Registry,
    RegistryKeys,
    Shutdown,
    is_alive,
    named,
    self_,
    suspend,
    unlink,
    via,
)
from supervisors import open_supervisor
from tests.conformance.reg.parts import (
    KINDS,
    Names,
    as_soon_as_it_is_dead,
    links_of,
    settled,
)
from tests.conformance.scenarios import row
from tests.conftest import Recorder
from tests.runtime.registering import client, clients, got, on, start_registry
from tests.support import end_of, in_process, reason_of, stop_all

# ---------------------------------------------------------------------- a registrant ends


@row("REG-004")
async def the_next_holder_may_come_as_soon_as_the_last_is_dead() -> None:
    """The registry is suspended, so it could not have cleaned up by itself."""
    names = await start_registry()
    a = await client()
    await on(a, names.register, "k", 1)
    await suspend(names)

    def register() -> None:
        names.register("k", 2)
        assert names.lookup("k") == [Entry(self_(), 2)]
        assert names.select() == [("k", self_(), 2)]

    await in_process(partial(as_soon_as_it_is_dead, a, register))


@row("REG-005")
async def the_entries_of_the_dead_are_never_seen() -> None:
    """differs: nothing stale can be seen, however busy the registry is."""
    for keys in KINDS:
        names = await start_registry(keys, keys)
        a = await client()
        pid = a.pid
        await on(a, names.register, "k", 1)
        await suspend(names)
        seen: list[object] = []

        def look(names: Names = names, pid: Pid = pid, seen: list[object] = seen) -> None:
            seen.extend((names.lookup("k"), names.keys(pid), names.count(), names.select()))
            seen.append(via("unique", "k").whereis())

        await in_process(partial(as_soon_as_it_is_dead, a, look))
        assert seen == [[], [], 0, [], None]


@row("REG-006")
async def all_keys_of_a_dead_process_are_gone() -> None:
    for keys in KINDS:
        names = await start_registry(keys, keys)
        a, b = await clients(2)
        pid = a.pid
        for key in ("x", "y"):
            await on(a, names.register, key, 1)
        await on(b, names.register, "z", 2)
        await stop_all(a)
        await settled()
        assert [names.lookup(key) for key in ("x", "y", "z")] == [[], [], [Entry(b.pid, 2)]]
        assert (names.keys(pid), names.keys(b)) == ([], ["z"])
        assert names.select() == [("z", b.pid, 2)]


@row("REG-007")
async def the_crash_of_a_registrant_hurts_no_other() -> None:
    for keys in KINDS:
        names = await start_registry(keys, keys)
        plain, traps = await client(), await client(trap=True)
        await on(plain, names.register, "plain", 1)
        await on(traps, names.register, "traps", 2)

        async def registers_and_fails(names: Names = names) -> None:
            names.register("mine", 3)
            raise ValueError("boom")

        assert isinstance(await reason_of(registers_and_fails), Crashed)
        await settled()
        assert [is_alive(one) for one in (names, plain, traps)] == [True, True, True]
        assert [await got(one) for one in (plain, traps)] == [[], []]
        assert names.select() == [("plain", plain.pid, 1), ("traps", traps.pid, 2)]
        assert links_of(names) == (plain.pid, traps.pid)


@row("REG-049")
async def who_unlinks_itself_by_hand_leaves_nothing_stale() -> None:
    """differs: the entry goes with its process, link or no link."""
    names = await start_registry()
    a = await client()
    await on(a, names.register, "k", 1)
    await on(a, unlink, names)
    assert (links_of(a), links_of(names)) == ((), ())
    assert names.lookup("k") == [Entry(a.pid, 1)]
    await stop_all(a)
    assert (names.lookup("k"), names.count()) == ([], 0)
    assert via("names", "k").whereis() is None


# ---------------------------------------------------------------------- the registry ends


@row("REG-048")
async def the_end_of_a_registry_is_that_of_its_registrants(events: Recorder) -> None:
    stopped: tuple[ExitReason, ...] = (Shutdown(), Killed())
    for keys in KINDS:
        for reason in stopped:
            names = await start_registry(keys)
            a, b, stranger = await clients(3)
            pids = [a.pid, b.pid]
            await on(a, names.register, "x", 1)
            await on(b, names.register, "y", 1)
            await (stop_all(names) if reason == Killed() else names.stop())
            await settled()
            assert [end_of(events, pid) for pid in pids] == [reason, reason]
            assert is_alive(stranger)


async def killed_under_a_supervisor(keys: RegistryKeys, events: Recorder) -> None:
    """What becomes of those that are registered and of those that are not, and what starts."""
    children = [Registry.child_spec(keys).replace(name="names")]
    async with open_supervisor(children):
        names: Names = Names("names")
        a, b, stranger, traps = *await clients(3), await client(trap=True)
        before, pids = names.pid, [a.pid, b.pid]
        for process, key in ((a, "x"), (b, "y"), (traps, "z")):
            await on(process, names.register, key, 1)
        await stop_all(named("names"))
        await settled()
        assert [end_of(events, pid) for pid in pids] == [Killed(), Killed()]
        assert is_alive(stranger)
        assert await got(traps) == [Exit(before, Killed())]
        assert names.pid is not before
        assert (names.count(), names.lookup("z"), links_of(names)) == (0, [], ())


@row("REG-046")
async def the_crash_of_a_unique_registry_takes_its_registrants_down(events: Recorder) -> None:
    """differs: there are no partitions; what crashes and is restarted is the registry."""
    await killed_under_a_supervisor("unique", events)


@row("REG-047")
async def the_crash_of_a_duplicate_registry_takes_its_registrants_down(events: Recorder) -> None:
    """differs: there are no partitions, so it is the end of all registrants and all entries."""
    await killed_under_a_supervisor("duplicate", events)
