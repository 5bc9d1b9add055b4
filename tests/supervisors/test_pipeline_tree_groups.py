"""Several groups: every message goes to each, and ends when all have finished with it."""

from __future__ import annotations

import pytest
import trio

from runtime import Node, kill, open_node, whereis
from supervisors.pipeline.declaration import Group, Processors
from supervisors.pipeline.message import Message
from tests.supervisors.pipeline_parts import Handler, Listed, Logging, Running, batched, message


def group(handle: Handler | None = None, *, max_demand: int = 10) -> Group:
    return Group(Logging(handle), Processors(concurrency=1, max_demand=max_demand))


def log(run: Group) -> list[object]:
    assert isinstance(run.callbacks, Logging)
    return run.callbacks.log


async def test_each_message_goes_to_each_group_and_is_acknowledged_once(node: Node) -> None:
    audit, index = group(), Group(Logging(), Processors(concurrency=2), batched(3))
    run = await Running(range(7)).start(groups={"audit": audit, "index": index})
    await run.settle()
    assert log(audit) == list(range(7))
    assert sorted(one for one in log(index) if isinstance(one, int)) == list(range(7))
    assert len(run.told.of("ok")) == 6
    await run.after(60)
    assert sorted(run.told.of("ok")) == list(range(7))
    topology = await run.ref.topology()
    assert [made.name for made in topology.groups] == ["audit", "index"]
    assert topology.groups[1].processors == ("line.index.processor_0", "line.index.processor_1")
    assert await run.ref.all_running()
    await run.stop()


async def test_one_that_failed_in_any_group_has_failed(node: Node) -> None:
    def odd(message: Message[int]) -> Message[int]:
        return message.fail("odd") if message.data % 2 else message

    run = await Running(range(4)).start(groups={"a": group(odd), "b": group()})
    await run.settle()
    assert run.told.of("ok") == [0, 2]
    assert run.told.of("failed") == [1, 3]
    assert set(run.told.failures.values()) == {"odd"}
    await run.stop()


async def test_the_first_failure_is_the_one_that_is_told(node: Node) -> None:
    async def early(message: Message[int]) -> Message[int]:
        await trio.sleep(1)
        return message.fail("early")

    async def late(message: Message[int]) -> Message[int]:
        await trio.sleep(2)
        return message.fail("late") if message.data else message

    run = await Running(range(2)).start(groups={"a": group(late), "b": group(early)})
    await run.after(10)
    assert run.told.failures == {0: "early", 1: "early"}
    await run.stop()


async def test_a_slow_group_holds_up_the_others(node: Node) -> None:
    async def never(message: Message[int]) -> Message[int]:
        await trio.sleep_forever()
        raise AssertionError

    fast = group(max_demand=10)
    slow = group(never, max_demand=4)
    run = await Running(range(100)).start(groups={"fast": fast, "slow": slow}, drain_timeout=0.0)
    await run.after(100)
    assert log(fast) == [0, 1, 2, 3]
    assert run.told.log == []
    await run.stop()
    assert run.told.log == [("back", [0, 1, 2, 3])]


async def test_a_message_lost_by_one_group_is_given_back_when_all_have_finished(
    node: Node,
) -> None:
    async def one_second(message: Message[int]) -> Message[int]:
        await trio.sleep(1)
        return message

    run = Running(range(2), ends=True)
    await run.start(groups={"a": group(one_second), "b": group(one_second)})
    await trio.sleep(0.5)
    await run.kill("a.processor_0")
    await run.after(0.1)
    assert run.told.log == []
    await run.after(10)
    assert run.told.log == [("back", [0, 1])]
    await run.stop()


async def test_the_groups_restart_apart(node: Node) -> None:
    run = await Running(range(2)).start(groups={"a": group(), "b": group()})
    await run.settle()
    pids = await run.ref.stage_pids()
    await run.kill("a.processor_0")
    await run.after(1)
    after = await run.ref.stage_pids()
    assert after["line.b.processor_0"] is pids["line.b.processor_0"]
    assert after["line.a.processor_0"] is not pids["line.a.processor_0"]
    run.items.extend(range(2, 30))
    trial = run.ref.test_message("again")
    assert len((await trial.all()).successful) == 1
    await run.stop()


async def test_a_group_that_is_killed_while_the_pipeline_drains_comes_back_and_goes_on(
    node: Node,
) -> None:
    """What waits in the producer is not given back for its sake."""

    async def slowly(message: Message[int]) -> Message[int]:
        await trio.sleep(1)
        return message

    class Eager(Listed):
        def init(self) -> None:
            self.emit(message(item, self.told) for item in self.items)
            self.items.clear()

    run = Running(range(10))
    run.source = lambda index: Eager(run.items, run.told)  # type: ignore[method-assign]
    await run.start(groups={"a": group(slowly, max_demand=2), "b": group(max_demand=2)})
    async with trio.open_nursery() as nursery:
        nursery.start_soon(run.stop)
        await trio.sleep(0.5)
        await run.kill("a.processor_0")
    assert run.told.of("back") == [0, 1]
    assert run.told.of("ok") == list(range(2, 10))


async def test_a_producer_that_dies_gives_back_what_not_all_groups_have_got(node: Node) -> None:
    """Partitions: what waits in the producer for one group, another may have done already."""
    parted = Processors(concurrency=2, max_demand=2, min_demand=1, partition_by=lambda one: 0)
    first = Group(Logging(), parted)

    async def never(message: Message[int]) -> Message[int]:
        await trio.sleep_forever()
        raise AssertionError

    second = Group(Logging(never), parted)
    run = await Running(range(9)).start(groups={"a": first, "b": second}, drain_timeout=0.0)
    await run.settle()
    taken = 9 - len(run.items)
    await run.kill("producer_0")
    await run.settle()
    assert run.told.of("ok") == []
    assert len(run.told.of("back")) > 0
    await run.stop()
    assert run.told.all == list(range(taken)) + list(range(taken, 9 - len(run.items)))


@pytest.mark.parametrize(
    "stage", ["producer_0", "a.processor_0", "b.processor_1", "b.batcher_default", "custodian",
              "b.batch_processor_default_0"],
)  # fmt: skip
def test_whatever_is_killed_each_message_has_one_end(stage: str) -> None:
    async def slowly(message: Message[int]) -> Message[int]:
        await trio.sleep(0.05)
        return message.fail("no") if message.data == 5 else message

    async def main(moment: float) -> None:
        async with open_node(instruments=[]):
            run = Running(range(20))
            first = Group(Logging(slowly), Processors(concurrency=1, max_demand=4))
            second = Group(
                Logging(slowly), Processors(concurrency=2, max_demand=3), batched(3, 0.2)
            )
            await run.start(groups={"a": first, "b": second})
            await trio.sleep(moment)
            pid = whereis(f"line.{stage}")
            assert pid is not None
            kill(pid)
            await trio.sleep(0.2)
            await run.stop()
            assert run.told.all + run.items == list(range(20)), moment

    for step in range(25):
        trio.run(main, 0.005 + step * 0.033, clock=trio.testing.MockClock(autojump_threshold=0))
