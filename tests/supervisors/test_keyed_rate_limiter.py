"""One limiter per key: started when it is first asked for, ended when it is idle."""

from __future__ import annotations

from collections.abc import Hashable

import pytest
import trio

from runtime import (
    CallExit,
    CallTimeout,
    Killed,
    Node,
    Normal,
    ProcessExit,
    kill,
    start,
    wait_exit,
)
from runtime.via import via
from supervisors import SupervisorRef
from supervisors.keyed_rate_limiter import KeyedRateLimiter, KeyedRateLimiterRef
from supervisors.limiter_requests import LimiterFull, MaxKeys, Permit
from supervisors.rate_limiter import RateLimiter
from supervisors.rate_limiter_ref import RateLimiterRef
from tests.supervisors.limiter_parts import Hosts, in_task, in_use, limiter_of, start_hosts
from tests.supervisors.tree_parts import pid_of


async def test_each_key_has_a_limiter_of_its_own(node: Node) -> None:
    hosts = await start_hosts(1)
    assert hosts.keys() == []
    async with hosts.permit("a") as permit, hosts.permit("b"):
        assert hosts.keys() == ["a", "b"]
        assert await hosts.try_acquire("a") is None
        with pytest.raises(CallTimeout):
            await hosts.acquire("b", timeout=1)
        assert (await in_use(hosts, "a"), await in_use(hosts, "b")) == (1, 1)
        assert permit.limiter.pid is limiter_of("a").pid
    assert (await in_use(hosts, "a"), await in_use(hosts, "b")) == (0, 0)


async def test_keys_are_told_apart_by_type_as_well(node: Node) -> None:
    hosts = await start_hosts(1)
    keys: list[Hashable] = [1, 1.0, True, (1, "a"), (True, "a"), None, "1"]
    for key in keys:
        await hosts.acquire(key, timeout=0)
    assert list(map(repr, hosts.keys())) == list(map(repr, keys))


async def test_a_permit_is_released_without_its_key(node: Node) -> None:
    hosts = await start_hosts(1)
    permit = await hosts.acquire("a")
    hosts.release(permit)
    hosts.release(permit)
    assert await in_use(hosts, "a") == 0


async def test_the_options_are_those_of_each_limiter(node: Node) -> None:
    hosts = await start_hosts(3, rate=8, per=2.0, burst=5, max_queue=0)
    permits = [await hosts.acquire("a") for _ in range(3)]
    with pytest.raises(LimiterFull):
        await hosts.acquire("a")
    stats = await hosts.stats("a")
    assert stats is not None
    assert (stats.limit, stats.rate, stats.per, stats.burst) == (3, 8, 2.0, 5)
    for permit in permits:
        hosts.release(permit)


async def test_of_a_key_nobody_uses_there_are_no_numbers(node: Node) -> None:
    hosts = await start_hosts(1)
    assert await hosts.stats("a") is None
    assert hosts.keys() == []


async def test_the_limiter_of_a_key_can_be_reached_and_changed(node: Node) -> None:
    hosts = await start_hosts(1)
    await hosts.acquire("a")
    await RateLimiterRef(via("hosts", "a")).resize(2)
    assert await hosts.try_acquire("a") is not None


# ------------------------------------------------------------------- coming and going


async def test_an_idle_limiter_ends_and_the_next_use_starts_another(node: Node) -> None:
    hosts = await start_hosts(1, idle_stop=10.0)
    for _ in range(3):
        async with hosts.permit("a"):
            await trio.sleep(30)
            assert hosts.keys() == ["a"]
        await trio.sleep(9)
        assert hosts.keys() == ["a"]
        await trio.sleep(2)
        assert hosts.keys() == []
    limiters = SupervisorRef(await pid_of(SupervisorRef(hosts), "limiters"))
    assert (await limiters.count_children()).specs == 0


async def test_by_default_a_limiter_stays_for_a_minute(node: Node) -> None:
    hosts = await start_hosts(1)
    hosts.release(await hosts.acquire("a"))
    await trio.sleep(59)
    assert hosts.keys() == ["a"]
    await trio.sleep(2)
    assert hosts.keys() == []


async def test_many_first_users_of_one_key_get_one_limiter(node: Node) -> None:
    """Also where there may be but one: none of them takes the others' for one too many."""
    hosts = await start_hosts(5, max_keys=1)
    pids = set[object]()

    async def use() -> None:
        async with hosts.permit("a") as permit:
            pids.add(permit.limiter.pid)
            await trio.sleep(1)

    begun = trio.current_time()
    async with trio.open_nursery() as nursery:
        for _ in range(50):
            nursery.start_soon(use)
    assert len(pids) == 1
    assert trio.current_time() == begun + 10


async def test_a_first_user_who_gives_up_at_any_step_harms_none_who_came_after(
    node: Node,
) -> None:
    hosts = await start_hosts(2, idle_stop=1.0)
    for steps in range(20):
        got: list[Permit] = []

        async def use(got: list[Permit] = got, key: int = steps) -> None:
            got.append(await hosts.acquire(key))

        async with trio.open_nursery() as nursery:
            first = trio.CancelScope()

            async def give_up(first: trio.CancelScope = first, key: int = steps) -> None:
                with first:
                    async with hosts.permit(key):
                        await trio.sleep_forever()

            nursery.start_soon(give_up)
            nursery.start_soon(use)
            for _ in range(steps):
                await trio.lowlevel.checkpoint()
            first.cancel()
        assert len(got) == 1
        assert await in_use(hosts, steps) == 1
        hosts.release(got[0])
    await trio.sleep(5)
    assert hosts.keys() == []


