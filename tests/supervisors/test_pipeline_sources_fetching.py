"""Fetching in the background: what is wanted adds up, and is never exceeded."""

from __future__ import annotations

import trio
from trio.testing import wait_all_tasks_blocked

from runtime import Node, Normal, wait_exit
from supervisors.pipeline import Message, PipelineRef
from supervisors.pipeline.sources import fetching
from supervisors.pipeline.sources.fetching import FetchingSource
from tests.supervisors.collecting import Collecting


class Scripted(FetchingSource[int]):
    """Fetches from a list, each time when it is let; ends with it if ``ends``."""

    def __init__(self, items: list[int], *, ends: bool = False) -> None:
        super().__init__()
        self.items, self.ends = items, ends
        self.log: list[object] = []
        self.gate = trio.Semaphore(0)

    async def fetch(self, count: int) -> list[Message[int]]:
        self.log.append(count)
        await self.gate.acquire()
        taken, self.items[:count] = self.items[:count], []
        return [Message(one) for one in taken]

    async def pause(self) -> None:
        self.log.append("pause")
        if self.ends:
            self.over()
        else:
            self.log.append(await self.news(10.0))

    async def undo(self, messages: list[Message[int]]) -> None:
        await super().undo(messages)
        self.log.append([message.data for message in messages])


async def test_what_is_asked_for_while_a_fetch_is_under_way_is_fetched_at_once(node: Node) -> None:
    source = Scripted([])
    async with Collecting().running(lambda: source, max_demand=4):
        await wait_all_tasks_blocked()
        source.handle_demand(3)
        source.handle_demand(5)
        await wait_all_tasks_blocked()
        assert source.log == [4]
        source.items += [1]
        source.gate.release()
        await wait_all_tasks_blocked()
        assert source.log == [4, 11]


async def test_it_never_fetches_too_many_at_once(node: Node) -> None:
    source = Scripted([])
    async with Collecting().running(lambda: source, max_demand=5000):
        await wait_all_tasks_blocked()
        assert source.log == [fetching.MOST]


async def test_what_was_not_found_is_looked_for_after_a_pause(node: Node) -> None:
    source = Scripted([])
    collecting = Collecting()
    async with collecting.running(lambda: source, max_demand=4):
        source.gate.release()
        await wait_all_tasks_blocked()
        assert source.log == [4, "pause"]
        source.look()
        await wait_all_tasks_blocked()
        assert source.log == [4, "pause", True, 4]
        source.gate.release()
        await trio.sleep(10)
        await wait_all_tasks_blocked()
        assert source.log == [4, "pause", True, 4, "pause", False, 4]
        source.items += [1, 2]
        source.gate.release()
        await collecting.come(2)
        await wait_all_tasks_blocked()
        assert source.log[-1] == 2, "only what is missing still"
        assert source.facts()["unmet demand"] == 4, "and what has been asked for since"


async def test_a_drain_undoes_what_is_being_fetched(node: Node) -> None:
    source = Scripted([1, 2, 3])
    collecting = Collecting()
    running = await collecting.start(lambda: source, max_demand=2)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(PipelineRef("line").stop)
        await wait_all_tasks_blocked()
        source.gate.release()
    await wait_exit(running)
    assert source.log == [2, [1, 2]]
    assert collecting.data == []


async def test_a_source_that_is_over_ends_the_pipeline(node: Node) -> None:
    source = Scripted([1, 2, 3], ends=True)
    source.gate = trio.Semaphore(10)
    collecting = Collecting()
    assert await collecting.to_the_end(lambda: source, max_demand=2) == Normal()
    assert collecting.data == [1, 2, 3]
    assert source.log[-1] == "pause"
