"""The durable queue against a model: anything in any order, closed and opened in between."""

from __future__ import annotations

import math
import shutil
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from supervisors.pipeline.sources.queue_values import (
    Failure,
    Lease,
    Leased,
    QueueStatistics,
    StoredLetter,
)
from tests.supervisors.queue_parts import Clock, Timed

ATTEMPTS = 3
REMEMBERED = 20.0
KEYS = st.sampled_from([None, None, "a", "b"])
SECONDS = st.sampled_from([0.0, 1.0, 5.0, 10.0])
NUMBERS = st.lists(st.integers(0, 9), max_size=3, unique=True)


class Entry:
    """A message as the model knows it."""

    def __init__(self, number: int, key: str | None, put_at: float, due_at: float) -> None:
        self.number, self.key, self.put_at, self.due_at = number, key, put_at, due_at
        self.leased, self.delivery, self.attempts = False, 0, 0
        self.reason: str | None = None
        self.died_at = 0.0

    @property
    def data(self) -> bytes:
        return str(self.number).encode()


class QueueMachine(RuleBasedStateMachine):
    """Whatever is answered, and however late: the queue says what the model does."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.clock = Clock()
        self.open()
        self.number = 0
        self.waiting: list[Entry] = []
        self.dead: list[Entry] = []
        self.done = 0
        self.keys: dict[str, float | None] = {}
        self.leases: list[Lease] = []

    def open(self) -> None:
        self.queue = Timed(self.folder / "queue", remember_keys=REMEMBERED)
        self.queue.hand.now = self.clock.now
        self.queue.hand = self.queue.clock = self.clock

    def teardown(self) -> None:
        self.queue.close()
        shutil.rmtree(self.folder)

    # -- who puts -----------------------------------------------------------------------

    @rule(keys=st.lists(KEYS, min_size=1, max_size=3), delay=SECONDS)
    def put(self, keys: list[str | None], delay: float) -> None:
        items: list[tuple[bytes, str | None]] = []
        new = 0
        now = self.clock.now
        for key in keys:
            number = self.number + new + 1
            items.append((str(number).encode(), key))
            if key is not None:
                until = self.keys.get(key, 0.0)
                if until is None or until > now:
                    items[-1] = (b"never seen", key)
                    continue
                self.keys[key] = None
            new += 1
            self.waiting.append(Entry(number, key, now, now + delay))
        self.number += new
        assert self.queue.put_many(items, delay=delay) == new

    # -- who takes ----------------------------------------------------------------------

    @rule(count=st.integers(0, 4), seconds=SECONDS)
    def lease(self, count: int, seconds: float) -> None:
        now, expected = self.clock.now, list[Leased]()
        due = sorted(
            (one for one in self.waiting if one.due_at <= now),
            key=lambda one: (one.due_at, one.number),
        )
        for one in due:
            if len(expected) == count:
                break
            if one.attempts == ATTEMPTS:
                before = "" if one.reason is None else f"; before that: {one.reason}"
                self.bury(one, f"attempt 3 was never answered: its lease ended{before}")
                continue
            one.leased, one.due_at = True, max(now + seconds, math.nextafter(now, math.inf))
            one.delivery += 1
            one.attempts += 1
            held = Lease(one.number, one.delivery)
            expected.append(
                Leased(held, one.data, one.key, one.attempts, one.put_at, one.due_at, one.reason)
            )
        self.leases += [one.lease for one in expected]
        assert self.queue.lease(count, seconds, max_attempts=ATTEMPTS) == expected

    def held(self, numbers: list[int]) -> tuple[list[Lease], list[Entry]]:
        """Leases of any age, the latest first, and the messages they are still good for."""
        chosen = [self.leases[-1 - number] for number in numbers if number < len(self.leases)]
        found = [
            one
            for lease in chosen
            for one in self.waiting
            if (one.number, one.delivery, one.leased) == (*lease, True)
        ]
        return chosen, found

    def bury(self, one: Entry, reason: str) -> None:
        self.waiting.remove(one)
        self.dead.append(one)
        one.leased, one.reason, one.died_at = False, reason, self.clock.now

    @rule(numbers=NUMBERS)
    def acknowledge(self, numbers: list[int]) -> None:
        leases, found = self.held(numbers)
        for one in found:
            self.waiting.remove(one)
            if one.key is not None:
                self.keys[one.key] = self.clock.now + REMEMBERED
        self.done += len(found)
        assert self.queue.acknowledge(leases) == len(found)

    @rule(numbers=NUMBERS, delay=st.one_of(st.none(), SECONDS))
    def fail(self, numbers: list[int], delay: float | None) -> None:
        leases, found = self.held(numbers)
        for one in found:
            if delay is None or one.attempts == ATTEMPTS:
                self.bury(one, "bad")
            else:
                one.leased, one.due_at, one.reason = False, self.clock.now + delay, "bad"
        failures = [Failure(lease, "bad", delay) for lease in leases]
        assert self.queue.fail(failures, max_attempts=ATTEMPTS) == len(found)

    @rule(numbers=NUMBERS)
    def give_back(self, numbers: list[int]) -> None:
        leases, found = self.held(numbers)
        for one in found:
            one.leased, one.due_at = False, one.put_at
            one.attempts -= 1
        assert self.queue.give_back(leases) == len(found)

    @rule(numbers=NUMBERS, seconds=SECONDS)
    def extend(self, numbers: list[int], seconds: float) -> None:
        leases, found = self.held(numbers)
        for one in found:
            one.due_at = self.clock.now + seconds
        held = [Lease(one.number, one.delivery) for one in found]
        assert self.queue.extend(leases, seconds) == held

    # -- dead letters, time, crashes ----------------------------------------------------

    def of_the_dead(self, numbers: list[int] | None) -> tuple[list[int] | None, list[Entry]]:
        if numbers is None:
            return None, list(self.dead)
        chosen = [one for number, one in enumerate(self.dead) if number in numbers]
        return [*(one.number for one in chosen), 10**6], chosen

    @rule(numbers=st.one_of(st.none(), NUMBERS))
    def put_back(self, numbers: list[int] | None) -> None:
        ids, chosen = self.of_the_dead(numbers)
        for one in chosen:
            self.dead.remove(one)
            self.waiting.append(one)
            one.due_at, one.attempts = self.clock.now, 0
        assert self.queue.put_back(ids) == len(chosen)

    @rule(numbers=st.one_of(st.none(), NUMBERS))
    def discard(self, numbers: list[int] | None) -> None:
        ids, chosen = self.of_the_dead(numbers)
        for one in chosen:
            self.dead.remove(one)
            self.done += 1
            if one.key is not None:
                self.keys[one.key] = self.clock.now + REMEMBERED
        assert self.queue.discard(ids) == len(chosen)

    @rule(seconds=SECONDS)
    def let_time_pass(self, seconds: float) -> None:
        self.clock.now += seconds

    @rule()
    def open_it_again(self) -> None:
        self.queue.close()
        self.open()

    # -- what holds always --------------------------------------------------------------

    @invariant()
    def nothing_is_lost(self) -> None:
        assert len(self.waiting) + len(self.dead) + self.done == self.number

    @invariant()
    def the_numbers_are_those_of_the_model(self) -> None:
        now = self.clock.now
        later = [one for one in self.waiting if one.due_at > now]
        assert self.queue.statistics() == QueueStatistics(
            ready=len(self.waiting) - len(later),
            delayed=sum(not one.leased for one in later),
            leased=sum(one.leased for one in later),
            dead=len(self.dead),
            oldest=now - min((one.put_at for one in self.waiting), default=now),
        )
        due = min((one.due_at for one in self.waiting), default=None)
        assert self.queue.next_due() == (None if due is None else max(0.0, due - now))

    @invariant()
    def the_dead_letters_are_those_of_the_model(self) -> None:
        assert self.queue.dead_letters() == [
            StoredLetter(
                one.number, one.data, one.key, one.attempts, one.put_at, one.died_at,
                one.reason or "",
            )
            for one in sorted(self.dead, key=lambda one: one.number)
        ]  # fmt: skip


TestQueue = QueueMachine.TestCase
TestQueue.settings = settings(max_examples=60, stateful_step_count=40)
