"""The locks of a registry."""

from __future__ import annotations

from typing import Any

import pytest
import trio

from runtime import (
    Crashed,
    Killed,
    Node,
    Normal,
    Pid,
    ProcessNotFound,
    is_alive,
    kill,
    spawn,
    start,
    wait_exit,
)
from runtime.registry_ref import RegistryRef
from tests.runtime.registering import Client, start_registry
from tests.support import Scripted, stop_all


def locks_of(names: RegistryRef[Any, Any]) -> dict[Any, Any]:
    """What the registry remembers of locks."""
    process = names.find()
    assert process is not None
    locks: dict[Any, Any] = process.body.server.locks  # type: ignore[attr-defined]
    return locks


class Holders:
    """Processes that hold a lock for a second each, and what they did when."""

    def __init__(self, names: RegistryRef[Any, Any]) -> None:
        self.names = names
        self.log: list[tuple[str, str, float]] = []

    def note(self, who: str, what: str) -> None:
        self.log.append((who, what, trio.current_time()))

    async def start(self, who: str, key: object = "k") -> Pid:
        """Whoever is started first asks first."""

        async def body() -> None:
            async with self.names.lock(key):
                self.note(who, "in")
                await trio.sleep(1)
                self.note(who, "out")

        pid = spawn(body)
        await trio.testing.wait_all_tasks_blocked()
        return pid

    @property
    def turns(self) -> list[tuple[str, str]]:
        return [(who, what) for who, what, _ in self.log]


@pytest.fixture
async def holders(node: Node) -> Holders:
    return Holders(await start_registry())


async def test_one_at_a_time_in_the_order_of_asking(holders: Holders) -> None:
    """REG-052."""
    began = trio.current_time()
    pids = [await holders.start(who) for who in "abc"]
    for pid in pids:
        await wait_exit(pid)
    assert holders.turns == [(who, what) for who in "abc" for what in ("in", "out")]
    assert trio.current_time() - began == 3
    assert locks_of(holders.names) == {}


async def test_different_keys_do_not_block(holders: Holders) -> None:
    """REG-052, and REG-008 for locks."""
    began = trio.current_time()
    pids = [await holders.start(str(key), key) for key in ("k", 1, 1.0, True, ("k",))]
    assert len(locks_of(holders.names)) == 5
    for pid in pids:
        await wait_exit(pid)
    assert trio.current_time() - began == 1
    assert locks_of(holders.names) == {}


async def test_a_lock_has_nothing_to_do_with_an_entry(holders: Holders) -> None:
    await start(Client.child_spec())

    async def body() -> None:
        async with holders.names.lock("k"):
            holders.names.register("k", 1)

    pid = spawn(body)
    assert await wait_exit(pid) == Normal()
    assert holders.names.count() == 0


async def test_a_holder_that_raises_frees_it(holders: Holders) -> None:
    """REG-053."""

    async def fails() -> None:
        async with holders.names.lock("k"):
            await trio.sleep(1)
            raise ValueError("boom")

    pid = spawn(fails)
    await trio.testing.wait_all_tasks_blocked()
    waiter = await holders.start("waiter")
    assert isinstance(await wait_exit(pid), Crashed)
    assert await wait_exit(waiter) == Normal()
    assert holders.turns == [("waiter", "in"), ("waiter", "out")]
    assert locks_of(holders.names) == {}


async def test_a_holder_that_is_killed_frees_it(holders: Holders) -> None:
    """REG-053."""
    holder = await holders.start("holder")
    waiter = await holders.start("waiter")
    kill(holder)
    await trio.testing.wait_all_tasks_blocked()
    assert holders.turns == [("holder", "in"), ("waiter", "in")]
    assert await wait_exit(waiter) == Normal()
    assert locks_of(holders.names) == {}


async def test_a_waiter_that_is_killed_is_passed_over(holders: Holders) -> None:
    """REG-053."""
    a, b, c = [await holders.start(who) for who in "abc"]
    kill(b)
    assert await wait_exit(b) == Killed()
    assert locks_of(holders.names).keys() == {"k"}
    await wait_exit(c)
    assert holders.turns == [("a", "in"), ("a", "out"), ("c", "in"), ("c", "out")]
    assert not is_alive(a)
    assert locks_of(holders.names) == {}


async def test_holder_and_waiters_killed_in_the_same_tick_leave_it_free(holders: Holders) -> None:
    for _ in range(20):
        pids = [await holders.start(who) for who in "abc"]
        for pid in pids:
            kill(pid)
        for pid in pids:
            await wait_exit(pid)
        assert locks_of(holders.names) == {}
        assert await wait_exit(await holders.start("next")) == Normal()


async def test_a_plain_task_may_hold_one_too(holders: Holders) -> None:
    waiters: list[Pid] = []
    with trio.move_on_after(1) as scope:
        async with holders.names.lock("k"):
            waiters.append(await holders.start("waiter"))
            await trio.sleep_forever()
    assert scope.cancelled_caught
    assert await wait_exit(waiters[0]) == Normal()


async def test_who_is_cancelled_before_it_has_the_lock_leaves_nothing(holders: Holders) -> None:
    with trio.CancelScope() as scope:
        scope.cancel()
        async with holders.names.lock("k"):
            raise AssertionError("never")
    assert locks_of(holders.names) == {}


async def test_a_lock_one_holds_cannot_be_taken_again(holders: Holders) -> None:
    async with holders.names.lock("k"):
        with pytest.raises(RuntimeError):
            async with holders.names.lock("k"):
                raise AssertionError("never")
        assert locks_of(holders.names).keys() == {"k"}
    assert locks_of(holders.names) == {}


async def test_a_server_may_hold_one_for_life(holders: Holders) -> None:
    async def init(server: Scripted) -> None:
        await server.enter(holders.names.lock("k"))

    owner = await start(Scripted.child_spec(init=init))
    waiter = await holders.start("waiter")
    await trio.sleep(10)
    assert holders.turns == []
    await stop_all(owner)
    assert await wait_exit(waiter) == Normal()


async def test_without_a_registry_there_is_no_lock(holders: Holders) -> None:
    """REG-033."""
    await stop_all(holders.names)
    lock = holders.names.lock("k")
    with pytest.raises(ProcessNotFound):
        async with lock:
            raise AssertionError("never")


async def test_the_end_of_the_registry_leaves_nobody_waiting_for_ever(holders: Holders) -> None:
    pids = [await holders.start(who) for who in "ab"]
    await stop_all(holders.names)
    for pid in pids:
        await wait_exit(pid)
    assert holders.turns == [("a", "in"), ("a", "out"), ("b", "in"), ("b", "out")]


async def test_a_lock_asked_for_and_never_taken_is_none(holders: Holders) -> None:
    holders.names.lock("k")
    assert locks_of(holders.names) == {}
