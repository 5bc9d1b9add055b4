"""A source that a pipeline runs: how it ends, and that until then it is a producer."""

from __future__ import annotations

from typing import Any

import pytest
import trio

from runtime import Node, OutsideProcess, Shutdown, Stop, wait_exit
from runtime.exits import NORMAL
from runtime.stages import Consumer, Emitted, Subscription, subscribe
from supervisors.pipeline.declaration import RateLimit
from supervisors.pipeline.message import Message
from supervisors.pipeline.source import DrainAsked, Source
from tests.conftest import Recorder
from tests.supervisors.source_parts import Fed, Pushing
from tests.support import end_of


class Draining(Pushing):
    """Has something to give when it is asked to drain."""

    last: Any = None

    def prepare_for_draining(self) -> Any:
        self.asked.append((trio.current_time(), -1))
        return type(self).last(self)


def draining(last: Any) -> type[Pushing]:
    class Last(Draining):
        pass

    Last.last = staticmethod(last)
    return Last


async def test_what_is_made_in_the_last_moment_is_still_processed(node: Node) -> None:
    fed = Fed("ab")

    def last(source: Pushing) -> list[Message[Any]]:
        source.emit(fed.messages("c"))
        return fed.messages("d")

    fed.kind = draining(last)
    await fed.start()
    await fed.ref.stop()
    assert fed.book.times("ok") == {0.0: ["a", "b", "c", "d"]}
    assert fed.asked[-1] == (0.0, -1)


async def test_the_last_moment_may_take_its_time(node: Node) -> None:
    fed = Fed()

    async def last(source: Pushing) -> list[Message[Any]]:
        await trio.sleep(2)
        return fed.messages("c")

    fed.kind = draining(last)
    await fed.start()
    await fed.ref.stop()
    assert fed.book.times("ok") == {2.0: ["c"]}


async def test_who_is_draining_is_asked_for_nothing_and_what_comes_late_is_given_back(
    node: Node,
) -> None:
    fed = Fed("abc", seconds=1.0)
    fed.kind = draining(lambda source: None)
    await fed.start(max_demand=2)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(fed.ref.stop)
        await trio.testing.wait_all_tasks_blocked()
        await fed.emit("xy")
    assert [(how, data) for _, how, data in fed.book.log if how == "ok"] == [
        ("ok", ["a"]),
        ("ok", ["b"]),
    ]
    assert fed.asked == [(0.0, 2), (0.0, -1)]


async def test_one_that_waits_to_be_rid_of_its_messages_says_no_to_more(node: Node) -> None:
    fed = Fed(seconds=1.0)
    await fed.start(max_demand=1)
    await fed.emit("ab")
    await fed.tell(lambda source: source.finish())
    await fed.emit("c")
    await trio.sleep(5)
    assert [(how, data) for _, how, data in fed.book.log] == [
        ("ok", ["a"]),
        ("back", ["c"]),
        ("ok", ["b"]),
    ]
    assert fed.asked == [(0.0, 1)]


async def test_the_drain_waits_for_the_next_windows(node: Node) -> None:
    fed = Fed()
    await fed.start(rate_limit=RateLimit(2, 1.0))
    await fed.emit("abcde")
    await fed.ref.stop()
    assert fed.book.times("ok") == {0.0: ["a", "b"], 1.0: ["c", "d"], 2.0: ["e"]}


async def test_what_is_held_is_processed_before_the_end(node: Node) -> None:
    class Held(Pushing):
        demand = "accumulate"

    fed = Fed("ab")
    fed.kind = Held
    await fed.start()
    await fed.emit("c")
    await fed.ref.stop()
    assert fed.book.times("ok") == {0.0: ["c"]}
    assert fed.asked == []


async def test_it_is_asked_to_drain_once(node: Node) -> None:
    fed = Fed("a", seconds=1.0)
    fed.kind = draining(lambda source: None)
    await fed.start()
    process = fed.source.find()
    assert process is not None
    process.post_system(DrainAsked())
    process.post_system(DrainAsked())
    assert await wait_exit(fed.source) == NORMAL
    assert [count for _, count in fed.asked] == [10, -1]
    await trio.sleep(2)
    assert fed.book.times("ok") == {1.0: ["a"]}
    await fed.ref.wait_done()


@pytest.mark.parametrize("reason", [NORMAL, Shutdown("enough")])
async def test_the_last_moment_may_be_the_end(reason: Any, node: Node, events: Recorder) -> None:
    fed = Fed()
    fed.kind = draining(lambda source: (source.emit(fed.messages("c")), Stop(reason))[1])
    await fed.start()
    pid = fed.source_pid
    await fed.ref.stop()
    assert [data for _, _, data in fed.book.log] == [["c"]]
    assert end_of(events, pid) == reason


async def test_stop_from_handle_demand_is_the_end_once_all_has_left(node: Node) -> None:
    class Ending(Pushing):
        def handle_demand(self, demand: int) -> Emitted[Any]:
            self.emit(self.items)
            return Stop(NORMAL)

    fed = Fed("abcde", seconds=1.0)
    fed.kind = Ending
    await fed.start(max_demand=2)
    await fed.ref.wait_done()
    assert trio.current_time() == 5
    assert [one for _, _, data in fed.book.log for one in data] == list("abcde")


async def test_stop_for_another_reason_is_the_end_at_once(node: Node) -> None:
    class Ending(Pushing):
        def handle_demand(self, demand: int) -> Emitted[Any]:
            if not self.items:
                return []
            self.emit(self.items)
            self.items.clear()
            return Stop("broken")

    fed = Fed("abc", seconds=1.0)
    fed.kind = Ending
    await fed.start(max_demand=2)
    await trio.sleep(5)
    assert fed.book.log == [(0.0, "back", ["c"]), (1.0, "ok", ["a"]), (2.0, "ok", ["b"])]
    await fed.ref.stop()


async def test_outside_a_pipeline_it_is_a_producer(node: Node) -> None:
    class Alone(Source[int]):
        def init(self) -> None:
            with pytest.raises(OutsideProcess, match=r"^Alone.finish\(\) was called outside a"):
                self.finish()

        def handle_demand(self, demand: int) -> Emitted[Message[int]]:
            self.emit([Message(number) for number in range(3)])
            return Stop(NORMAL)

    class Reader(Consumer[Message[int]]):
        def handle_events(self, events: list[Message[int]], subscription: Subscription) -> None:
            read.extend(message.data for message in events)

    read: list[int] = []
    alone, reader = await Alone.start(), await Reader.start()
    await subscribe(reader, to=alone)
    await wait_exit(reader)
    assert read == [0, 1, 2]
    assert Alone().prepare_for_draining() is None
