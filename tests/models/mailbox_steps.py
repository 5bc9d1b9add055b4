"""What can be put into the mailboxes of ``test_mailbox``, and how it can be asked for."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, TypeAlias

from hypothesis import strategies as st

from runtime import MailboxLimit, MailboxPolicy
from tests.models.drawing import often

READERS = 2
SENDERS = 3
SLIPS = 6

Kind: TypeAlias = Literal["red", "blue", "dark", "idle", "call", "exit", "down", "forged"]
"""Of a message: a cast, two plain ones (``Dark`` is a subclass of ``Blue``), ``IdleTimeout``,
a call, an ``Exit``, the ``Down`` of a monitor, a ``Down`` that somebody made up."""

SENDABLE: tuple[Kind, ...] = ("red", "red", "blue", "dark", "idle", "exit", "forged")

Class: TypeAlias = Literal["Red", "Blue", "Dark", "Cast", "Struct", "Request", "Exit", "Down"]

INSTANCES: dict[Class, tuple[Kind, ...]] = {
    "Red": ("red",),
    "Blue": ("blue", "dark"),
    "Dark": ("dark",),
    "Cast": ("red",),
    "Struct": ("red", "blue", "dark", "idle", "exit", "down", "forged"),
    "Request": ("call",),
    "Exit": ("exit",),
    "Down": ("down", "forged"),
}


@dataclass(frozen=True)
class Everything:
    """No match is given."""


@dataclass(frozen=True)
class OfClasses:
    """A class, or several as a tuple."""

    classes: tuple[Class, ...]


@dataclass(frozen=True)
class Odd:
    """A predicate that returns no bool, and wants odd numbers."""


@dataclass(frozen=True)
class Fragile:
    """A predicate that wants blue ones, and raises when it sees a red one."""


@dataclass(frozen=True)
class SendsItself:
    """A predicate that wants red and dark ones, and sends a red one when it is first asked."""


@dataclass(frozen=True)
class CallsOff:
    """A predicate that wants everything, and flushes each ``Down`` of a monitor that it sees."""


Match: TypeAlias = Everything | OfClasses | Odd | Fragile | SendsItself | CallsOff


@dataclass(frozen=True)
class Receive:
    """Ask for a message; perhaps in a scope that is cancelled already, perhaps wrongly."""

    match: Match
    timeout: float
    cancelled: bool = False
    slip: int | None = None


@dataclass(frozen=True)
class Post:
    """Send a message; its number is given when it is sent."""

    reader: int
    kind: Kind
    how: Literal["pid", "ref", "name", "cast"]
    number: int = -1


@dataclass(frozen=True)
class Later:
    """Send a message in so many seconds: by a timer, or from a task that sleeps.

    A timer goes to a name, or to the process that is there when it is made.
    """

    post: Post
    seconds: float
    timer: bool
    process: int = -1


@dataclass(frozen=True)
class Ask:
    """A plain task calls a reader."""

    reader: int
    timeout: float
    number: int = -1
    cancelled: bool = False


@dataclass(frozen=True)
class GiveUp:
    """A caller is cancelled."""

    which: int


@dataclass(frozen=True)
class Answer:
    """A call that was taken out is answered, or let go of."""

    which: int
    how: Literal["reply", "error", "forget"]


@dataclass(frozen=True)
class Signal:
    """An exit signal."""

    reader: int
    number: int = -1


@dataclass(frozen=True)
class Kill:
    reader: int


@dataclass(frozen=True)
class Leave:
    """A reader has nothing more to do."""

    reader: int


@dataclass(frozen=True)
class Cancel:
    """What a reader waits for is cancelled."""

    reader: int


@dataclass(frozen=True)
class Watch:
    """A reader monitors a bystander, which is alive or dead."""

    reader: int
    alive: bool
    number: int = -1


@dataclass(frozen=True)
class EndBystander:
    """A bystander is told to end."""

    which: int


@dataclass(frozen=True)
class CallOff:
    """A reader calls a monitor off."""

    which: int
    flush: bool


Op: TypeAlias = (
    Post
    | Later
    | Ask
    | GiveUp
    | Answer
    | Signal
    | Kill
    | Leave
    | Cancel
    | Watch
    | EndBystander
    | CallOff
)


@dataclass(frozen=True)
class Born:
    """How a reader is made."""

    length: int
    policy: MailboxPolicy
    limited: bool
    traps: bool

    @property
    def limit(self) -> MailboxLimit | None:
        return MailboxLimit(self.length, self.policy) if self.limited else None


# ---------------------------------------------------------------------- what can be drawn

readers = st.integers(0, READERS - 1)
some = st.integers(0, 9)
policies: tuple[MailboxPolicy, ...] = ("raise", "drop_newest", "drop_oldest", "drop_oldest")
births = st.builds(
    Born,
    st.integers(1, 4),
    st.sampled_from(policies),
    st.sampled_from([True, True, True, False]),
    st.sampled_from([True, True, True, False]),
)
populations = st.lists(births, min_size=READERS, max_size=READERS)
classes: st.SearchStrategy[Class] = st.sampled_from(tuple(INSTANCES))
of_classes = st.lists(classes, min_size=1, max_size=3, unique=True).map(tuple).map(OfClasses)
with_effects = st.sampled_from([Fragile(), SendsItself(), SendsItself(), CallsOff()])
matches = often([
    (3, of_classes), (1, st.just(Everything())), (1, st.just(Odd())), (2, with_effects),
])  # fmt: skip
first_receives = often([
    (14, st.builds(Receive, matches, st.sampled_from([0, 0.5, 1.0, 1.5, math.inf, math.inf]))),
    (1, st.builds(Receive, matches, st.sampled_from([0, 0.5]), st.just(True))),
    (1, st.builds(Receive, matches, st.just(0), st.just(False), st.integers(0, SLIPS - 1))),
])  # fmt: skip
next_receives = st.builds(Receive, matches, st.sampled_from([0, math.inf]))
programs = st.tuples(first_receives, st.lists(next_receives, max_size=3)).map(
    lambda drawn: (drawn[0], *drawn[1])
)
posts = st.builds(
    Post, readers, st.sampled_from(SENDABLE), st.sampled_from(("pid", "ref", "name", "cast"))
)
# Readers begin to wait at whole and half seconds, and so their time-outs end at such. What falls
# on the same moment falls there by a task that sleeps, and says so; the runtime's own timers, of
# which nobody can say when in a moment they fired, are due in between.
timers = st.builds(Later, posts, st.sampled_from([0.25, 0.75, 1.25]), st.just(True))
sleepers = st.builds(Later, posts, st.sampled_from([0.5, 1.0, 1.5]), st.just(False))
waits = st.sampled_from([0, 0.25, 0.75, math.inf, math.inf])
called_off = st.sampled_from([True, True, False])
ops: st.SearchStrategy[Op] = often([
    (12, posts),
    (2, timers),
    (4, sleepers),
    (4, st.builds(Ask, readers, waits)),
    (1, st.builds(Ask, readers, waits, st.just(-1), st.just(True))),
    (1, st.builds(GiveUp, some)),
    (3, st.builds(Answer, some, st.sampled_from(("reply", "error", "forget")))),
    (2, st.builds(Watch, readers, st.booleans())),
    (1, st.builds(EndBystander, some)),
    (2, st.builds(CallOff, some, called_off)),
    (2, st.builds(Signal, readers)),
    (2, st.builds(Cancel, readers)),
])  # fmt: skip
scripts = st.lists(ops, min_size=2, max_size=8).map(tuple)
