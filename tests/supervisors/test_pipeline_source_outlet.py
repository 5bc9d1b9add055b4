"""The rate limit at the exit of the sources, and what else happens there."""

from __future__ import annotations

from typing import Any

import pytest
import trio

from runtime import BadResult, Crashed, Node, ProcessEnded, wait_exit
from supervisors.pipeline.declaration import RateLimit
from supervisors.pipeline.message import Message
from tests.conftest import Recorder
from tests.supervisors.source_parts import Fed


async def test_without_a_limit_the_source_is_asked_for_what_is_wanted(node: Node) -> None:
    fed = await Fed(range(4)).start()
    assert fed.asked[0] == (0.0, 10)
    assert fed.book.times("ok") == {0.0: [0, 1, 2, 3]}
    await fed.ref.stop()


async def test_the_source_is_asked_for_no_more_than_may_leave(node: Node) -> None:
    fed = await Fed(range(8)).start(rate_limit=RateLimit(3, 1.0))
    await trio.sleep(5)
    assert fed.book.times("ok") == {0.0: [0, 1, 2], 1.0: [3, 4, 5], 2.0: [6, 7]}
    assert fed.asked == [(0.0, 3), (1.0, 3), (2.0, 3), (3.0, 2)]
    await fed.ref.stop()


async def test_an_idle_source_is_not_woken_by_windows(node: Node) -> None:
    fed = await Fed().start(rate_limit=RateLimit(3, 1.0))
    await trio.sleep(100)
    assert fed.asked == [(0.0, 3)]
    await fed.emit("ab")
    assert fed.book.times("ok") == {100.0: ["a", "b"]}
    assert fed.asked == [(0.0, 3)], "one of which is still to come, and no other may leave"
    await trio.sleep(5)
    assert fed.asked == [(0.0, 3), (101.0, 2)]
    await fed.ref.stop()


async def test_what_is_emitted_unasked_waits_in_order(node: Node) -> None:
    fed = await Fed().start(rate_limit=RateLimit(2, 1.0))
    await fed.emit("abcde")
    await fed.emit("f")
    await trio.sleep(5)
    assert fed.book.times("ok") == {0.0: ["a", "b"], 1.0: ["c", "d"], 2.0: ["e", "f"]}
    await fed.ref.stop()


async def test_the_limit_does_not_open_what_demand_closes(node: Node) -> None:
    fed = await Fed(seconds=1.0).start(max_demand=1, rate_limit=RateLimit(5, 0.5))
    await fed.emit("abc")
    await trio.sleep(9)
    assert fed.book.times("ok") == {1.0: ["a"], 2.0: ["b"], 3.0: ["c"]}
    await fed.ref.stop()


async def test_all_sources_share_one_counter(node: Node) -> None:
    fed = await Fed(range(7)).start(concurrency=2, rate_limit=RateLimit(3, 1.0))
    await trio.sleep(9)
    sizes = {now: len(data) for now, data in fed.book.times("ok").items()}
    assert sizes == {0.0: 3, 1.0: 3, 2.0: 1}
    await fed.ref.stop()


async def test_another_limit_holds_from_the_next_window_on_or_at_once(node: Node) -> None:
    fed = await Fed().start(rate_limit=RateLimit(1, 10.0))
    await fed.emit(range(9))
    await trio.sleep(1)
    await fed.ref.set_rate_limit(allowed=3)
    await trio.sleep(10)  # it is 11
    assert fed.book.times("ok") == {0.0: [0], 10.0: [1, 2, 3]}
    await fed.ref.set_rate_limit(interval=1.0, reset=True)
    await trio.sleep(1.5)
    assert fed.book.times("ok") == {0.0: [0], 10.0: [1, 2, 3], 11.0: [4, 5, 6], 12.0: [7, 8]}
    await fed.ref.stop()


async def test_a_source_that_waits_for_a_window_may_be_stopped_meanwhile(node: Node) -> None:
    fed = await Fed().start(rate_limit=RateLimit(1, 10.0))
    await fed.emit("ab")
    pid = fed.source_pid
    await fed.tell(lambda source: 1 / 0)
    assert isinstance(await wait_exit(pid), object)
    await trio.sleep(20)
    assert [(how, data) for _, how, data in fed.book.log] == [("ok", ["a"]), ("back", ["b"])]
    await fed.ref.stop()


