"""Pids: identities, and nothing more."""

from __future__ import annotations

import gc
import weakref

from runtime import Node, is_alive, spawn, wait_exit
from runtime.pid import Pid


def test_two_pids_are_equal_only_if_they_are_the_same_object() -> None:
    one, same_numbers = Pid(7, "counter"), Pid(7, "counter")
    assert one == {one: one}[one]
    assert one != same_numbers
    assert len({one, same_numbers}) == 2


def test_a_pid_shows_its_number_and_its_label() -> None:
    assert repr(Pid(7, "counter")) == "<Pid 7 counter>"


def test_a_pid_can_be_watched_by_a_weak_reference() -> None:
    pid = Pid(1, "x")
    watch = weakref.ref(pid)
    assert watch() is pid
    del pid
    gc.collect()
    assert watch() is None


async def test_each_incarnation_has_a_pid_of_its_own_and_numbers_go_up(node: Node) -> None:
    async def nothing() -> None: ...

    pids = [spawn(nothing) for _ in range(5)]
    assert sorted(pid.number for pid in pids) == [pid.number for pid in pids]
    assert len(set(pids)) == 5
    for pid in pids:
        await wait_exit(pid)


async def test_a_pid_stays_a_valid_key_after_its_process_has_ended(node: Node) -> None:
    async def nothing() -> None: ...

    pid = spawn(nothing, name="short")
    notes = {pid: "was here"}
    await wait_exit(pid)
    assert not is_alive(pid)
    assert notes[pid] == "was here"
    assert repr(pid) == f"<Pid {pid.number} short>"
