"""Random kills: how many, of whom, the same for the same seed."""

from __future__ import annotations

import pytest
import trio

from runtime import (
    GenServer,
    Killed,
    ProcessCrashed,
    ProcessEnded,
    ProcessInfo,
    Shutdown,
    is_alive,
    open_node,
    processes,
    trap_exits,
)
from runtime.testing import Kill, assert_down, capture_reports, open_chaos
from runtime.testing.chaos import Victims
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
        for seed in range(10):
            with trio.move_on_after(1):
                async with open_chaos(1, seed=seed):
                    await trio.sleep_forever()
            assert processes() == []


async def test_what_is_told_of_are_the_kills_alone() -> None:
    with captured_logs():
        async with open_supervisor(CHILDREN, max_restarts=1000):
            with capture_reports() as reports:
                async with open_chaos(10, seed=1) as kills:
                    await trio.sleep(5)
    assert kills
    told = [(report.pid, report.reason) for report in reports.of(ProcessCrashed)]
    assert told == [(kill.victim.pid, Killed()) for kill in kills]


async def test_its_own_end_is_in_order_also_if_a_victims_function_traps_exits() -> None:
    def accept(info: ProcessInfo) -> bool:
        return trap_exits(True)

    async with open_supervisor(CHILDREN, max_restarts=1000, instruments=[]):
        with capture_reports() as reports:
            async with open_chaos(10, seed=1, victims=accept) as kills:
                await trio.sleep(5)
    assert kills
    ended = {report.pid: report.reason for report in reports.of(ProcessEnded)}
    (killer,) = ended.keys() - {kill.victim.pid for kill in kills}
    assert (killer.label, ended[killer]) == ("chaos", Shutdown())


async def test_an_error_is_not_lost_when_the_block_is_cancelled_as_well() -> None:
    async with open_node(instruments=[]):
        with pytest.raises(OSError, match="disk"), trio.move_on_after(1):
            async with open_chaos(1, seed=1):
                try:
                    await trio.sleep_forever()
                finally:
                    raise OSError("disk")


async def stubborn() -> None:
    try:
        await trio.sleep_forever()
    finally:
        with trio.CancelScope(shield=True):
            await trio.sleep(60)


async def test_a_victim_that_takes_long_to_die_is_killed_once_and_holds_up_nobody() -> None:
    async with open_supervisor([stubborn, *CHILDREN], max_restarts=1000, instruments=[]):
        async with open_chaos(10, seed=1) as kills:
            await trio.sleep(50)
    assert [kill.victim.pid.label for kill in kills].count("stubborn") == 1
    assert 400 < len(kills) < 600


async def test_victims_that_raise_end_the_block_and_are_raised() -> None:
    async with open_supervisor(CHILDREN) as root:
        began = trio.current_time()
        with capture_reports() as reports, pytest.raises(ZeroDivisionError):
            async with open_chaos(10, seed=1, victims=lambda info: 1 / 0 > 0):
                await trio.sleep_forever()
        assert trio.current_time() - began < 10
        assert reports.of(ProcessCrashed) == []
        assert len(await root.which_children()) == 3


async def test_victims_that_raise_are_raised_whatever_the_block_does_then() -> None:
    async with open_supervisor(CHILDREN, instruments=[]):
        with pytest.raises(ZeroDivisionError) as failed:
            async with open_chaos(10, seed=1, victims=lambda info: 1 / 0 > 0):
                try:
                    await trio.sleep_forever()
                finally:
                    raise OSError("disk")
        assert isinstance(failed.value.__context__, OSError)
        with pytest.raises(ZeroDivisionError):
            async with open_chaos(10, seed=1, victims=lambda info: 1 / 0 > 0):
                with trio.CancelScope(shield=True):
                    await trio.sleep(10)


async def never(info: ProcessInfo) -> bool:
    return False


@pytest.mark.parametrize("victims", ["x", lambda: True, never])
async def test_victims_is_a_plain_function_of_one_argument(victims: Victims) -> None:
    async with open_node():
        with pytest.raises(TypeError, match=r"^victims: got "):
            async with open_chaos(10, seed=1, victims=victims):
                pass


@pytest.mark.parametrize(
    "rate", [0, -1, float("inf"), float("nan"), 1e300, 10**400, 1_000_001, "often", True, None]
)
async def test_a_rate_is_kills_a_second_at_which_time_goes_on(rate: float) -> None:
    async with open_node():
        with pytest.raises(
            (TypeError, ValueError),
            match=r"^rate: got .+, allowed are kills per second, above 0 and at most 1e\+06$",
        ):
            async with open_chaos(rate, seed=1):
                pass


async def test_at_the_highest_rate_the_clock_moves_also_late_in_virtual_time() -> None:
    async with open_node(instruments=[]):
        await trio.sleep_until(3e7)  # a year
        async with open_chaos(1e6, seed=1):
            await trio.sleep(1e-4)


@pytest.mark.parametrize("seed", [None, [1], "one", 1.0, True])
async def test_a_seed_is_a_number_so_that_it_repeats(seed: int) -> None:
    async with open_node():
        with pytest.raises(TypeError, match=r"^seed: got .+, allowed is an int$"):
            async with open_chaos(1, seed=seed):
                pass
