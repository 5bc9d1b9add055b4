"""The processes of ``test_links``: they do what they are told, and write down what came of it."""

from __future__ import annotations

import contextvars
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import msgspec
import trio

from runtime import (
    AlreadyStarted,
    Call,
    CallExit,
    Crashed,
    Down,
    Event,
    Exit,
    Killed,
    MonitorRef,
    NameTaken,
    Normal,
    OutsideProcess,
    Pid,
    ProcessExit,
    ProcessNotFound,
    ReceiveTimeout,
    Ref,
    demonitor,
    exit,
    is_alive,
    kill,
    link,
    monitor,
    named,
    receive,
    ref,
    register,
    send,
    spawn,
    spawn_link,
    spawn_monitor,
    trap_exits,
    unlink,
    unregister,
    whereis,
)
from tests.models import links_model as model
from tests.models import links_steps as do
from tests.models.links_notes import Downed, Exited, Note, Text


class Get(Call[int]):
    """A call, which cannot be sent."""


class Command(msgspec.Struct, frozen=True):
    """What to do, by mail."""

    script: Sequence[do.Op]


async def nothing() -> None:
    """A process that has nothing to do."""


def a_plain_function() -> None:
    """No process can be made of it."""


SLIPS: tuple[Callable[[], object], ...] = (
    lambda: trap_exits("yes"),  # type: ignore[arg-type]
    lambda: link("a"),  # type: ignore[arg-type]
    lambda: unlink(None),  # type: ignore[arg-type]
    lambda: monitor(1),  # type: ignore[arg-type]
    lambda: demonitor(object()),  # type: ignore[arg-type]
    lambda: exit(named("a"), None),
    lambda: exit(named("a"), ValueError("bare")),
    lambda: exit(named("a"), Killed),
    lambda: kill("a"),  # type: ignore[arg-type]
    lambda: register(""),
    lambda: register(5),  # type: ignore[arg-type]
    lambda: register("a", "b"),  # type: ignore[arg-type]
    lambda: unregister(""),
    lambda: send(named("a"), Get()),
    lambda: spawn(a_plain_function),  # type: ignore[arg-type]
    lambda: spawn_link(nothing, name=""),
    lambda: spawn_monitor(nothing, 1),
    lambda: ProcessExit(None),
)
assert len(SLIPS) == do.SLIPS


@dataclass
class Entry:
    """An operation that was made, when so many events of the node had been told."""

    at: int
    actor: int | None
    op: do.Op
    outcome: object = None


class Puppet:
    """A process that does what it is told."""

    def __init__(self, stage: Stage, number: int, kind: do.Kind) -> None:
        self.stage = stage
        self.number = number
        self.kind = kind
        self.scope = trio.CancelScope(shield=kind.manner == "shields")
        self.context: contextvars.Context | None = None
        self._give, self._get = trio.open_memory_channel[Sequence[do.Op]](math.inf)

    async def live(self) -> None:
        """Its body."""
        self.context = contextvars.copy_context()
        end = do.End("return", Normal())
        if self.kind.traps:
            self.stage.make(self.number, do.Trap(True))
        try:
            with self.scope:
                end = await self._obey()
        except trio.Cancelled:
            if self.kind.manner == "raises":
                raise CallExit("elsewhere", None, None) from None
            if self.kind.manner != "swallows":
                raise
            return
        if isinstance(end.reason, Crashed) and end.how == "raise":
            raise end.reason.exception
        if end.how == "exit":
            raise ProcessExit(end.reason)

    async def _obey(self) -> do.End:
        while True:
            script = await self._told()
            self.stage.obeyed.append(self.number)
            for op in script:
                if isinstance(op, do.Take):
                    await self._take(op)
                else:
                    self.stage.make(self.number, op)
                if isinstance(op, do.End):
                    return op

    async def _told(self) -> Sequence[do.Op]:
        if not self.kind.by_mail:
            return await self._get.receive()
        command = await receive(Command)
        self.stage.make(self.number, do.Obey())
        return command.script

    async def _take(self, op: do.Take) -> None:
        wanted = {"text": int, "exit": Exit, "down": Down, "any": object}[op.what]
        try:
            note = self.stage.seen(await receive(wanted, timeout=0))
        except ReceiveTimeout:
            note = None
        self.stage.log.append(Entry(len(self.stage.events), self.number, op, note))

    def tell(self, script: Sequence[do.Op]) -> None:
        """Let it do something, in its own task."""
        self.stage.told.append(self.number)
        if self.kind.by_mail:
            send(self.stage.pids[self.number], Command(script))
        else:
            self._give.send_nowait(script)

    def help(self, script: Sequence[do.Op]) -> None:
        """Do something in its name, as a helper task of it would; its own task sleeps on."""
        for op in script:
            if self.context is not None and not isinstance(op, do.End):
                self.context.run(self.stage.make, self.number, op)


