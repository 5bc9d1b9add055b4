"""What goes over the socket of a console: Structs in msgpack, each after its length in four bytes.

A length over the limit is refused before the frame is read.
"""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

import msgspec

from runtime.inspection.views import CrashView, Plain, ProcessView, Sort

VERSION: Final = 1
"""Of what is said here; both sides name theirs first."""

MAX_REQUEST: Final = 1 << 20
"""Bytes of one frame to a service."""

MAX_ANSWER: Final = 1 << 28
"""Bytes of one frame from a service: a snapshot of a million processes fits."""

Action: TypeAlias = Literal["kill", "stop", "restart", "suspend", "resume"]


class Frame(msgspec.Struct, frozen=True, tag_field="is"):
    """Base of them all. ``id`` ties answers to what they answer; the client counts it up."""


# -- to the service ---------------------------------------------------------------------


class Hello(Frame, frozen=True, tag="hello"):
    """The first frame of a client."""

    version: int
    os_pid: int


class Evaluate(Frame, frozen=True, tag="evaluate"):
    """Run Python in the client's own session; ``Output``, then ``Done`` or ``Failed``."""

    id: int
    source: str


class Interrupt(Frame, frozen=True, tag="interrupt"):
    """ctrl-C: end the evaluation of this ``id``, wherever it is. It ends by ``Failed``."""

    id: int


class Complete(Frame, frozen=True, tag="complete"):
    """What might follow ``text``, the line up to the cursor; ``Completions``."""

    id: int
    text: str


class AskTree(Frame, frozen=True, tag="tree"):
    """The node; ``Answer`` with a ``Snapshot``."""

    id: int


class AskTop(Frame, frozen=True, tag="top"):
    """The first ``limit`` by ``sort``, with ``find`` in name, label or behaviour.

    ``Answer`` with a ``Snapshot``. CPU time is measured from a client's first ``AskTop`` until its
    ``StopTop`` or its end.
    """

    id: int
    sort: Sort = "mailbox"
    limit: int = 50
    find: str = ""


class StopTop(Frame, frozen=True, tag="stop top"):
    """Nobody looks any more; ``Answer`` with ``None``."""

    id: int


class AskInfo(Frame, frozen=True, tag="info"):
    """One process by name or number; ``Answer`` with an ``InfoView``, or ``Failed``."""

    id: int
    target: str


class AskStack(Frame, frozen=True, tag="stack"):
    """What the loop does now, also while it is stuck; ``Answer`` with a ``StackView``."""

    id: int


class AskCrashes(Frame, frozen=True, tag="crashes"):
    """The last crashes, newest last; ``Answer`` with a list of ``CrashView``."""

    id: int
    limit: int = 20


class Act(Frame, frozen=True, tag="act"):
    """Do something to a process by name or number; ``Answer`` with what was done, or ``Failed``."""

    id: int
    action: Action
    target: str


ToService: TypeAlias = (
    Hello
    | Evaluate
    | Interrupt
    | Complete
    | AskTree
    | AskTop
    | StopTop
    | AskInfo
    | AskStack
    | AskCrashes
    | Act
)

# -- to the client ----------------------------------------------------------------------


class Welcome(Frame, frozen=True, tag="welcome"):
    """The first frame of a service; ``up`` in seconds."""

    version: int
    service: str
    os_pid: int
    python: str
    up: float


class Output(Frame, frozen=True, tag="output"):
    """What an evaluation, or a task it started, has printed."""

    id: int
    text: str


class Done(Frame, frozen=True, tag="done"):
    """An evaluation has ended; ``value`` is the last expression's, as text, unless it is None."""

    id: int
    value: str | None


class Failed(Frame, frozen=True, tag="failed"):
    """It raised, was interrupted or refused; ``text`` is for people, ``kind`` for programs."""

    id: int
    kind: str
    text: str


class Completions(Frame, frozen=True, tag="completions"):
    """Whole words that may replace the last one."""

    id: int
    words: tuple[str, ...]


class Answer(Frame, frozen=True, tag="answer"):
    """The answer to a question, of the type that the question names."""

    id: int
    data: msgspec.Raw


class Refused(Frame, frozen=True, tag="refused"):
    """The client did something wrong; the connection is closed after this."""

    why: str


class Goodbye(Frame, frozen=True, tag="goodbye"):
    """The service ends, or its console; nothing follows."""

    why: str


ToClient: TypeAlias = Welcome | Output | Done | Failed | Completions | Answer | Refused | Goodbye

# -- what answers carry beside ``Snapshot`` and ``CrashView`` ------------------------------


class StackView(msgspec.Struct, frozen=True):
    """What the thread of the loop does. ``turned`` is how long ago the loop was seen to turn."""

    pid: int | None
    behaviour: str | None
    name: str | None
    handler: str | None
    frames: tuple[str, ...]
    turned: float


class InfoView(msgspec.Struct, frozen=True):
    """One process in detail; texts are as far as its ``redact`` lets them be shown."""

    process: ProcessView
    ancestors: tuple[str, ...]
    state: str | None
    waiting: tuple[str, ...]
    stack: tuple[str, ...]
    crashes: tuple[CrashView, ...]
    facts: dict[str, Plain]