async def test_one_who_asks_in_the_moment_of_an_idle_end_is_served(node: Node) -> None:
    hosts = await start_hosts(1, idle_stop=1.0)
    pids = list[object]()
    for number in range(60):
        permit = await hosts.acquire("a", timeout=5)
        pids.append(permit.limiter.pid)
        hosts.release(permit)
        await hosts.stats("a")
        await trio.sleep(1)
        for _ in range(number % 6):
            await trio.lowlevel.checkpoint()
    assert 1 < len(set(pids)) < 60, "some came in time, some did not"


async def test_numbers_asked_for_in_the_moment_of_an_idle_end_are_there_or_not(
    node: Node,
) -> None:
    hosts = await start_hosts(1, idle_stop=1.0)
    for _ in range(40):
        hosts.release(await hosts.acquire("a"))
        await hosts.stats("a")
        await trio.sleep(1)
        stats = await hosts.stats("a")
        assert stats is None or stats.in_use == 0
        await trio.sleep(5)


async def test_a_limiter_that_is_stopped_under_its_waiters_is_asked_again(node: Node) -> None:
    """An orderly end owes nobody anything: those who waited get permits of the next one."""
    hosts = await start_hosts(1)
    await hosts.acquire("a")
    got = list[Permit]()

    async def use() -> None:
        async with hosts.permit("a", timeout=10) as permit:
            got.append(permit)
            await trio.sleep(1)

    async with trio.open_nursery() as nursery:
        for _ in range(3):
            await in_task(nursery, use)
        await limiter_of("a").stop()
    assert len({permit.limiter.pid for permit in got}) == 1
    assert len(got) == 3


async def test_a_timeout_holds_over_several_limiters(node: Node) -> None:
    """Two are waiting when the limiter is stopped, and the next has a permit for one."""
    hosts = await start_hosts(1)
    await hosts.acquire("a")
    begun, outcomes = trio.current_time(), list[tuple[str, float]]()

    async def ask() -> None:
        outcome = "served"
        try:
            await hosts.acquire("a", timeout=4)
        except CallTimeout:
            outcome = "too late"
        outcomes.append((outcome, trio.current_time() - begun))

    async with trio.open_nursery() as nursery:
        for _ in range(2):
            await in_task(nursery, ask)
        await trio.sleep(3)
        await limiter_of("a").stop()
    assert outcomes == [("served", 3), ("too late", 4)]


async def test_one_whose_limiter_crashes_is_told_and_the_next_gets_another(node: Node) -> None:
    hosts = await start_hosts(1)
    for _ in range(10):  # more than any restart intensity would bear
        old = await hosts.acquire("a")
        heard = list[object]()

        async def ask(heard: list[object] = heard) -> None:
            with pytest.raises(CallExit) as caught:
                await hosts.acquire("a")
            heard.append(caught.value.reason)

        async with trio.open_nursery() as nursery:
            await in_task(nursery, ask)
            kill(limiter_of("a"))
        assert heard == [Killed()]
        hosts.release(old)
        new = await hosts.acquire("a", timeout=0)
        assert new.limiter.pid is not old.limiter.pid
        hosts.release(new)


class Quitter(RateLimiter):
    """Takes every request for the moment to end."""

    def __init__(self, log: list[str]) -> None:
        super().__init__(1)
        self.log = log

    def _serve(self, now: float) -> None:
        self.log.append("asked")
        raise ProcessExit(Normal())


class Hopeless(KeyedRateLimiter):
    """One whose limiters never answer."""

    def __init__(self, log: list[str]) -> None:
        super().__init__(1)
        self._limiter = Quitter.child_spec(log).replace(restart="temporary")


async def test_one_that_always_ends_before_it_answers_is_given_up(node: Node) -> None:
    """After a few attempts; then whoever asked hears why."""
    log: list[str] = []
    hosts: Hosts = KeyedRateLimiterRef(await start(Hopeless.child_spec(log)))
    with pytest.raises(CallExit) as caught:
        await hosts.acquire("a")
    assert (caught.value.reason, log) == (Normal(), ["asked"] * 3)


# ------------------------------------------------------------------- max_keys


async def test_one_key_more_than_allowed_is_refused(node: Node) -> None:
    hosts = await start_hosts(1, max_keys=2, idle_stop=10.0)
    for key in ("a", "b", "a", "b"):
        hosts.release(await hosts.acquire(key))
    for ask in (hosts.acquire, hosts.try_acquire):
        with pytest.raises(MaxKeys, match="2 keys have a limiter") as caught:
            await ask("c")
        assert caught.value.limit == 2
    await trio.sleep(11)
    hosts.release(await hosts.acquire("c"))
    assert hosts.keys() == ["c"]


async def test_an_ended_limiter_frees_its_place_at_once(node: Node) -> None:
    hosts = await start_hosts(1, max_keys=1)
    for key in range(20):
        await hosts.acquire(key)
        limiter = limiter_of(key)
        kill(limiter)
        await wait_exit(limiter)