class Stage:
    """All processes of an example, and the log of what they did."""

    def __init__(self, events: Sequence[Event]) -> None:
        self.events = events
        self.puppets: list[Puppet] = []
        self.pids: list[Pid] = []
        self.numbers: dict[Pid, int] = {}
        self.slots: list[list[int]] = [[] for _ in range(do.SLOTS)]
        self.monitors: dict[MonitorRef, int] = {}
        self.monitors_of: list[int | None] = []
        self.log: list[Entry] = []
        self.told: list[int] = []
        self.obeyed: list[int] = []

    def in_slot(self, slot: int) -> Puppet:
        """Who is there now, dead or alive."""
        return self.puppets[self.slots[slot][-1]]

    def pid_in(self, slot: int) -> Pid:
        """The pid of that."""
        return self.pids[self.slots[slot][-1]]

    def is_taken(self, slot: int) -> bool:
        """Whether somebody lives there."""
        return bool(self.slots[slot]) and is_alive(self.pid_in(slot))

    def repopulate(self) -> None:
        """Where somebody is dead there is somebody new."""
        for slot in range(do.SLOTS):
            if not self.is_taken(slot):
                kind = do.KINDS[len(self.puppets) % len(do.KINDS)]
                self.make(None, do.Spawn("alone", kind, None, slot))

    def known(self, pids: Iterable[Pid | str]) -> tuple[int | str, ...]:
        """Processes by number; names stay."""
        return tuple(one if isinstance(one, str) else self.numbers[one] for one in pids)

    def make(self, actor: int | None, wish: do.Op) -> None:
        """Make an operation, and write down what came of it."""
        op = self.aimed(actor, wish)
        if op is None:
            return
        entry = Entry(len(self.events), actor, op)
        self.log.append(entry)
        try:
            entry.outcome = self._make(actor, op)
        except (AlreadyStarted, NameTaken) as exc:
            entry.outcome = model.Refused(type(exc), (exc.name, self.numbers[exc.pid]))
        except (ProcessNotFound, OutsideProcess, TypeError) as exc:
            entry.outcome = model.Refused(type(exc))

    def aimed(self, actor: int | None, wish: do.Op) -> do.Op | None:
        """Whom it meets now; ``None`` if there is nothing to do."""
        match wish:
            case do.Demonitor():
                mine = [n for n, by in enumerate(self.monitors_of) if by == actor or wish.which > 5]
                return replace(wish, which=mine[-1 - wish.which % len(mine)]) if mine else None
            case do.Spawn():
                free = [slot for slot in range(do.SLOTS) if not self.is_taken(slot)]
                return replace(wish, slot=free[wish.slot % len(free)]) if free else None
            case do.Nonsense():
                return wish if actor is not None and is_alive(self.pids[actor]) else None
            case (
                do.Link() | do.Unlink() | do.Monitor() | do.IsAlive() | do.Signal() | do.Kill()
                | do.Send() | do.Register(target=do.Aim())
            ) if isinstance(aim := wish.target, do.Aim):  # fmt: skip
                number = self._aimed_at(actor, aim)
                return replace(wish, target=replace(aim, number=number))
            case _:
                return wish

    def _aimed_at(self, actor: int | None, aim: do.Aim) -> int:
        newest = len(self.pids) - 1
        if aim.slot == do.NEWEST:
            return newest
        if aim.slot == do.ONESELF:
            return newest if actor is None else actor
        been = self.slots[aim.slot]
        return been[-2] if aim.before and len(been) > 1 else been[-1]

    def _make(self, actor: int | None, op: do.Op) -> object:
        """What it returns."""
        match op:
            case do.Trap():
                return trap_exits(op.on)
            case do.Monitor():
                return self._monitored(actor, monitor(self.target(op.target)))
            case do.Demonitor():
                return demonitor(list(self.monitors)[op.which], flush=op.flush)
            case do.Whereis():
                pid = whereis(op.name)
                return None if pid is None else self.numbers[pid]
            case do.IsAlive():
                return is_alive(self.target(op.target))
            case do.Spawn():
                return self._spawn(actor, op)
            case do.Nonsense():
                return SLIPS[op.which]()
            case _:
                self._act(op)
                return None

    def _act(self, op: do.Op) -> None:
        """What returns nothing."""
        match op:
            case do.Link():
                link(self.target(op.target))
            case do.Unlink():
                unlink(self.target(op.target))
            case do.Register():
                if op.target is None:
                    register(op.name)
                else:
                    register(op.name, self.target(op.target))
            case do.Unregister():
                unregister(op.name)
            case do.Signal():
                exit(self.target(op.target), op.reason)
            case do.Kill():
                kill(self.target(op.target))
            case do.Send():
                send(self.target(op.target), op.message)
            case _:
                assert isinstance(op, do.End | do.Obey)

    def target(self, target: do.Target) -> Pid | Ref:
        if isinstance(target, str):
            return named(target)
        pid = self.pids[target.number]
        return ref(pid) if target.by_ref else pid

    def _monitored(self, actor: int | None, made: MonitorRef) -> int:
        number = self.monitors[made] = len(self.monitors)
        self.monitors_of.append(actor)
        return number

    def _spawn(self, actor: int | None, op: do.Spawn) -> int:
        puppet = Puppet(self, len(self.puppets), op.kind)
        if op.how == "monitor":
            pid, made = spawn_monitor(puppet.live, name=op.name)
            self._monitored(actor, made)
        else:
            pid = (spawn if op.how == "alone" else spawn_link)(puppet.live, name=op.name)
        self.puppets.append(puppet)
        self.pids.append(pid)
        self.numbers[pid] = puppet.number
        self.slots[op.slot].append(puppet.number)
        return puppet.number

    def seen(self, message: object) -> Note:
        """A message as the model has it."""
        match message:
            case int():
                return Text(message)
            case Exit(pid, reason):
                return Exited(None if pid is None else self.numbers[pid], reason)
            case Down(made, pid, reason, name):
                number = None if pid is None else self.numbers[pid]
                return Downed(self.monitors[made], number, reason, name)
            case _:
                raise AssertionError(f"nobody sent {message!r}")