async def test_messages_of_a_test_pass_the_limit_and_those_that_wait(node: Node) -> None:
    fed = await Fed().start(rate_limit=RateLimit(1, 10.0))
    await fed.emit("ab")
    acked = await fed.ref.test_batch(["x", "y"]).all()
    assert [message.data for message in acked.successful] == ["x", "y"]
    assert trio.current_time() == 0
    await trio.sleep(11)
    assert fed.book.times("ok") == {0.0: ["a"], 10.0: ["b"]}
    await fed.ref.stop()


async def test_messages_of_a_test_go_before_others_when_they_are_wanted(node: Node) -> None:
    fed = await Fed(seconds=1.0).start(max_demand=1)
    await fed.emit("ab")
    await fed.ref.test_message("x").all()
    assert trio.current_time() == 2
    assert fed.book.times("ok") == {1.0: ["a"]}
    await trio.sleep(2)
    assert fed.book.times("ok") == {1.0: ["a"], 3.0: ["b"]}
    await fed.ref.stop()


async def test_what_is_emitted_is_transformed_but_not_what_a_test_sends(node: Node) -> None:
    fed = Fed(range(3))
    raw, fed.items = fed.items, ["a", "b"]
    assert len(raw) == 3
    await fed.start(transform=lambda event: Message(event.upper(), fed.book))
    assert fed.book.times("ok") == {0.0: ["A", "B"]}
    acked = await fed.ref.test_message("c").all()
    assert [message.data for message in acked.successful] == ["c"]
    await fed.ref.stop()


async def test_a_transform_that_raises_ends_its_source_and_nothing_else(
    node: Node, events: Recorder
) -> None:
    fed = Fed()

    def transform(event: str) -> Message[Any]:
        return Message(event, fed.book) if event != "b" else 1 / 0  # type: ignore[return-value]

    fed.items = ["a", "b", "c", "d"]
    await fed.start(max_demand=3, transform=transform)
    await trio.sleep(1)
    assert [(how, data) for _, how, data in fed.book.log] == [("back", ["a"]), ("ok", ["d"])]
    await fed.ref.stop()


@pytest.mark.parametrize("transform", [None, lambda event: event])
async def test_what_is_no_message_ends_its_source(
    transform: Any, node: Node, events: Recorder
) -> None:
    fed = Fed()
    fed.items = [*fed.messages("a"), 7]
    await fed.start(transform=transform)
    (end,) = [
        one
        for one in events
        if isinstance(one, ProcessEnded)
        and isinstance(one.reason, Crashed)
        and isinstance(one.reason.exception, BadResult)
    ]
    assert end.name == "fed.producer_0"
    assert isinstance(end.reason, Crashed)
    assert str(end.reason.exception) == (
        "producers.transform returned 7, allowed is a Message"
        if transform
        else "Pushing emitted 7, allowed is a Message; "
        "Producers(transform=...) makes one of anything else"
    )
    assert [(how, data) for _, how, data in fed.book.log] == [("back", ["a"])]
    await fed.ref.stop()


async def test_a_message_cannot_be_emitted_twice(node: Node, events: Recorder) -> None:
    fed = await Fed().start()
    (message,) = fed.messages("a")
    await fed.tell(lambda source: source.emit([message]))
    pid = fed.source_pid
    await fed.tell(lambda source: source.emit([message]))
    reason = next(one.reason for one in events if isinstance(one, ProcessEnded) and one.pid is pid)
    assert isinstance(reason, Crashed)
    assert isinstance(reason.exception, ValueError)
    await trio.sleep(1)
    await fed.tell(lambda source: source.emit([message.anew()]))
    assert [data for _, how, data in fed.book.log if how == "ok"] == [["a"], ["a"]]
    await fed.ref.stop()


async def test_a_source_may_hold_demand_until_it_is_told(node: Node) -> None:
    from runtime.stages import set_demand
    from tests.supervisors.source_parts import Pushing

    class Held(Pushing):
        demand = "accumulate"

    fed = Fed("ab")
    fed.kind = Held
    await fed.start()
    await fed.emit("c")
    assert fed.book.log == []
    await set_demand(fed.source, "forward")
    await trio.testing.wait_all_tasks_blocked()
    assert fed.book.times("ok") == {0.0: ["a", "b", "c"]}
    await fed.ref.stop()
