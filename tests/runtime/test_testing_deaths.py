"""What is remembered of the dead, and for how long."""

from __future__ import annotations

import trio

from runtime import Killed, Node, Normal, Pid, kill, spawn, wait_exit
from runtime.testing import remember_deaths
from runtime.testing.deaths import known_deaths


async def test_within_the_block_every_death_is_noted(node: Node) -> None:
    before = spawn(trio.sleep, 1)
    await wait_exit(before)
    assert known_deaths() == {}
    with remember_deaths():
        one, two = spawn(trio.sleep, 1), spawn(trio.sleep_forever)
        await wait_exit(one)
        kill(two)
        await wait_exit(two)
        assert known_deaths() == {one: Normal(), two: Killed()}
    assert known_deaths() == {}


async def test_an_inner_block_hides_nothing(node: Node) -> None:
    with remember_deaths():
        one = spawn(trio.sleep, 1)
        await wait_exit(one)
        with remember_deaths():
            assert known_deaths() == {one: Normal()}
        assert known_deaths() == {one: Normal()}


async def test_blocks_may_overlap(node: Node) -> None:
    async def dead() -> Pid:
        pid = spawn(trio.sleep, 1)
        await wait_exit(pid)
        return pid

    one, two = remember_deaths(), remember_deaths()
    with remember_deaths():
        one.__enter__()
        two.__enter__()
        one.__exit__(None, None, None)
        within_two = await dead()
        assert known_deaths() == {within_two: Normal()}
        two.__exit__(None, None, None)
        after_both = await dead()
        assert known_deaths() == {within_two: Normal(), after_both: Normal()}
    assert known_deaths() == {}


async def test_a_block_forgets_what_it_alone_knows(node: Node) -> None:
    one, two = remember_deaths(), remember_deaths()
    one.__enter__()
    await wait_exit(spawn(trio.sleep, 1))
    two.__enter__()
    one.__exit__(None, None, None)
    assert known_deaths() == {}
    two.__exit__(None, None, None)
