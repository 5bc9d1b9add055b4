"""A keyed limiter as a supervisor: its two parts, what ends with it, what it refuses."""

from __future__ import annotations

import math
from collections.abc import Hashable
from typing import Any

import pytest
import trio

from runtime import (
    CallExit,
    Event,
    Instrument,
    Node,
    NoNode,
    NoProcess,
    ProcessEnded,
    ProcessNotFound,
    StartFailed,
    kill,
    open_node,
    processes,
    ref,
    start,
)
from runtime.current import current_table
from runtime.spawning import spawn_process
from runtime.via import via
from supervisors import Supervisor, SupervisorRef, open_supervisor
from supervisors.keyed_rate_limiter import KeyedRateLimiter, KeyedRateLimiterRef
from supervisors.rate_limiter import RateLimiter
from tests.supervisors.limiter_parts import Hosts, in_use, settle, start_hosts
from tests.supervisors.tree_parts import pid_of

# ------------------------------------------------------------------- the family


@pytest.mark.parametrize("part", ["names", "limiters"])
async def test_if_one_part_crashes_both_start_afresh(node: Node, part: str) -> None:
    hosts = await start_hosts(1)
    old = await hosts.acquire("a")
    family = SupervisorRef(hosts)
    before = [await pid_of(family, one) for one in ("names", "limiters")]
    kill(await pid_of(family, part))
    new = await hosts.acquire("b")
    assert hosts.keys() == ["b"]
    after = [await pid_of(family, one) for one in ("names", "limiters")]
    assert not set(before) & set(after)
    hosts.release(old)
    hosts.release(new)
    assert await hosts.stats("a") is None


async def test_at_the_moment_the_names_are_lost_no_key_has_a_limiter(node: Node) -> None:
    hosts = await start_hosts(1)
    await hosts.acquire("a")
    names = await pid_of(SupervisorRef(hosts), "names")
    seen: list[list[Hashable]] = []

    def look(event: Event) -> None:
        if isinstance(event, ProcessEnded) and event.pid is names:
            seen.append(hosts.keys())

    current_table().instruments.add(Instrument(look, (ProcessEnded,)))
    kill(names)
    await settle()
    assert seen == [[]]


@pytest.mark.parametrize("part", ["names", "limiters"])
@pytest.mark.parametrize("steps", range(0, 24, 2))
async def test_a_part_that_crashes_at_any_step_of_a_first_use_hangs_nobody(
    node: Node, part: str, steps: int
) -> None:
    hosts = await start_hosts(1)
    outcomes = list[object]()

    async def use() -> None:
        try:
            async with hosts.permit("a"):
                outcomes.append("served")
        except CallExit as exc:
            outcomes.append(exc.reason)

    pid = await pid_of(SupervisorRef(hosts), part)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(use)
        for _ in range(steps):
            await trio.lowlevel.checkpoint()
        kill(pid)
    assert len(outcomes) == 1
    await settle()
    async with hosts.permit("a", timeout=1):
        assert hosts.keys() == ["a"]


async def test_while_it_is_not_there_nobody_waits(node: Node) -> None:
    hosts: Hosts = KeyedRateLimiterRef("hosts")
    for ask in (hosts.acquire, hosts.try_acquire, hosts.stats):
        with pytest.raises(CallExit) as caught:
            await ask("a")
        assert caught.value.reason == NoProcess()
    with pytest.raises(ProcessNotFound):
        hosts.keys()


async def test_while_its_parts_are_being_restarted_it_has_no_keys(node: Node) -> None:
    hosts = await start_hosts(1)
    await hosts.acquire("a")
    kill(await pid_of(SupervisorRef(hosts), "names"))
    while hosts.keys() == ["a"]:
        await trio.lowlevel.checkpoint()
    assert hosts.keys() == []
    assert await hosts.try_acquire("a") is not None


@pytest.mark.parametrize("part", ["names", "limiters"])
async def test_a_part_that_was_stopped_by_hand_is_missing_and_nobody_waits_for_it(
    node: Node, part: str
) -> None:
    hosts = await start_hosts(1)
    await hosts.acquire("a")
    await SupervisorRef(hosts).terminate_child(part)
    assert hosts.keys() == []
    with pytest.raises(CallExit) as caught:
        await hosts.acquire("a")
    assert caught.value.reason == NoProcess()


async def test_it_takes_all_its_limiters_along_and_is_restarted_like_any_child() -> None:
    spec = KeyedRateLimiter.child_spec(1).replace(name="hosts")
    async with open_supervisor([Supervisor.child_spec([spec])]):
        hosts: KeyedRateLimiterRef[str] = KeyedRateLimiterRef("hosts")
        for key in "abc":
            await hosts.acquire(key)
        running = len(processes())
        kill(hosts)
        await settle()
        assert hosts.keys() == []
        assert len(processes()) == running - 3
        await hosts.acquire("a", timeout=0)


