"""What is remembered of the dead, and for how long."""

from __future__ import annotations

import trio

from runtime import Killed, Node, Normal, kill, spawn, wait_exit
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


async def test_blocks_within_each_other_note_each_its_own(node: Node) -> None:
    with remember_deaths():
        one = spawn(trio.sleep, 1)
        await wait_exit(one)
        with remember_deaths():
            assert known_deaths() == {}
        assert known_deaths() == {one: Normal()}
