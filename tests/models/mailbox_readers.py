"""The processes of ``test_mailbox``: readers, whoever sends to them, and the log of it all."""

from __future__ import annotations

import contextvars
import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import TypeVar

import trio

from runtime import (
    CallExit,
    CallTimeout,
    Cast,
    Down,
    Event,
    Exit,
    IdleTimeout,
    MailboxFull,
    MonitorRef,
    Pid,
    ProcessNotFound,
    ReceiveTimeout,
    Ref,
    ReplyDropped,
    Request,
    demonitor,
    exit,
    is_alive,
    kill,
    monitor,
    named,
    receive,
    ref,
    send,
    send_after,
    spawn,
    trap_exits,
)
from tests.models import mailbox_steps as do
from tests.models.mailbox_log import (
    Began,
    Broke,
    Cancelled,
    Ended,
    Entry,
    Got,
    Made,
    Over,
    Refused,
    TimedOut,
    What,
)
from tests.models.mailbox_messages import (
    CLASSES,
    SLIPS,
    Ask,
    Blue,
    Boom,
    Dark,
    Match,
    Red,
    message_of,
)

T = TypeVar("T")


class Reader:
    """A process that makes one ``receive`` after the other."""

    def __init__(self, stage: Stage, number: int, slot: int, born: do.Born) -> None:
        self.stage = stage
        self.number = number
        self.slot = slot
        self.born = born
        self.context: contextvars.Context | None = None
        self.scope: trio.CancelScope | None = None
        self.done = 0
        self.told = 0
        self._give, self._get = trio.open_memory_channel[Sequence[do.Receive] | None](math.inf)

    def tell(self, program: Sequence[do.Receive] | None) -> None:
        """Make these, until one is cancelled; or end."""
        self.told += 1
        self._give.send_nowait(program)

    async def live(self) -> None:
        """Its body."""
        self.context = contextvars.copy_context()
        if self.born.traps:
            trap_exits()
        while (program := await self._get.receive()) is not None:
            for one in program:
                if isinstance(await self._receive(one), Cancelled):
                    break
            self.done += 1
        self.stage.log(Made(do.Leave(self.slot)))

    async def _receive(self, wish: do.Receive) -> Over:
        over: Over = Cancelled()
        self.stage.log(Began(self.number, wish))
        try:
            with trio.CancelScope() as self.scope:
                if wish.cancelled:
                    self.scope.cancel()
                over = await self._over(wish)
        finally:
            self.scope = None
        self.stage.log(Ended(self.number, over))
        return over

    async def _over(self, wish: do.Receive) -> Over:
        try:
            if wish.slip is not None:
                return self._got(await SLIPS[wish.slip]())
            match = self._match(wish.match)
            if wish.timeout == math.inf:
                return self._got(await (receive() if match is None else receive(match)))
            return self._got(await receive(match, timeout=wish.timeout))
        except ReceiveTimeout:
            return TimedOut()
        except Boom:
            return Broke()
        except (TypeError, ValueError) as exc:
            return Refused(type(exc))

    def _got(self, message: object) -> Got:
        got = self.stage.seen(message)
        if isinstance(message, Request):
            self.stage.held[got.number] = message
        return got

    def _match(self, match: do.Match) -> Match:
        match match:
            case do.Everything():
                return None
            case do.OfClasses((only,)):
                return CLASSES[only]
            case do.OfClasses():
                return tuple(CLASSES[one] for one in match.classes)
            case do.Odd():
                return lambda message: self.stage.seen(message).number % 2  # type: ignore[return-value]
            case do.Fragile():
                return self._fragile
            case do.SendsItself():
                return _SendsItself(self)
            case do.CallsOff():
                return self._calls_off

    @staticmethod
    def _fragile(message: object) -> bool:
        if isinstance(message, Red):
            raise Boom
        return isinstance(message, Blue)

    def _calls_off(self, message: object) -> bool:
        if isinstance(message, Down) and message.ref in self.stage.monitors:
            number = self.stage.monitors[message.ref]
            self.stage.made(do.CallOff(number, flush=True))
        return True


