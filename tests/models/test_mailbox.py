"""Two readers with limited mailboxes, and all that can be sent to them, compared with the model.

Readers ask for messages in every way while others send, call, cancel and let time pass. What
happened stands in one log in its order, and the model replays it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import trio
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule
from trio.testing import wait_all_tasks_blocked

from runtime import (
    Event,
    MessageDropped,
    Normal,
    OutsideProcess,
    ProcessCrashed,
    ProcessEnded,
    ProcessStarted,
    is_alive,
    kill,
    process_info,
    receive,
    spawn,
    wait_exit,
)
from runtime.current import find_process
from runtime.messages import Envelope
from tests.models import mailbox_model as model
from tests.models import mailbox_steps as do
from tests.models.machine import NodeMachine, examples
from tests.models.mailbox_log import Began, Ended, Entry, Got, Made
from tests.models.mailbox_messages import message_of
from tests.models.mailbox_readers import Stage


class MailboxMachine(NodeMachine):
    """Two readers at a time, three senders, callers, timers."""

    def __init__(self) -> None:
        super().__init__()
        self.stage = Stage(self.events)
        self.stage.start = self._tasks.start_soon
        self.world = model.World()
        self.replayed = 0
        self.crash: ProcessCrashed | None = None
        self.senders: list[trio.MemorySendChannel[tuple[Sequence[do.Op], bool]]] = []
        self.broken = False

    # -- steps ---------------------------------------------------------------------------------

    @initialize(births=do.populations)
    def at_first(self, births: list[do.Born]) -> None:
        async def step() -> None:
            self.stage.dead = spawn(trio.lowlevel.checkpoint)
            await wait_exit(self.stage.dead)
            for _ in range(do.SENDERS):
                give, get = trio.open_memory_channel[tuple[Sequence[do.Op], bool]](10)
                self.senders.append(give)
                spawn(self.sender, get)

        self.run(step)
        self.replayed = len(self.events)
        self.births(births)

    async def sender(self, get: trio.MemoryReceiveChannel[tuple[Sequence[do.Op], bool]]) -> None:
        """A process that sends, in one go or with others between."""
        async for script, paced in get:
            for op in script:
                self.stage.act(op)
                if paced:
                    await trio.lowlevel.checkpoint()

    def births(self, births: list[do.Born]) -> None:
        """In the place of a dead reader there is a new one."""

        async def step() -> None:
            for slot, born in enumerate(births):
                if self.world.slots[slot] not in self.world.readers:
                    self.world.born(self.stage.bear(slot, born), slot, born)

        self.step(step)

    @rule(slot=do.readers, program=do.programs)
    def read(self, slot: int, program: Sequence[do.Receive]) -> None:
        """A reader begins to receive."""
        self.busy([], [(slot, program)])

    @rule(script=do.scripts)
    def outside(self, script: Sequence[do.Op]) -> None:
        """A plain task does something, in one go."""

        async def step() -> None:
            for op in script:
                self.stage.act(op)

        self.step(step)

    @rule(
        scripts=st.lists(st.tuples(do.scripts, st.booleans()), max_size=do.SENDERS),
        programs=st.lists(st.tuples(do.readers, do.programs), max_size=2),
    )
    def busy(
        self,
        scripts: Sequence[tuple[Sequence[do.Op], bool]],
        programs: Sequence[tuple[int, Sequence[do.Receive]]],
    ) -> None:
        """Senders send and readers begin to receive, in whatever order."""

        async def step() -> None:
            for sender, script in zip(self.senders, scripts, strict=False):
                sender.send_nowait(script)
            for slot, program in programs:
                reader = self.stage.in_slot(slot)
                if reader.number in self.world.readers and reader.told == reader.done:
                    reader.tell(program)

        self.step(step)

    @rule(halves=st.integers(1, 4))
    def time_passes(self, halves: int) -> None:
        self.advance(halves / 2)
        self.replay()

    @rule(
        slot=st.sampled_from([None, None, None, 0, 1]), gently=st.booleans(), births=do.populations
    )
    def replaced(self, slot: int | None, gently: bool, births: list[do.Born]) -> None:
        """Perhaps a reader is killed, or told to return when it waits no more; then all live."""

        async def step() -> None:
            if slot is not None and gently:
                self.stage.in_slot(slot).tell(None)
            elif slot is not None:
                self.stage.act(do.Kill(slot))

        self.step(step)
        self.births(births)

    @rule(slot=do.readers, timeout=st.sampled_from([0.0, 1.0]))
    def received_by_a_helper(self, slot: int, timeout: float) -> None:
        """1.2: refused at once; the process's own task is the reader."""
        refused: list[bool] = []

        async def helper() -> None:
            try:
                await receive(timeout=timeout)
            except OutsideProcess:
                refused.append(True)

        async def step() -> None:
            context = self.stage.in_slot(slot).context
            assert context is not None
            context.run(self._tasks.start_soon, helper)

        self.step(step)
        assert refused == [True]

    # -- what the model says -------------------------------------------------------------------

    def step(self, step: Callable[[], Awaitable[None]]) -> None:
        """Do something, and let the model follow."""
        self.run(step)
        self.replay()

    def replay(self) -> None:
        self.broken = True
        for entry in self.stage.entries:
            self.happened(self.events[self.replayed : entry.at])
            self.world.pass_time(entry.time)
            self.follow(entry)
        self.stage.entries.clear()
        self.happened(self.events[self.replayed :])
        self.world.pass_time(self.now)
        self.world.settled()
        self.broken = False

    def follow(self, entry: Entry) -> None:
        match entry.what:
            case Made(op, outcome):
                assert outcome == self.world.make(op), entry
            case Began(number, wish):
                self.world.begin(number, wish)
            case Ended(number, over):
                self.world.over(number, over)

    def happened(self, events: Sequence[Event]) -> None:
        self.replayed += len(events)
        for event in events:
            match event:
                case ProcessStarted(pid):
                    if pid in self.stage.numbers:
                        self.world.began(self.stage.numbers[pid])
                case ProcessCrashed():
                    self.crash = event
                case ProcessEnded(pid) if pid in self.stage.numbers:
                    self.reader_ended(event)
                case ProcessEnded(pid):
                    self.world.bystander_ended(self.stage.bystanders[pid])
                    self.crash = None
                case _:
                    assert isinstance(event, MessageDropped)

    def reader_ended(self, event: ProcessEnded) -> None:
        reader, reason = self.world.ended(self.stage.numbers[event.pid])
        assert event.reason == reason
        crash, self.crash = self.crash, None
        assert (crash is None) == (reason == Normal())
        if crash is not None:
            assert (crash.pid, crash.reason) == (event.pid, reason)
            assert (crash.handled, crash.mailbox_length) == (reader.handled, len(reader.items))
            self.compare_current(crash.last_message, reader)

    @invariant()
    def all_is_as_in_the_model(self) -> None:
        async def look() -> None:
            for number, pid in enumerate(self.stage.pids):
                assert is_alive(pid) == (number in self.world.readers)
                if number in self.world.readers:
                    self.compare(self.world.readers[number])
            dropped = [event for event in self.events if isinstance(event, MessageDropped)]
            assert dropped == [
                MessageDropped(self.stage.pids[number], repr(message_of(kind, one)), total, "live")
                for number, kind, one, total in self.world.dropped
            ]
            ended = {
                number: call
                for number, call in self.world.calls.items()
                if call.outcome is not None
            }
            assert self.stage.outcomes.keys() == ended.keys()
            for number, outcome in self.stage.outcomes.items():
                assert ended[number].may_end(outcome), (outcome, ended[number])

        self.run(look)

    def compare(self, reader: model.Reader) -> None:
        pid = self.stage.pids[reader.number]
        info, process = process_info(pid), find_process(pid)
        assert info is not None
        assert process is not None
        assert (info.handled, info.dropped) == (reader.handled, reader.dropped)
        assert info.mailbox_length == len(reader.items)
        found = [
            self.stage.seen(item.content if isinstance(item, Envelope) else item)
            for item in process.mailbox.items
        ]
        assert found == [Got(item.kind, item.number) for item in reader.items]
        self.compare_current(info.current, reader)
        real = self.stage.readers[reader.number]
        assert (reader.waiting is None) == (real.told == real.done)

    def compare_current(self, said: str | None, reader: model.Reader) -> None:
        """The message in hand, or the last one."""
        last = reader.current
        if last is None or last.kind not in ("exit", "down", "forged"):
            assert said == (None if last is None else repr(message_of(last.kind, last.number)))

    async def end(self) -> None:
        """Everybody ends; nobody is left."""
        for pid in self.stage.pids:
            kill(pid)
        for sender in self.senders:
            sender.close()
        await wait_all_tasks_blocked()
        if not self.broken:
            self.stage.entries.clear()
            assert not any(map(is_alive, self.stage.pids))


TestMailbox = MailboxMachine.TestCase
TestMailbox.settings = examples(40, steps=30)
