"""What the processes of ``test_links`` can be told to do, and how that is drawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from hypothesis import strategies as st

from runtime import Crashed, ExitReason, Killed, NoProcess, Normal, Shutdown
from tests.models.drawing import often

SLOTS = 5
NAMES = ("a", "b", "c")
SLIPS = 18
NEWEST = -1
ONESELF = -2

Manner: TypeAlias = Literal["lets go", "swallows", "raises", "shields"]
"""What a body does with its cancellation; one that shields itself ends when it is told to."""


@dataclass(frozen=True)
class Aim:
    """Somebody to be: who is in a slot, who was there before, the newest, or oneself."""

    slot: int
    before: bool = False
    by_ref: bool = False
    number: int = -1  # which process that is, known when the operation is made


Target: TypeAlias = Aim | str
"""Somebody, by pid or by ``Ref``; or whoever has a name."""


@dataclass(frozen=True)
class Kind:
    """How a process is made."""

    traps: bool = False
    manner: Manner = "lets go"
    by_mail: bool = False


@dataclass(frozen=True)
class Trap:
    on: bool


@dataclass(frozen=True)
class Link:
    target: Target


@dataclass(frozen=True)
class Unlink:
    target: Target


@dataclass(frozen=True)
class Monitor:
    target: Target


@dataclass(frozen=True)
class Demonitor:
    which: int
    flush: bool


@dataclass(frozen=True)
class Register:
    name: str
    target: Target | None


@dataclass(frozen=True)
class Unregister:
    name: str


@dataclass(frozen=True)
class Whereis:
    name: str


@dataclass(frozen=True)
class IsAlive:
    target: Target


@dataclass(frozen=True)
class Signal:
    target: Target
    reason: ExitReason


@dataclass(frozen=True)
class Kill:
    target: Target


@dataclass(frozen=True)
class Send:
    target: Target
    message: int


@dataclass(frozen=True)
class Spawn:
    how: Literal["alone", "link", "monitor"]
    kind: Kind
    name: str | None
    slot: int = 0


@dataclass(frozen=True)
class End:
    how: Literal["return", "raise", "exit"]
    reason: ExitReason  # what is raised is its exception


@dataclass(frozen=True)
class Take:
    """Take out a message, if there is one: of the users, an ``Exit``, a ``Down``, or any."""

    what: Literal["text", "exit", "down", "any"]


@dataclass(frozen=True)
class Obey:
    """Take out a command, which came by mail."""


@dataclass(frozen=True)
class Nonsense:
    """A slip of the caller: refused with a TypeError, and nothing has happened."""

    which: int


Op: TypeAlias = (
    Trap | Link | Unlink | Monitor | Demonitor | Register | Unregister | Whereis | IsAlive
    | Signal | Kill | Send | Spawn | End | Take | Obey | Nonsense
)  # fmt: skip


# ---------------------------------------------------------------------- what can be drawn


class Incomparable:
    """A reason that knows how to be one, and nothing else."""

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        raise AssertionError("compared")


slots = st.integers(0, SLOTS - 1)
names = st.sampled_from(NAMES)
aims: st.SearchStrategy[Target] = often([
    (3, st.builds(Aim, slots)),
    (2, st.builds(Aim, slots, st.sampled_from([False, False, True]), st.booleans())),
    (1, st.just(Aim(NEWEST))),
    (1, st.just(Aim(ONESELF))),
    (2, names),
])  # fmt: skip
reasons: st.SearchStrategy[ExitReason] = st.sampled_from([
    Normal(), Normal(), Normal(), Shutdown(), Shutdown("detail"), Killed(), NoProcess(),
    Crashed(ValueError("told")), "boom", 0, "", (), False, ("a", "tuple"), ["no key"],
    Incomparable(),
])  # fmt: skip
RAISED: tuple[Callable[[], BaseException], ...] = (
    lambda: ValueError("raised"),
    lambda: ExceptionGroup("raised", [ValueError("one"), KeyError("two")]),
    lambda: BaseException("raised"),
)
crashes = st.sampled_from(RAISED).map(lambda make: Crashed(make()))
MANNERS: tuple[Manner, ...] = ("lets go", "swallows", "raises", "shields")
KINDS = [
    Kind(traps, how, mail) for how in MANNERS for mail in (False, True) for traps in (True, False)
]
kinds = st.sampled_from(KINDS)
spawns = st.builds(
    Spawn, st.sampled_from(("alone", "link", "monitor")), kinds, st.none() | names, slots
)
demonitors = st.builds(Demonitor, st.integers(0, 7), st.booleans())
ties: st.SearchStrategy[Op] = often([
    (4, st.builds(Link, aims)),
    (3, st.builds(Monitor, aims)),
    (1, st.builds(Unlink, aims)),
    (2, demonitors),
])  # fmt: skip
signals = st.builds(Signal, aims, reasons)
own_signals = st.builds(Signal, st.just(Aim(ONESELF)), reasons)
told_to_end: st.SearchStrategy[Signal | Kill] = often([
    (3, signals), (2, own_signals), (1, st.builds(Kill, aims)),
])  # fmt: skip
naming: st.SearchStrategy[Register | Unregister] = st.one_of(
    st.builds(Register, names, st.none()),
    st.builds(Register, names, aims),
    st.builds(Unregister, names),
)
others: st.SearchStrategy[Op] = st.one_of(
    st.builds(Trap, st.sampled_from([True, True, False])),
    st.builds(Whereis, names),
    st.builds(IsAlive, aims),
    st.builds(Nonsense, st.integers(0, SLIPS - 1)),
)
sends = st.builds(Send, aims, st.integers(0, 999))
ops: st.SearchStrategy[Op] = often([
    (4, ties), (2, told_to_end), (2, naming), (2, others), (3, sends), (2, spawns),
])  # fmt: skip
ends: st.SearchStrategy[End] = st.one_of(
    st.just(End("return", Normal())),
    st.builds(End, st.just("raise"), crashes),
    st.builds(End, st.just("exit"), reasons),
)
somethings = st.lists(ops, min_size=2, max_size=5).map(tuple)
last_words = st.tuples(st.lists(ops, max_size=4), ends).map(lambda both: (*both[0], both[1]))
scripts: st.SearchStrategy[tuple[Op, ...]] = often([(2, somethings), (1, last_words)])
takes = st.builds(Take, st.sampled_from(("any", "any", "text", "exit", "down")))
populations: st.SearchStrategy[list[Spawn]] = st.tuples(
    st.permutations([*NAMES, None, None]), st.lists(kinds, min_size=SLOTS, max_size=SLOTS)
).map(lambda drawn: [Spawn("alone", kind, name) for name, kind in zip(*drawn, strict=True)])