class _SendsItself:
    """A predicate with an effect, once."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._sent = False

    def __call__(self, message: object) -> bool:
        if not self._sent:
            self._sent = True
            stage = self._reader.stage
            stage.made(do.Post(self._reader.slot, "red", "pid", stage.next_number()))
        return isinstance(message, Red | Dark)


class Stage:
    """All processes of an example, and the log."""

    def __init__(self, events: Sequence[Event]) -> None:
        self.events = events
        self.entries: list[Entry] = []
        self.readers: list[Reader] = []
        self.slots: list[int] = [-1] * do.READERS
        self.pids: list[Pid] = []
        self.numbers: dict[Pid, int] = {}
        self.held: dict[int, Request[int]] = {}
        self.monitors: dict[MonitorRef, int] = {}
        self.owners: dict[int, int] = {}
        self.bystanders: dict[Pid, int] = {}
        self.dead: Pid | None = None
        self.callers: dict[int, trio.CancelScope] = {}
        self.outcomes: dict[int, object] = {}
        self.start: Callable[[Callable[[], Awaitable[object]]], None] = lambda _fn: None
        self._last = 0

    def next_number(self) -> int:
        """Of a message, a call or a monitor: no two have the same."""
        self._last += 1
        return self._last

    def log(self, what: What) -> None:
        """Write down what happens now."""
        self.entries.append(Entry(len(self.events), trio.current_time(), what))

    def seen(self, message: object) -> Got:
        """A message as the model has it."""
        match message:
            case Red(n):
                return Got("red", n)
            case Dark(n):
                return Got("dark", n)
            case Blue(n):
                return Got("blue", n)
            case IdleTimeout():
                return Got("idle", 0)
            case Request(message=Ask(n)) | Ask(n):
                return Got("call", n)
            case Exit(_, int(reason)):
                return Got("exit", reason)
            case Down(made) if made in self.monitors:
                return Got("down", self.monitors[made])
            case Down(_, None, int(reason)):
                return Got("forged", reason)
            case _:
                raise AssertionError(f"nobody sent {message!r}")

    def bear(self, slot: int, born: do.Born) -> int:
        """A new reader."""
        reader = Reader(self, len(self.readers), slot, born)
        pid = spawn(reader.live, name=f"reader {slot}", mailbox=born.limit)
        self.readers.append(reader)
        self.pids.append(pid)
        self.numbers[pid] = reader.number
        self.slots[slot] = reader.number
        return reader.number

    # -- operations ----------------------------------------------------------------------------

    def in_slot(self, slot: int) -> Reader:
        """Who is there now, dead or alive."""
        return self.readers[self.slots[slot]]

    def _is_alive(self, number: int) -> bool:
        return is_alive(self.pids[number])

    def act(self, op: do.Op) -> None:
        """Make an operation, if there is something to do."""
        match op:
            case do.Post():
                number = 0 if op.kind == "idle" else self.next_number()
                self.made(replace(op, number=number))
            case do.Later(timer=True):
                number = 0 if op.post.kind == "idle" else self.next_number()
                post = replace(op.post, number=number)
                self.made(replace(op, post=post, process=self.slots[post.reader]))
            case do.Later():
                self._sleep(op)
            case do.Ask():
                self._call(replace(op, number=self.next_number()))
            case do.GiveUp() if self.callers:
                numbers = list(self.callers)
                self.made(do.GiveUp(numbers[-1 - op.which % len(numbers)]))
            case do.Answer() if self.held:
                numbers = list(self.held)
                self.made(replace(op, which=numbers[-1 - op.which % len(numbers)]))
            case do.Signal():
                self.made(replace(op, number=self.next_number()))
            case do.Kill():
                self.made(op)
            case do.Cancel() if self.in_slot(op.reader).scope is not None:
                self.made(op)
            case do.Watch() if self._is_alive(self.slots[op.reader]):
                self.made(replace(op, number=self.next_number()))
            case do.EndBystander() if self.bystanders:
                self.made(replace(op, which=op.which % len(self.bystanders)))
            case do.CallOff() if self.monitors:
                numbers = list(self.owners)
                which = numbers[-1 - op.which % len(numbers)]
                if self._is_alive(self.owners[which]):
                    self.made(replace(op, which=which))
            case _:
                pass

    def made(self, op: do.Op) -> None:
        """Make it, and write down what came of it."""
        made = Made(op)
        self.log(made)
        try:
            made.outcome = self._make(op)
        except MailboxFull as exc:
            made.outcome = Refused(MailboxFull, (self.numbers[exc.pid], exc.limit))
        except ProcessNotFound:
            made.outcome = Refused(ProcessNotFound)

    def _make(self, op: do.Op) -> object:
        match op:
            case do.Post():
                self._post(op)
            case do.Later():
                pid = self.pids[op.process]
                to = {"name": named(f"reader {op.post.reader}"), "ref": ref(pid)}
                message = message_of(op.post.kind, op.post.number)
                send_after(to.get(op.post.how, pid), message, op.seconds)
            case do.GiveUp():
                self.callers[op.which].cancel()
            case do.Answer():
                self._answer(op)
            case do.Signal():
                exit(self.pids[self.slots[op.reader]], op.number)
            case do.Kill():
                kill(self.pids[self.slots[op.reader]])
            case do.Cancel():
                scope = self.in_slot(op.reader).scope
                assert scope is not None
                scope.cancel()
            case do.Watch():
                self._watch(op)
            case do.EndBystander():
                kill(list(self.bystanders)[op.which])
            case do.CallOff():
                (made,) = [made for made, number in self.monitors.items() if number == op.which]
                return self._in(self.owners[op.which], lambda: demonitor(made, flush=op.flush))
            case _:
                raise AssertionError(op)
        return None

    def _post(self, op: do.Post) -> None:
        pid, message = self.pids[self.slots[op.reader]], message_of(op.kind, op.number)
        if op.how == "name":
            named(f"reader {op.reader}").send(message)
        elif op.how == "ref":
            ref(pid).send(message)
        elif op.how == "cast" and isinstance(message, Cast):
            ref(pid).cast(message)
        else:
            send(pid, message)

    def _sleep(self, op: do.Later) -> None:
        async def sleep() -> None:
            await trio.sleep(op.seconds)
            self.act(op.post)

        self.start(sleep)

    def _call(self, op: do.Ask) -> None:
        even = op.number % 2 == 0
        target = named(f"reader {op.reader}") if even else ref(self.pids[self.slots[op.reader]])

        async def call() -> None:
            with trio.CancelScope() as scope:
                if op.cancelled:
                    scope.cancel()
                self.callers[op.number] = scope
                self.log(Made(op))
                self.outcomes[op.number] = await self._outcome(target, op)
            if scope.cancelled_caught:
                self.outcomes[op.number] = Cancelled()

        self.start(call)

    async def _outcome(self, target: Ref, op: do.Ask) -> object:
        try:
            return await target.call(Ask(op.number), timeout=op.timeout)
        except CallExit as exc:
            return Refused(CallExit, (exc.reason,))
        except MailboxFull as exc:
            return Refused(MailboxFull, (self.numbers[exc.pid], exc.limit))
        except (CallTimeout, ReplyDropped, KeyError) as exc:
            return Refused(type(exc))

    def _answer(self, op: do.Answer) -> None:
        match op.how:
            case "reply":
                self.held[op.which].reply_to.reply(op.which)
            case "error":
                self.held[op.which].reply_to.error(KeyError("as told"))
            case "forget":
                del self.held[op.which]

    def _watch(self, op: do.Watch) -> None:
        target = spawn(trio.sleep_forever) if op.alive else self.dead
        assert target is not None
        made = self._in(self.slots[op.reader], lambda: monitor(target))
        self.monitors[made] = op.number
        self.owners[op.number] = self.slots[op.reader]
        if op.alive:
            self.bystanders[target] = op.number

    def _in(self, number: int, fn: Callable[[], T]) -> T:
        """As a helper task of that reader would; its own task sleeps on."""
        context = self.readers[number].context
        assert context is not None
        return context.run(fn)
