"""Random kills: how many, of whom, the same for the same seed."""

from __future__ import annotations

import pytest
import trio

from runtime import GenServer, Killed, ProcessInfo, is_alive, open_node, processes
from runtime.testing import Kill, assert_down, capture_reports, open_chaos
from supervisors import open_supervisor
from tests.support import captured_logs


class Worker(GenServer):
    """Does nothing."""


class Slow(GenServer):
    """Takes its time to start."""

    async def init(self) -> None:
        await trio.sleep(5)


CHILDREN = [Worker.child_spec().replace(name=name, id=name) for name in "abc"]


async def killed(rate: float, seed: int, seconds: float) -> list[Kill]:
    async with open_supervisor(CHILDREN, max_restarts=100_000, instruments=[]):
        async with open_chaos(rate, seed=seed) as kills:
            await trio.sleep(seconds)
        return list(kills)


async def test_so_many_a_second_are_killed_on_the_average() -> None:
    kills = await killed(10, 1, 100)
    assert 900 < len(kills) < 1100
    assert {kill.victim.name for kill in kills} == {"a", "b", "c"}
    assert [kill.at for kill in kills] == sorted(kill.at for kill in kills)


async def test_the_same_seed_kills_the_same_at_the_same_moments() -> None:
    def story(kills: list[Kill], begin: float) -> list[tuple[float, str | None]]:
        return [(round(kill.at - begin, 9), kill.victim.name) for kill in kills]

    began = trio.current_time()
    one = story(await killed(10, 7, 10), began)
    began = trio.current_time()
    again = story(await killed(10, 7, 10), began)
    began = trio.current_time()
    other = story(await killed(10, 8, 10), began)
    assert one == again != other


async def test_only_what_somebody_looks_after_is_killed() -> None:
    async with open_supervisor([], instruments=[]) as root:
        async with open_chaos(10, seed=1) as kills:
            await trio.sleep(10)
        assert is_alive(root)
        assert kills == []


async def test_only_chosen_victims_are_killed() -> None:
    def is_b(info: ProcessInfo) -> bool:
        return info.name == "b"

    async with open_supervisor(CHILDREN, max_restarts=1000, instruments=[]):
        async with open_chaos(10, seed=1, victims=is_b) as kills:
            await trio.sleep(1)
    assert {kill.victim.name for kill in kills} == {"b"}


async def test_what_is_still_starting_is_left_alone() -> None:
    async with open_node(instruments=[]):
        async with open_chaos(10, seed=1) as kills:
            async with open_supervisor([Slow.child_spec()]):
                assert kills == []


async def test_a_kill_is_one() -> None:
    with captured_logs():
        async with open_supervisor(CHILDREN):
            with capture_reports():
                async with open_chaos(1, seed=1) as kills:
                    while not kills:
                        await trio.sleep(0.1)
                    pid = kills[0].victim.pid
                    with pytest.raises(AssertionError, match="dead already"):
                        await assert_down(pid, Killed)


async def test_leaving_the_block_ends_it_by_whatever_way() -> None:
    async with open_node(instruments=[]):
        with pytest.raises(OSError, match="x"):
            async with open_chaos(1, seed=1):
                raise OSError("x")
        assert processes() == []
        with trio.move_on_after(1):
            async with open_chaos(1, seed=1):
                await trio.sleep_forever()
        await trio.testing.wait_all_tasks_blocked()
        assert processes() == []


@pytest.mark.parametrize("rate", [0, -1, float("inf"), float("nan"), "often"])
async def test_a_rate_is_kills_a_second(rate: float) -> None:
    async with open_node():
        with pytest.raises(ValueError, match=r"rate: got .*, allowed are kills per second above 0"):
            async with open_chaos(rate, seed=1):
                pass