async def test_what_leads_elsewhere_is_refused(node: Node) -> None:
    await start(RateLimiter.child_spec(1).replace(name="hosts"))
    hosts: Hosts = KeyedRateLimiterRef("hosts")
    with pytest.raises(TypeError, match="is no KeyedRateLimiter"):
        hosts.keys()
    with pytest.raises(TypeError, match=r"directory: .* is none"):
        await hosts.acquire("a")


async def test_its_keys_name_nothing_but_limiters(node: Node) -> None:
    await start_hosts(1)
    spec = RateLimiter.child_spec(1).replace(name=via("hosts", "a"))
    with pytest.raises(StartFailed) as caught:
        await start(spec)
    assert "names nothing but its limiters" in str(caught.value.__cause__)


# ------------------------------------------------------------------- bad arguments


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({}, ValueError, "limit: got None and rate too"),
        ({"limit": 0}, ValueError, "limit: got 0"),
        ({"limit": 1, "max_queue": True}, TypeError, "max_queue: got True"),
        ({"rate": -1}, ValueError, "rate: got -1"),
        ({"limit": 1, "idle_stop": 0}, ValueError, "idle_stop: got 0, allowed is .* above 0"),
        ({"limit": 1, "idle_stop": None}, TypeError, "idle_stop: got None"),
        ({"limit": 1, "max_keys": 0}, ValueError, "max_keys: got 0, allowed is an int of 1"),
        ({"limit": 1, "max_keys": 1.5}, TypeError, r"max_keys: got 1\.5"),
    ],
)
def test_bad_options_are_refused_at_once_and_when_the_spec_is_made(
    options: dict[str, Any], error: type[Exception], message: str
) -> None:
    """Contract 9."""
    with pytest.raises(error, match=message):
        KeyedRateLimiter(**options)
    with pytest.raises(error, match=message):
        KeyedRateLimiter.child_spec(**options)


class Mirrors(KeyedRateLimiter):
    """One whose options are its own."""

    def __init__(self) -> None:
        super().__init__(3)


async def test_a_subclass_may_bring_its_options(node: Node) -> None:
    mirrors: KeyedRateLimiterRef[str] = KeyedRateLimiterRef(await start(Mirrors.child_spec()))
    await mirrors.acquire("a")
    stats = await mirrors.stats("a")
    assert stats is not None
    assert stats.limit == 3


async def test_bad_arguments_are_refused_where_they_are_given(node: Node) -> None:
    """Contract 9."""
    hosts: KeyedRateLimiterRef[Any] = await start_hosts(1)
    key: Any = ["a", "list"]
    for ask in (hosts.acquire, hosts.try_acquire, hosts.stats):
        with pytest.raises(TypeError, match=r"key: got .*, allowed is anything hashable"):
            await ask(key)
    with pytest.raises(TypeError, match="key: got"):
        hosts.permit(key)
    with pytest.raises(ValueError, match="timeout: got nan"):
        await hosts.acquire("a", timeout=math.nan)
    with pytest.raises(ValueError, match="timeout: got -1"):
        hosts.permit("a", timeout=-1)
    with pytest.raises(TypeError, match="permit: got None"):
        hosts.release(None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    assert hosts.keys() == []


class Moody:
    """A key that cannot always be compared."""

    calm = True

    def __hash__(self) -> int:
        return 1

    def __eq__(self, other: object) -> bool:
        if not self.calm:
            raise RuntimeError("do not compare me")
        return self is other


async def test_a_key_that_raises_harms_nobody_but_who_gave_it(node: Node) -> None:
    hosts = await start_hosts(1)
    await hosts.acquire("a")
    pid = hosts.pid
    one, other = Moody(), Moody()
    await hosts.acquire(one)
    other.calm = one.calm = False
    with pytest.raises(RuntimeError, match="do not compare me"):
        await hosts.acquire(other)
    assert hosts.pid is pid
    assert await in_use(hosts, "a") == 1


@pytest.mark.real_clock
async def test_another_run_reads_nothing_here(node: Node) -> None:
    hosts = await start_hosts(1)
    by_pid: KeyedRateLimiterRef[str] = KeyedRateLimiterRef(hosts.pid)

    async def elsewhere() -> None:
        async with open_node(instruments=[]):
            with pytest.raises(NoNode):
                by_pid.keys()
            with pytest.raises(NoNode):
                await by_pid.stats("a")

    async with hosts.permit("a"):
        await trio.to_thread.run_sync(trio.run, elsewhere)


async def test_one_whose_first_step_has_not_run_is_not_there_yet(node: Node) -> None:
    spec = KeyedRateLimiter.child_spec(1)
    process = spawn_process(current_table(), spec.make_body(), label="hosts", name="hosts")
    with pytest.raises(ProcessNotFound):
        KeyedRateLimiterRef[str]("hosts").keys()
    await trio.sleep(1)
    assert KeyedRateLimiterRef[str]("hosts").keys() == []
    await ref(process.pid).stop()
