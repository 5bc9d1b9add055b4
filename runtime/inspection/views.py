"""What is seen of a node, as plain values: they print, compare and encode as they are.

A process is named by its number, which is that of its ``Pid``. Seconds are floats.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

import msgspec

if TYPE_CHECKING:
    Plain: TypeAlias = "str | int | float | bool | list[Plain] | dict[str, Plain] | None"
else:
    Plain = object  # a decoder cannot follow a type that names itself, and takes what there is

"""What JSON can say."""


class ProcessView(msgspec.Struct, frozen=True, gc=False):
    """One process.

    ``handling`` is the message in hand as text, ``busy`` how long it has been in hand; ``oldest``
    is the age of the oldest message that waits, ``rate`` messages handled in a second. These three
    come from looking again and again, so they are ``None`` unless somebody does, and no more exact
    than that: see ``sampling``. ``cpu`` is a share of one core, measured only while somebody looks.
    ``restarts`` counts those by its supervisor; ``facts`` is what its behaviour says of itself.
    """

    pid: int
    parent: int
    behaviour: str
    name: str | None
    label: str | None
    status: str
    up: float
    mailbox: int
    handled: int
    dropped: int
    restarts: int
    handling: str | None = None
    busy: float | None = None
    oldest: float | None = None
    rate: float | None = None
    cpu: float | None = None
    links: tuple[int, ...] = ()
    monitors: tuple[int, ...] = ()
    monitored_by: tuple[int, ...] = ()
    facts: dict[str, Plain] = {}


class CrashView(msgspec.Struct, frozen=True, kw_only=True):
    """One end that was neither ``Normal`` nor ``Shutdown``, as text: it keeps nothing alive.

    ``at`` is Unix time; ``then`` is what the supervisor did next, if there is one.
    """

    at: float
    pid: int
    behaviour: str
    name: str | None
    reason: str
    traceback: str
    last_message: str | None
    ancestors: tuple[str, ...]
    then: str | None


TraceWhat: TypeAlias = Literal[
    "call", "cast", "info", "reply", "error", "noreply", "stop", "raise", "ended", "limit"
]
"""What a traced server did: it took a message, its handler is through, it has ended."""


class TraceEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One step of a server that is traced: see ``trace``.

    First what it takes: a ``call``, ``cast`` or ``info``, with the message as ``text``. Then what
    came of it after ``seconds``: a ``reply``, an ``error`` for the caller, ``noreply``, ``stop``
    with the reason, or ``raise`` with the exception. ``ended`` and ``limit`` are the last of all.
    ``at`` is Unix time.
    """

    at: float
    pid: int
    what: TraceWhat
    text: str | None = None
    seconds: float | None = None


class AlarmView(msgspec.Struct, frozen=True, kw_only=True):
    """Something that should not last. ``since`` is Unix time; ``kind`` is the event's name."""

    kind: str
    since: float
    pid: int | None
    text: str


Sort: TypeAlias = Literal["mailbox", "rate", "cpu", "restarts", "pid"]
"""What the first of many are chosen by; but for ``pid`` the largest comes first."""


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """A whole node at one moment. ``processes`` is the tree: after each process its children.

    ``at`` is Unix time, ``up`` how long the node has been open. ``total`` counts the processes
    there are, ``processes`` may be a choice of them.
    """

    at: float
    up: float
    total: int
    processes: tuple[ProcessView, ...]
    alarms: tuple[AlarmView, ...] = ()
