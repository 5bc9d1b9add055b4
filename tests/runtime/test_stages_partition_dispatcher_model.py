"""Any events, asks, ends and infos: nothing lost or doubled, in order, never more than allowed."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.stages.partition_dispatcher import NO_PARTITION, PartitionDispatcher
from tests.runtime.subscriptions import Driven

PARTITIONS = ("0", "1", "2")


def place(event: int) -> Any:
    """Every fifth is nobody's; the first partition gets the half of the others."""
    if event % 5 == 4:
        return NO_PARTITION
    return PARTITIONS[event % 4 % 3]


def expected(partition: Hashable, count: int) -> list[int]:
    return [event for event in range(count) if place(event) == partition]


steps = st.lists(
    st.one_of(
        st.tuples(st.just("ask"), st.sampled_from(PARTITIONS), st.integers(1, 9)),
        st.tuples(st.just("push"), st.just(""), st.integers(0, 12)),
        st.tuples(st.just("join"), st.sampled_from(PARTITIONS), st.just(0)),
        st.tuples(st.just("leave"), st.sampled_from(PARTITIONS), st.just(0)),
        st.tuples(st.just("info"), st.just(""), st.just(0)),
    ),
    max_size=100,
)


class Check:
    """What must hold, from what was done and what came of it."""

    def __init__(self, max_queued: int | None) -> None:
        self.max_queued = max_queued
        self.p = Driven(PartitionDispatcher[int](PARTITIONS, hash=place, max_queued=max_queued))
        self.pending: dict[str, int] = {}
        self.got: dict[str, list[int]] = {name: [] for name in PARTITIONS}
        self.pushed = 0
        self.infos: list[int] = []  # how many had been pushed before each that waits

    def do(self, what: str, name: str, count: int) -> None:
        if what == "push":
            self.pushed += count
            self.p.push(*range(self.pushed - count, self.pushed))
        elif what == "info":
            self.infos.append(self.pushed)
            self.p.info(f"behind {self.pushed}")
        elif what == "join" and name not in self.pending:
            self.pending[name] = 0
            self.p.join(name, partition=name)
        elif what == "leave" and name in self.pending:
            del self.pending[name]
            self.p.leave(name)
        elif what == "ask" and name in self.pending:
            self.pending[name] += count
            self.p.ask(name, count)

    def heard(self) -> None:
        for entry in self.p.came():
            if isinstance(entry, tuple):
                name, events = entry
                assert 0 < len(events) <= self.pending[name]
                self.pending[name] -= len(events)
                self.got[name] += events
            elif isinstance(entry, str):
                assert entry == f"behind {self.infos[0]}"
                before = self.infos.pop(0)
                assert all(
                    self.got[name][: len(wanted)] == wanted
                    for name in PARTITIONS
                    if (wanted := expected(name, before))
                )

    def holds(self) -> None:
        routed = self.pushed - len(self.p.buffer)
        waiting = 0
        for name in PARTITIONS:
            wanted, got = expected(name, routed), self.got[name]
            assert got == wanted[: len(got)]
            queue = len(wanted) - len(got)
            waiting += queue
            assert not queue or not self.pending.get(name)
            assert self.max_queued is None or queue <= self.max_queued
        dispatcher = self.p.dispatcher
        assert dispatcher.queued == waiting
        assert dispatcher.demand <= max(sum(self.pending.values()) - waiting, 0)
        if self.max_queued is None:
            assert dispatcher.demand == max(sum(self.pending.values()) - waiting, 0)
        assert len(self.p.buffer) == 0 or dispatcher.demand == 0
        assert self.infos == [] or len(self.p.buffer) + waiting > 0


@settings(max_examples=400, deadline=None, derandomize=True)
@given(max_queued=st.one_of(st.none(), st.integers(1, 6)), do=steps)
def test_whatever_happens(max_queued: int | None, do: list[tuple[str, str, int]]) -> None:
    check = Check(max_queued)
    for what, name, count in do:
        check.do(what, name, count)
        check.heard()
        check.holds()
    for name in PARTITIONS:  # in the end everything reaches somebody
        check.do("join", name, 0)
    for _ in range(check.pushed + 1):
        for name in PARTITIONS:
            check.do("ask", name, 1)
            check.heard()
            check.holds()
    assert check.got == {name: expected(name, check.pushed) for name in PARTITIONS}
    assert check.infos == []
