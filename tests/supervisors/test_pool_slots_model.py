"""Who gets which worker: the decision by itself, against an independent model."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from supervisors.pool_slots import Ended, Lend, Make, Patience, Retire, Slots


class Model(RuleBasedStateMachine):
    """Anything may happen in any order; what must hold always is checked after each step."""

    @initialize(
        size=st.integers(0, 3),
        max_overflow=st.integers(0, 2),
        strategy=st.sampled_from(["lifo", "fifo"]),
        max_queue=st.sampled_from([None, 0, 2]),
    )
    def open(self, size: int, max_overflow: int, strategy: str, max_queue: int | None) -> None:
        self.size, self.limit = size, max(1, size + max_overflow)
        self.doomed: set[int] = set()
        self.slots: Slots[int, int] = Slots(
            size,
            self.limit - size,
            strategy="lifo" if strategy == "lifo" else "fifo",
            max_queue=max_queue,
            usable=lambda worker: worker not in self.doomed,
            waits=lambda waiter: waiter in self.queue,
        )
        self.max_queue = max_queue
        self.fifo = strategy == "fifo"
        self.numbers = iter(range(10**6))
        self.starting: dict[int, int | None] = {}
        self.idle: list[int] = []
        self.lent: dict[int, int] = {}
        self.put_off: list[int] = []
        self.stopping: list[int] = []
        self.queue: list[int] = []  # those who really wait, in order
        self.left_silently: list[int] = []
        self.go()

    def go(self) -> None:
        while (step := self.slots.next_step()) is not None:
            match step:
                case Lend():
                    assert step.waiter == self.queue.pop(0), "first come, first served"
                    usable = [worker for worker in self.idle if worker not in self.doomed]
                    assert step.worker == usable[0 if self.fifo else -1]
                    self.idle.remove(step.worker)
                    self.lent[step.worker] = step.waiter
                case Make():
                    worker = next(self.numbers)
                    if step.waiter is not None:
                        assert step.waiter in self.queue
                        assert step.waiter not in self.starting.values(), "one start for each"
                    self.slots.begin(worker, step.waiter)
                    self.starting[worker] = step.waiter
                case Retire():
                    assert len(self.idle) + len(self.lent) > self.size
                    assert self.queue == []
                    self.idle.remove(step.worker)
                    self.stopping.append(step.worker)

    @property
    def staying(self) -> int:
        return sum(map(len, (self.starting, self.idle, self.lent, self.put_off)))

    @property
    def workers(self) -> list[int]:
        return [*self.starting, *self.idle, *self.lent, *self.put_off, *self.stopping]

    @rule(patience=st.sampled_from(["queue", "queue", "start", "none"]))
    def ask(self, patience: Patience) -> None:
        waiter = next(self.numbers)
        behind = len(self.queue) - len(self.starting)  # those no start is for
        accepted = any(worker not in self.doomed for worker in self.idle)
        if patience != "none":
            accepted = accepted or behind < 0 or len(self.workers) < self.limit
        if patience == "queue":
            accepted = accepted or self.max_queue is None or behind < self.max_queue
        self.queue.append(waiter)
        assert self.slots.ask(waiter, patience) is accepted
        if not accepted:
            self.queue.remove(waiter)
        self.go()

    @precondition(lambda self: self.queue)
    @rule(data=st.data(), told=st.booleans())
    def leave(self, data: st.DataObject, told: bool) -> None:
        waiter = data.draw(st.sampled_from(self.queue))
        self.queue.remove(waiter)
        if told:
            self.slots.leave(waiter)

    @precondition(lambda self: self.starting)
    @rule(data=st.data())
    def come_up(self, data: st.DataObject) -> None:
        worker = data.draw(st.sampled_from(sorted(self.starting)))
        del self.starting[worker]
        self.idle.append(worker)
        self.slots.came_up(worker)
        self.go()

    @precondition(lambda self: self.lent)
    @rule(data=st.data(), well=st.booleans())
    def give_back(self, data: st.DataObject, well: bool) -> None:
        worker = data.draw(st.sampled_from(sorted(self.lent)))
        del self.lent[worker]
        if well:
            self.idle.append(worker)
            self.slots.give_back(worker)
        else:
            self.stopping.append(worker)
            self.slots.discard(worker)
        self.go()

    @precondition(lambda self: self.idle or self.lent)
    @rule(data=st.data())
    def doom(self, data: st.DataObject) -> None:
        self.doomed.add(data.draw(st.sampled_from(sorted([*self.idle, *self.lent]))))

    @precondition(lambda self: self.workers)
    @rule(data=st.data())
    def end(self, data: st.DataObject) -> None:
        alive = sorted(set(self.workers) - set(self.put_off))
        if not alive:
            return
        worker = data.draw(st.sampled_from(alive))
        was_stopping, wanted_by = worker in self.stopping, self.starting.pop(worker, None)
        self.lent.pop(worker, None)
        for row in (self.idle, self.stopping):
            if worker in row:
                row.remove(worker)
        self.doomed.discard(worker)
        missed = self.staying < self.size
        if wanted_by is None:
            missed = missed or len(self.queue) > len(self.starting)
        tell = wanted_by if wanted_by in self.queue else None
        assert self.slots.ended(worker) == Ended(missed and not was_stopping, tell)
        if tell is not None:
            self.queue.remove(tell)
        if missed and not was_stopping:
            self.put_off.append(worker)
        self.go()

    @precondition(lambda self: self.put_off)
    @rule(data=st.data())
    def start_again(self, data: st.DataObject) -> None:
        worker = data.draw(st.sampled_from(sorted(self.put_off)))
        self.put_off.remove(worker)
        missed = self.staying < self.size or len(self.queue) > len(self.starting)
        assert self.slots.start_again(worker) is missed
        if missed:
            self.starting[worker] = None
        self.go()

    @rule()
    def count_who_waits(self) -> None:
        """No invariant: whoever has left without a word is forgotten by that."""
        assert self.slots.waiting == len(self.queue)

    @invariant()
    def never_more_than_there_may_be(self) -> None:
        assert len(self.workers) == len(set(self.workers)) <= self.limit

    @invariant()
    def nobody_waits_for_what_is_there(self) -> None:
        usable = [worker for worker in self.idle if worker not in self.doomed]
        room = len(self.workers) < self.limit
        assert not (self.queue and usable)
        assert not (room and len(self.queue) > len(self.starting))
        assert not (room and self.staying < self.size)
        if usable:
            assert len(self.idle) + len(self.lent) <= self.size
        assert self.slots.overflow == max(0, self.staying - self.size)
        assert self.slots.state == ("ready" if usable else "overflow" if room else "full")

    def teardown(self) -> None:
        """All come back, and the pool is as it was."""
        if not hasattr(self, "slots"):
            return
        self.queue.clear()
        while self.starting or self.lent or self.put_off or self.stopping or self.doomed:
            for worker in sorted(self.starting):
                del self.starting[worker]
                self.idle.append(worker)
                self.slots.came_up(worker)
            for worker in sorted(self.lent):
                del self.lent[worker]
                self.idle.append(worker)
                self.slots.give_back(worker)
            self.go()
            for worker in [*self.stopping, *sorted(self.doomed & set(self.idle))]:
                again = self.slots.ended(worker).again
                (self.idle if worker in self.idle else self.stopping).remove(worker)
                if again:
                    self.put_off.append(worker)
            self.doomed.clear()
            for worker in tuple(self.put_off):
                self.put_off.remove(worker)
                if self.slots.start_again(worker):
                    self.starting[worker] = None
            self.go()
        assert len(self.idle) == self.slots.idle == self.size


Model.TestCase.settings = settings(max_examples=300, stateful_step_count=40, derandomize=True)
TestModel = Model.TestCase
