"""Who dies of what, who hears of it and what is left: links, monitors, names and exit signals.

Written from parts 1, 2 and 4 of docs/semantics.md and the PROC rows. Processes and monitors are
known by number, in the order they were made. Which of two tasks that are ready at once runs first
is Trio's choice and no promise, so the model is told what happened in the order it happened: an
operation was made, a process began, one ended. It says what each operation must have returned,
whether a process could end, and of what, and all that follows.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from runtime import (
    AlreadyStarted,
    CallExit,
    Crashed,
    ExitReason,
    Killed,
    NameTaken,
    NoProcess,
    Normal,
    OutsideProcess,
    ProcessExit,
    ProcessNotFound,
    Shutdown,
)
from tests.models import links_steps as do
from tests.models.links_notes import Downed, Exited, Note, Text, same


@dataclass(frozen=True)
class Refused:
    """An operation raised: the class of the error and what it says in its attributes."""

    error: type[BaseException]
    details: tuple[object, ...] = ()


@dataclass
class Model:
    """One process."""

    number: int
    kind: do.Kind
    name: str | None
    linked_to: int | None  # from its start: its parent
    ancestors: tuple[int | str, ...]
    traps: bool = False
    began: bool = False
    dying_of: ExitReason = None  # the signal that was accepted
    leaving: do.End | None = None  # what its body has ended with
    links: set[int] = field(default_factory=set[int])
    mailbox: list[list[Note]] = field(default_factory=list[list[Note]])
    handled: int = 0

    def put(self, *notes: Note) -> None:
        """They arrive, in no particular order among themselves."""
        if notes:
            self.mailbox.append(list(notes))

    def take(self, note: Note | None, wanted: type[Note] | None) -> None:
        """``receive`` has returned ``note``, or found nothing of the wanted kind."""
        for group in self.mailbox:
            fitting = [one for one in group if wanted is None or isinstance(one, wanted)]
            if fitting:
                assert note is not None, f"{fitting} was there"
                taken = [one for one in fitting if same(one, note)]
                assert taken, f"{note} is not among the first, {fitting}"
                group[:] = [one for one in group if one is not taken[0]]
                self.mailbox = [one for one in self.mailbox if one]
                self.handled += 1
                return
        assert note is None, f"{note} was not there"

    def length(self) -> int:
        return sum(map(len, self.mailbox))


@dataclass
class Ending:
    """What the node tells of an end: the name, the reason, and what the clean-up raised."""

    name: str | None
    reason: ExitReason
    raised: BaseException | type[BaseException] | None = None

    @property
    def is_crash(self) -> bool:
        return not isinstance(self.reason, Normal | Shutdown)


@dataclass
class Watch:
    """A monitor that is active."""

    owner: int
    target: int
    name: str | None


class World:
    """All processes, and what they know of each other."""

    def __init__(self) -> None:
        self.all: list[Model] = []
        self.alive: dict[int, Model] = {}
        self.names: dict[str, int] = {}
        self.watches: dict[int, Watch] = {}
        self.monitors_made = 0
        self.waits: dict[int, int] = {}  # whose end a plain task waits for
        self.waited: dict[int, ExitReason] = {}  # what it was told

    # -- what is done --------------------------------------------------------------------------

    def make(self, actor: int | None, op: do.Op) -> object:
        """An operation of a process, or of nobody: what it returns, or how it is refused."""
        me = None if actor is None else self.alive.get(actor)
        match op:
            case do.Whereis():
                return self.names.get(op.name)
            case do.IsAlive():
                return self._find(op.target) is not None
            case do.Signal():
                if (other := self._find(op.target)) is not None:
                    self._signal(None if me is None else me.number, other, op.reason)
                return None
            case do.Kill():
                if (other := self._find(op.target)) is not None:
                    other.dying_of = Killed()
                return None
            case do.Send():
                return self._send(op)
            case do.Unregister():
                return self._unregister(op.name)
            case do.Register() if op.target is not None:
                return self._register(op.name, self._find(op.target))
            case do.Spawn() if op.how == "alone":
                return self._spawn(me, op)
            case do.Nonsense():
                return Refused(TypeError)
            case _:
                return Refused(OutsideProcess) if me is None else self._make_in(me, op)

    def _make_in(self, me: Model, op: do.Op) -> object:
        """What only a process can do."""
        match op:
            case do.Trap():
                previous, me.traps = me.traps, op.on
                return previous
            case do.Link():
                return self._link(me, op.target)
            case do.Unlink():
                other = self._find(op.target)
                if other is not None:
                    self._unlink(me, other)
                return None
            case do.Monitor():
                return self._monitor(me, op.target)
            case do.Demonitor():
                return self._demonitor(me, op)
            case do.Register():
                return self._register(op.name, me)
            case do.Spawn():
                return self._spawn(me, op)
            case do.End():
                me.leaving = op
                return None
            case do.Obey():
                me.handled += 1
                return None
            case _:
                raise AssertionError(op)

    def _find(self, target: do.Target) -> Model | None:
        number = self.names.get(target) if isinstance(target, str) else target.number
        return None if number is None else self.alive.get(number)

    def _signal(self, sender: int | None, other: Model, reason: ExitReason) -> None:
        """4.2 to 4.5: trapped, ignored, or the reason if it is the first."""
        if other.traps:
            other.put(Exited(sender, reason))
        elif other.dying_of is None and (not isinstance(reason, Normal) or sender == other.number):
            other.dying_of = reason

    def _send(self, op: do.Send) -> object:
        other = self._find(op.target)
        if other is None:
            return Refused(ProcessNotFound) if isinstance(op.target, str) else None
        other.put(Text(op.message))
        return None

    def _link(self, me: Model, target: do.Target) -> object:
        other = self._find(target)
        if other is None:
            if not me.traps:
                return Refused(ProcessNotFound)
            me.put(Exited(None if isinstance(target, str) else target.number, NoProcess()))
        elif other is not me:
            self._tie(me, other)
        return None

    def _tie(self, one: Model, other: Model) -> None:
        one.links.add(other.number)
        other.links.add(one.number)

    def _unlink(self, one: Model, other: Model) -> None:
        one.links.discard(other.number)
        other.links.discard(one.number)

    def _monitor(self, me: Model, target: do.Target) -> object:
        number = self.monitors_made
        self.monitors_made += 1
        name = target if isinstance(target, str) else None
        other = self._find(target)
        if other is None:
            pid = None if isinstance(target, str) else target.number
            me.put(Downed(number, pid, NoProcess(), name))
        else:
            self.watches[number] = Watch(me.number, other.number, name)
        return number

    def _demonitor(self, me: Model, op: do.Demonitor) -> bool:
        watch = self.watches.get(op.which)
        if watch is not None and watch.owner == me.number:
            del self.watches[op.which]
            return True
        if op.flush:
            kept = [
                [one for one in group if not (isinstance(one, Downed) and one.monitor == op.which)]
                for group in me.mailbox
            ]
            me.mailbox = [group for group in kept if group]
        return False

    def _register(self, name: str, process: Model | None) -> object:
        if process is None:
            return Refused(ProcessNotFound)
        if name in self.names:
            return Refused(NameTaken, (name, self.names[name]))
        if process.name is not None:
            return Refused(NameTaken, (process.name, process.number))
        process.name = name
        self.names[name] = process.number
        return None

    def _unregister(self, name: str) -> object:
        if name not in self.names:
            return Refused(ProcessNotFound)
        self.alive[self.names.pop(name)].name = None
        return None

    def _spawn(self, me: Model | None, op: do.Spawn) -> object:
        if op.name is not None and op.name in self.names:
            return Refused(AlreadyStarted, (op.name, self.names[op.name]))
        number = len(self.all)
        ancestors: tuple[int | str, ...] = ()
        if me is not None:
            ancestors = (me.name or me.number, *me.ancestors)
        parent = me.number if me is not None and op.how == "link" else None
        child = Model(number, op.kind, op.name, parent, ancestors)
        self.all.append(child)
        self.alive[number] = child
        if op.name is not None:
            self.names[op.name] = number
        if me is not None and op.how == "link":
            self._tie(me, child)
        if me is not None and op.how == "monitor":
            self.watches[self.monitors_made] = Watch(me.number, number, None)
            self.monitors_made += 1
        return number

    def wait(self, wait: int, target: do.Target) -> None:
        """A plain task waits for an end."""
        other = self._find(target)
        if other is None:
            self.waited[wait] = NoProcess()
        else:
            self.waits[wait] = other.number

    # -- what happens --------------------------------------------------------------------------

    def begin(self, number: int) -> None:
        """Its first step has run."""
        process = self.alive[number]
        assert not process.began
        assert process.dying_of is None, "a signal before its first step is its end"
        process.began = True

    def must_end(self, process: Model) -> bool:
        """Whether it cannot go on: it has been told to, and lets itself be told, or is done."""
        shields = process.kind.manner == "shields" and process.began
        return process.leaving is not None or (process.dying_of is not None and not shields)

    def end(self, number: int) -> Ending:
        """It has ended, and so whoever is to hear of it does."""
        process = self.alive[number]
        assert self.must_end(process), f"{number} has ended without being told to"
        ending = self._ending(process)
        self._forget(process)
        self._tell(process, ending.reason)
        return ending

    def _ending(self, process: Model) -> Ending:
        """4.2 and 4.11: the signal's reason, whatever the body does then; a raise is reported."""
        end, reason = process.leaving, process.dying_of
        if reason is None:
            assert end is not None
            return Ending(process.name, end.reason)
        clumsy = process.began and process.kind.manner == "raises"
        if end is None:
            return Ending(process.name, reason, CallExit if clumsy else None)
        raised = {
            "return": None,
            "raise": end.reason.exception if isinstance(end.reason, Crashed) else None,
            "exit": ProcessExit,
        }
        return Ending(process.name, reason, raised[end.how])

    def _forget(self, process: Model) -> None:
        """4.7: its name is free before anybody hears of its end, and its monitors are gone."""
        del self.alive[process.number]
        if process.name is not None:
            del self.names[process.name]
        mine = [one for one, watch in self.watches.items() if watch.owner == process.number]
        for one in mine:
            del self.watches[one]

    def _tell(self, process: Model, reason: ExitReason) -> None:
        """One ``Down`` for each monitor, a signal through each link: what a watcher gets of one
        end has no order among itself."""
        for wait in [one for one, number in self.waits.items() if number == process.number]:
            del self.waits[wait]
            self.waited[wait] = reason
        for other in self.alive.values():
            on_it = [
                number
                for number, watch in self.watches.items()
                if watch.target == process.number and watch.owner == other.number
            ]
            heard: list[Note] = [
                Downed(one, process.number, reason, self.watches.pop(one).name) for one in on_it
            ]
            if process.number in other.links:
                self._unlink(process, other)
                if other.traps:
                    heard.append(Exited(process.number, reason))
                else:
                    self._signal(process.number, other, reason)
            other.put(*heard)
