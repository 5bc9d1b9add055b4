"""Random graphs of processes, compared with the model after every step.

Each process does what it is told, in one go. What happened, operations and starts and ends, stands
in one log in its order, and the model replays it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule
from trio.testing import wait_all_tasks_blocked

from runtime import (
    CleanupFailed,
    Event,
    ExitReason,
    NoNode,
    Normal,
    Pid,
    ProcessCrashed,
    ProcessEnded,
    ProcessStarted,
    Ref,
    exit,
    is_alive,
    kill,
    process_info,
    processes,
    ref,
    register,
    registered,
    send,
    wait_exit,
    whereis,
)
from runtime.current import find_process
from tests.models import links_model as model
from tests.models import links_steps as do
from tests.models.links_notes import (
    Downed,
    Exited,
    Note,
    Text,
    compare,
    is_what_was_raised,
    same_reason,
)
from tests.models.links_puppets import Entry, Stage
from tests.models.machine import NodeMachine, examples

KINDS: dict[str, type[Note] | None] = {
    "text": Text,
    "exit": Exited,
    "down": Downed,
    "any": None,
}


class LinksMachine(NodeMachine):
    """Five processes at a time, their successors, and what they do to each other."""

    def __init__(self) -> None:
        super().__init__()
        self.stage = Stage(self.events)
        self.world = model.World()
        self.replayed = 0
        self.reports: list[Event] = []
        self.waited: dict[int, ExitReason] = {}
        self.waits = 0
        self.broken = False

    # -- steps ---------------------------------------------------------------------------------

    @initialize(people=do.populations)
    def at_first(self, people: list[do.Spawn]) -> None:
        self.outside(people)

    @rule(people=do.populations)
    def fill(self, people: list[do.Spawn]) -> None:
        """Where somebody is dead there is somebody new."""
        self.outside(people)

    @rule(script=do.scripts)
    def outside(self, script: Sequence[do.Op]) -> None:
        """A plain task does something."""

        async def step() -> None:
            for op in script:
                if not isinstance(op, do.End):
                    self.stage.make(None, op)

        self.step(step)

    @rule(slot=do.slots, script=do.scripts)
    def one(self, slot: int, script: Sequence[do.Op]) -> None:
        """A process does something."""
        self.some([(slot, script)])

    @rule(some=st.lists(st.tuples(do.slots, do.scripts), min_size=2, max_size=4))
    def some(self, some: Sequence[tuple[int, Sequence[do.Op]]]) -> None:
        """Several processes do something, in whatever order."""

        async def step() -> None:
            for slot, script in some:
                self.stage.in_slot(slot).tell(script)

        self.step(step)

    @rule(slot=do.slots, script=do.scripts)
    def helped(self, slot: int, script: Sequence[do.Op]) -> None:
        """A helper task of a process does something while that sleeps; perhaps it is dead."""

        async def step() -> None:
            self.stage.in_slot(slot).help(script)

        self.step(step)

    @rule(ties=st.lists(st.tuples(do.slots, do.ties), min_size=4, max_size=12))
    def tied(self, ties: Sequence[tuple[int, do.Op]]) -> None:
        """The living do this and that to each other, one by one."""

        async def step() -> None:
            self.stage.repopulate()
            for slot, tie in ties:
                self.stage.in_slot(slot).help([tie])

        self.step(step)

    @rule(chain=st.lists(do.slots, min_size=3, max_size=5, unique=True), ring=st.booleans())
    def chained(self, chain: list[int], ring: bool) -> None:
        """Each links to the next, and perhaps the last to the first."""
        others = [*chain[1:], *chain[:ring]]
        self.tied(
            [(one, do.Link(do.Aim(other))) for one, other in zip(chain, others, strict=False)]
        )

    @rule(whom=do.aims, troubles=st.lists(do.told_to_end, min_size=2, max_size=4), by=do.slots)
    def pestered(self, whom: do.Target, troubles: list[do.Signal | do.Kill], by: int) -> None:
        """Somebody is told to end several times at once."""
        self.tied([(by, replace(trouble, target=whom)) for trouble in troubles])

    @rule(whom=do.slots, signal=do.own_signals)
    def weary(self, whom: int, signal: do.Signal) -> None:
        """Somebody tells itself to end."""
        self.tied([(whom, signal)])

    @rule(slot=do.slots, other=do.slots, calls_off=st.lists(do.demonitors, min_size=1, max_size=3))
    def watched(self, slot: int, other: int, calls_off: list[do.Demonitor]) -> None:
        """Somebody is watched to the end; then the monitors are called off."""
        whom = do.Aim(other)
        self.tied([(slot, do.Monitor(whom)) for _ in calls_off])
        self.tied([(slot, do.Kill(whom))])
        self.tied([(slot, off) for off in calls_off])

    @rule(slot=do.slots, takes=st.lists(do.takes, min_size=1, max_size=4))
    def took(self, slot: int, takes: list[do.Take]) -> None:
        """A process takes messages out."""
        self.one(slot, takes)

    @rule(whom=do.aims)
    def wait(self, whom: do.Target) -> None:
        """A plain task waits for an end."""
        aimed = self.stage.aimed(None, do.IsAlive(whom))
        assert isinstance(aimed, do.IsAlive)
        number, self.waits = self.waits, self.waits + 1

        async def wait() -> None:
            self.waited[number] = await wait_exit(self.stage.target(aimed.target))

        self.background(wait)
        self.world.wait(number, aimed.target)

    @rule(slot=do.slots)
    def from_another_thread(self, slot: int) -> None:
        """2.4: refused, and nothing has happened."""
        number = self.stage.slots[slot][-1]
        if number not in self.world.alive:
            return
        pid = self.stage.pids[number]

        async def held() -> Ref:
            return ref(pid)

        target = self.run(held)
        acts: tuple[Callable[[], None], ...] = (
            lambda: target.send(1),
            lambda: send(pid, 1),
            lambda: exit(target, "from afar"),
            lambda: kill(target),
            lambda: register("free", target),
        )
        for act in acts:
            with pytest.raises(NoNode):
                act()

    # -- what the model says -------------------------------------------------------------------

    def step(self, step: Callable[[], Awaitable[None]]) -> None:
        """Do something, and let the model follow."""
        self.run(step)
        self.replay()

    def replay(self) -> None:
        self.broken = True
        for entry in self.stage.log:
            self.happened(self.events[self.replayed : entry.at])
            self.was_made(entry)
        self.happened(self.events[self.replayed :])
        told, obeyed = Counter(self.stage.told), Counter(self.stage.obeyed)
        for one in self.world.alive.values():
            assert one.began, f"{one} does not begin"
            assert not self.world.must_end(one), f"{one} does not end"
            assert told[one.number] == obeyed[one.number]
        assert obeyed <= told
        for log in (self.stage.log, self.stage.told, self.stage.obeyed):
            log.clear()
        self.broken = False

    def was_made(self, entry: Entry) -> None:
        op, outcome = entry.op, entry.outcome
        if isinstance(op, do.Take):
            assert entry.actor is not None
            assert outcome is None or isinstance(outcome, Note)
            self.world.alive[entry.actor].take(outcome, KINDS[op.what])
        else:
            expected = self.world.make(entry.actor, op)
            assert (type(outcome), outcome) == (type(expected), expected), entry

    def happened(self, events: Sequence[Event]) -> None:
        self.replayed += len(events)
        for event in events:
            match event:
                case ProcessStarted(pid, name, ancestors):
                    self.world.begin(self.stage.numbers[pid])
                    begun = self.world.alive[self.stage.numbers[pid]]
                    assert (name, self.stage.known(ancestors)) == (begun.name, begun.ancestors)
                case ProcessEnded(pid, name, reason):
                    ending = self.world.end(self.stage.numbers[pid])
                    assert name == ending.name
                    assert same_reason(reason, ending.reason)
                    self.was_reported(pid, ending)
                case CleanupFailed() | ProcessCrashed():
                    self.reports.append(event)
                case _:
                    raise AssertionError(f"nobody asked for {event}")

    def was_reported(self, pid: Pid, ending: model.Ending) -> None:
        """What the node has told just before an end."""
        reports, self.reports = self.reports, []
        if ending.raised is not None:
            failed = reports.pop(0)
            assert isinstance(failed, CleanupFailed)
            assert failed.pid is pid
            assert same_reason(failed.reason, ending.reason)
            assert is_what_was_raised(failed.exception, ending.raised)
        if ending.is_crash:
            crash = reports.pop(0)
            assert isinstance(crash, ProcessCrashed)
            assert (crash.pid, crash.name) == (pid, ending.name)
            assert same_reason(crash.reason, ending.reason)
        assert reports == []

    @invariant()
    def all_is_as_in_the_model(self) -> None:
        async def look() -> None:
            world = self.world
            assert registered() == sorted(world.names)
            held = {name: whereis(name) for name in do.NAMES}
            assert held == {
                name: self.stage.pids[world.names[name]] if name in world.names else None
                for name in do.NAMES
            }
            assert processes() == [self.stage.pids[number] for number in world.alive]
            for number, pid in enumerate(self.stage.pids):
                assert is_alive(pid) == (number in world.alive)
                if number in world.alive:
                    self.compare(pid, world.alive[number])
                else:
                    assert process_info(pid) is None
            assert self.waited.keys() == world.waited.keys()
            for number, reason in self.waited.items():
                assert same_reason(reason, world.waited[number])

        self.run(look)

    def compare(self, pid: Pid, one: model.Model) -> None:
        info, process = process_info(pid), find_process(pid)
        assert info is not None
        assert process is not None
        assert (info.status, info.name, info.trap_exits) == ("running", one.name, one.traps)
        assert (info.handled, info.dropped) == (one.handled, 0)
        assert (info.mailbox_length, self.stage.known(info.ancestors)) == (
            one.length(),
            one.ancestors,
        )
        assert self.stage.numbers.get(info.parent) == one.linked_to
        watches = self.world.watches.values()
        assert sorted(self.stage.known(info.links)) == sorted(one.links)
        assert sorted(self.stage.known(info.monitors)) == sorted(
            watch.target for watch in watches if watch.owner == one.number
        )
        assert sorted(self.stage.known(info.monitored_by)) == sorted(
            watch.owner for watch in watches if watch.target == one.number
        )
        waiting = iter(process.mailbox.items)
        for group in one.mailbox:
            compare(group, [self.stage.seen(next(waiting)) for _ in group])

    async def end(self) -> None:
        """All are told to end, those too that shield themselves."""
        for puppet in self.stage.puppets:
            puppet.tell([do.End("return", Normal())])
        await wait_all_tasks_blocked()
        for puppet in self.stage.puppets:
            puppet.scope.shield = False  # should one not have listened
        if not self.broken:
            self.replay()
            assert self.world.alive == {}
            assert registered() == []


TestLinks = LinksMachine.TestCase
TestLinks.settings = examples(40, steps=30)
