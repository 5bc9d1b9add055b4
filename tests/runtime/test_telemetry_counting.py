"""What a node holds, by behaviour, as any thread may count it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from runtime import (
    BehaviourCounts,
    CountNode,
    Event,
    Instrument,
    MailboxLimit,
    MessageDropped,
    Node,
    ProcessCrashed,
    add_instrument,
    child_spec,
    open_node,
    remove_instrument,
    send,
    spawn,
    start,
    via,
    wait_exit,
)
from runtime.registry import Registry
from tests.runtime.telling import Oracle
from tests.support import stop_all


class Looker(Instrument):
    """Hears nothing, and keeps what it may count."""

    def __init__(self) -> None:
        super().__init__(self._hear, ())
        self.counts: list[CountNode] = []

    def _hear(self, _event: Event) -> None: ...

    def joined(self, count: CountNode) -> None:
        self.counts.append(count)

    def left(self, count: CountNode) -> None:
        self.counts.remove(count)


@pytest.fixture
async def look(node: Node) -> Callable[[], dict[str, BehaviourCounts]]:
    """Counts the node."""
    looker = Looker()
    add_instrument(looker)
    (count,) = looker.counts
    return count


CountsIt = Callable[[], dict[str, BehaviourCounts]]


async def sleeper() -> None:
    await trio.sleep_forever()


async def test_processes_and_what_waits_for_them_are_counted_by_behaviour(look: CountsIt) -> None:
    assert look() == {}
    first, second = spawn(sleeper), spawn(sleeper, name="second")
    third = spawn(partial(trio.sleep, 1e9))
    for number in range(3):
        send(first, number)
    for number in range(5):
        send(second, number)
    assert look() == {"sleeper": BehaviourCounts(2, 8, 5), "sleep": BehaviourCounts(1, 0, 0)}
    await stop_all(first, second)
    assert look() == {"sleep": BehaviourCounts(1, 0, 0)}
    await stop_all(third)
    assert look() == {}


async def test_a_behaviour_is_what_runs_whatever_it_is_called(look: CountsIt) -> None:
    names = await start(Registry.child_spec("unique").replace(name="names"))
    await start(Oracle.child_spec().replace(name="oracle"))
    await start(Oracle.child_spec().replace(name=via("names", "key")))
    await start(child_spec(sleeper).replace(name=via("names", "other")))
    assert look() == {
        "Registry": BehaviourCounts(1, 0, 0),
        "Oracle": BehaviourCounts(2, 0, 0),
        "sleeper": BehaviourCounts(1, 0, 0),
    }
    await stop_all(names)


async def test_events_say_the_behaviour_too(node: Node, events: list[Event]) -> None:
    async def crasher() -> None:
        await wait_all_tasks_blocked()
        raise ValueError("meant")

    pid = spawn(crasher, name="named", mailbox=MailboxLimit(1, policy="drop_newest"))
    send(pid, 1)
    send(pid, 2)
    await wait_exit(pid)
    assert [event.behaviour for event in events if isinstance(event, ProcessCrashed)] == ["crasher"]
    assert [event.behaviour for event in events if isinstance(event, MessageDropped)] == ["crasher"]


@pytest.mark.real_clock
async def test_it_may_be_counted_in_any_thread(look: CountsIt) -> None:
    pids = [spawn(sleeper) for _ in range(100)]
    counted = [await trio.to_thread.run_sync(look) for _ in range(10)]
    assert counted == [{"sleeper": BehaviourCounts(100, 0, 0)}] * 10
    await stop_all(*pids)


async def test_an_instrument_joins_a_node_that_opens_and_leaves_it_when_it_has_ended() -> None:
    looker, counted = Looker(), list[dict[str, BehaviourCounts]]()

    async def last_words() -> None:
        try:
            await trio.sleep_forever()
        finally:
            counted.append(looker.counts[0]())

    assert looker.counts == []
    async with open_node(instruments=[looker]):
        assert len(looker.counts) == 1
        spawn(last_words)
        await wait_all_tasks_blocked()
    assert counted == [{"last_words": BehaviourCounts(1, 0, 0)}]
    assert looker.counts == []


async def test_an_instrument_leaves_when_it_is_removed(node: Node) -> None:
    looker = Looker()
    add_instrument(looker)
    assert len(looker.counts) == 1
    assert remove_instrument(looker)
    assert looker.counts == []
