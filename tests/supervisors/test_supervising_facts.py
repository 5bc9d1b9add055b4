"""What supervisors and limiters say of themselves in a snapshot, without being asked."""

from __future__ import annotations

import msgspec
import trio
from trio.testing import wait_all_tasks_blocked

from runtime import Node, Registry, RegistryRef, kill, named, snapshot, spawn, start
from runtime.inspection.views import Plain
from supervisors import (
    DynamicSupervisor,
    DynamicSupervisorRef,
    KeyedRateLimiter,
    KeyedRateLimiterRef,
    PartitionSupervisor,
    PartitionSupervisorRef,
    Pool,
    PoolRef,
    RateLimiter,
    RateLimiterRef,
    Supervisor,
    TaskSupervisor,
    TaskSupervisorRef,
)
from tests.support import Scripted

CHILD = Scripted.child_spec()


def facts(name: str) -> dict[str, Plain]:
    """What the process of this name says."""
    (found,) = [one for one in snapshot().processes if one.name == name]
    return found.facts


async def test_a_supervisor_has_its_settings_children_and_restarts(node: Node) -> None:
    specs = [CHILD.replace(name=name, id=name) for name in ("a", "b")]
    spec = Supervisor.child_spec(specs, strategy="rest_for_one", max_restarts=4, max_seconds=10)
    await start(spec.replace(name="top"))
    settings = {"strategy": "rest_for_one", "max_restarts": 4, "max_seconds": 10}
    assert facts("top") == {**settings, "children": 2, "active": 2, "restarts": 0}
    kill(named("a"))
    await wait_all_tasks_blocked()
    assert facts("top") == {**settings, "children": 2, "active": 2, "restarts": 1}
    await trio.sleep(10)
    assert facts("top")["restarts"] == 1
    await trio.sleep(1)
    assert facts("top")["restarts"] == 0


async def test_a_dynamic_supervisor_has_its_limit_too(node: Node) -> None:
    await start(DynamicSupervisor.child_spec(max_children=5).replace(name="many"))
    await DynamicSupervisorRef("many").start_child(CHILD)
    assert facts("many") == {
        "strategy": "one_for_one", "children": 1, "max_children": 5, "restarts": 0,
        "max_restarts": 3, "max_seconds": 5.0,
    }  # fmt: skip


async def test_so_has_a_task_supervisor(node: Node) -> None:
    await start(TaskSupervisor.child_spec().replace(name="tasks"))
    await TaskSupervisorRef("tasks").start_nolink(trio.sleep_forever)
    assert (facts("tasks")["children"], facts("tasks")["max_children"]) == (1, None)


async def test_a_partition_supervisor_has_its_partitions(node: Node) -> None:
    await start(PartitionSupervisor.child_spec(CHILD, partitions=3).replace(name="parts"))
    await PartitionSupervisorRef("parts").resize(2)
    told = facts("parts")
    assert (told["partitions"], told["most"], told["children"], told["active"]) == (2, 3, 3, 2)
    assert (told["strategy"], told["max_restarts"]) == ("one_for_one", 3)


async def test_a_pool_has_its_workers(node: Node) -> None:
    await start(Pool.child_spec(CHILD, size=2, max_overflow=1).replace(name="pool"))
    async with PoolRef("pool").checkout():
        assert facts("pool") == {
            "state": "ready", "size": 2, "limit": 3, "idle": 1, "lent": 1, "waiting": 0,
            "restarts": 0, "max_restarts": 3, "max_seconds": 5.0,
        }  # fmt: skip


async def test_a_worker_of_a_pool_has_its_restarts(node: Node) -> None:
    pool = await start(Pool.child_spec(CHILD, size=1))
    (worker,) = await PoolRef(pool).which_children()
    assert worker.pid is not None
    kill(worker.pid)
    await wait_all_tasks_blocked()
    assert [one.restarts for one in snapshot().processes] == [0, 1]


async def test_a_limiter_has_its_statistics(node: Node) -> None:
    await start(RateLimiter.child_spec(2, rate=5).replace(name="limiter"))
    limiter = RateLimiterRef("limiter")
    async with limiter.permit():
        said = facts("limiter")
        assert (said["limit"], said["rate"], said["in_use"], said["granted"]) == (2, 5, 1, 1)
        assert said == msgspec.structs.asdict(await limiter.stats())


async def test_limiters_by_key_have_their_keys(node: Node) -> None:
    await start(KeyedRateLimiter.child_spec(1).replace(name="hosts"))
    hosts: KeyedRateLimiterRef[str] = KeyedRateLimiterRef("hosts")
    for host in ("a", "b"):
        async with hosts.permit(host):
            pass
    assert (facts("hosts")["keys"], facts("hosts")["children"]) == (2, 2)
    assert KeyedRateLimiter(1).facts()["keys"] == 0


async def test_a_supervisor_that_has_not_begun_has_no_children(node: Node) -> None:
    assert Supervisor([]).facts()["children"] == 0


async def test_a_registry_has_its_entries(node: Node) -> None:
    await start(Registry.child_spec("duplicate").replace(name="topics"))

    async def body() -> None:
        topics: RegistryRef[str, None] = RegistryRef("topics")
        topics.register("a")
        topics.register("b")
        await trio.sleep_forever()

    spawn(body)
    await wait_all_tasks_blocked()
    assert facts("topics") == {"keys": "duplicate", "entries": 2, "registrants": 1}
