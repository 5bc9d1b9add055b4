"""What a node tells whoever wants to know: typed events, and who is subscribed to which.

Every event is a frozen Struct of plain values; messages and states appear in it only as text that
the server's ``redact`` has passed. An event nobody subscribed to is not even built. Instruments
run in the Trio thread, synchronously, and must be quick; one that raises is reported by
``sys.excepthook`` and hurts nobody. Only ``LoopStalled`` comes from another thread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, TypeAlias, get_args

import msgspec

from runtime.containment import contain
from runtime.exits import ExitReason
from runtime.pid import Pid
from runtime.telemetry.node_counts import CountNode
from runtime.telemetry.pipeline_events import SPANS, PipelineEvent


class ProcessStarted(msgspec.Struct, frozen=True):
    """A process is up: its ``init`` has succeeded."""

    pid: Pid
    name: str | None
    ancestors: tuple[Pid | str, ...]


class ProcessEnded(msgspec.Struct, frozen=True):
    """A process has ended, for whatever reason."""

    pid: Pid
    name: str | None
    reason: ExitReason


class ProcessCrashed(msgspec.Struct, frozen=True):
    """A process has ended neither ``Normal`` nor ``Shutdown``. OTP: the crash report.

    ``behaviour`` is what it ran: the name of its class or its function.
    """

    pid: Pid
    name: str | None
    ancestors: tuple[Pid | str, ...]
    reason: ExitReason
    last_message: str | None
    mailbox_length: int
    handled: int
    state: str | None
    behaviour: str = ""


class CleanupFailed(msgspec.Struct, frozen=True):
    """Clean-up raised while the process was ending for another ``reason``, which stands."""

    pid: Pid
    reason: ExitReason
    exception: BaseException


class MessageDropped(msgspec.Struct, frozen=True):
    """A bounded mailbox dropped a message; ``total`` is how many it has dropped so far."""

    pid: Pid
    message: str
    total: int
    behaviour: str = ""


class MessageUnexpected(msgspec.Struct, frozen=True):
    """A server got an info message that no handler takes; it was ignored. OTP: the same log."""

    pid: Pid
    message: str


class BudgetExceeded(msgspec.Struct, frozen=True):
    """A process did not stop within its shutdown budget of ``seconds`` and is killed."""

    pid: Pid
    seconds: float


class StillAlive(msgspec.Struct, frozen=True):
    """A killed process has not ended: it shields itself or waits for a thread."""

    pid: Pid
    seconds: float


GIVE_UP: Final = "give up"


class ChildEnded(msgspec.Struct, frozen=True):
    """A supervised child ended by itself. OTP: the supervisor report.

    ``restarts`` of at most ``max_restarts`` have happened within the window, this one included;
    ``action`` is what the supervisor does next.
    """

    supervisor: Pid
    child_id: object
    pid: Pid | None
    reason: ExitReason
    restarts: int
    max_restarts: int
    action: str
    behaviour: str = ""

    @property
    def is_restart(self) -> bool:
        """Whether the supervisor restarts something, now or after its backoff."""
        return self.action.startswith("restart ")


class ChildStartFailed(msgspec.Struct, frozen=True):
    """A restart of a child failed, or the child of an event did not start.

    ``action`` is what the supervisor does next.
    """

    supervisor: Pid
    child_id: object
    reason: ExitReason
    action: str


class LoopStalled(msgspec.Struct, frozen=True):
    """The loop has not turned for ``seconds``: something does not await. Told once per stall.

    ``pid`` is the process whose code runs, ``handler`` the function of the user's that it is in,
    ``line`` where it is, as ``file:line``; ``stack`` is the user's part of the stack.
    Told from the watchdog's own thread, since the loop cannot.
    """

    seconds: float
    pid: Pid | None
    name: str | None
    handler: str | None
    line: str | None
    stack: str


class MailboxLong(msgspec.Struct, frozen=True):
    """A mailbox has passed the watermark of ``watermark`` messages. Told once per passing."""

    pid: Pid
    name: str | None
    length: int
    watermark: int


class MessageOld(msgspec.Struct, frozen=True):
    """The oldest message of a mailbox has waited for ``seconds``. Told once for each backlog."""

    pid: Pid
    name: str | None
    seconds: float
    length: int


class RestartsHigh(msgspec.Struct, frozen=True):
    """A supervisor is past half of what it may restart before it gives up. Told once each time.

    ``restarts`` of at most ``max_restarts`` have happened within ``max_seconds`` seconds.
    """

    supervisor: Pid
    name: str | None
    restarts: int
    max_restarts: int
    max_seconds: float


class CallEnded(msgspec.Struct, frozen=True):
    """A call of ``ref.call`` has ended, ``seconds`` after it was made.

    ``pid`` is whom it reached, ``None`` if nobody was there; ``request`` the class of the request.
    ``outcome`` is ``reply``, or what the caller got instead: ``error`` (of ``reply_to.error``),
    ``exit``, ``timeout``, ``cycle``, ``full``, ``dropped``, ``cancelled``. The runtime's own
    requests to a loop (``get_state``, ``stop`` ...) are no calls in this sense.
    """

    pid: Pid | None
    request: str
    seconds: float
    outcome: str


class ChildRefused(msgspec.Struct, frozen=True):
    """A supervisor had ``max_children`` already and started nothing."""

    supervisor: Pid
    name: str | None
    max_children: int


class PermitsGranted(msgspec.Struct, frozen=True):
    """A limiter has granted ``permits`` to somebody who had waited for ``seconds``."""

    limiter: Pid
    name: str | None
    permits: int
    seconds: float


class DemandUneven(msgspec.Struct, frozen=True):
    """A consumer asks for more events at a time than others do, so that those may get none.

    ``asked`` is how many it wants, ``expected`` how many its producer takes for usual.
    """

    producer: Pid
    name: str | None
    consumer: Pid
    asked: int
    expected: int


class EventsDiscarded(msgspec.Struct, frozen=True):
    """The buffer of a stage was full: so many events are lost. GenStage: the same log."""

    pid: Pid
    name: str | None
    count: int


class EventsInExcess(msgspec.Struct, frozen=True):
    """A producer has sent more events than its consumer ``pid`` had asked for; all are handled."""

    pid: Pid
    name: str | None
    producer: Pid | None
    count: int


Event: TypeAlias = (
    ProcessStarted
    | ProcessEnded
    | ProcessCrashed
    | CleanupFailed
    | MessageDropped
    | MessageUnexpected
    | BudgetExceeded
    | StillAlive
    | ChildEnded
    | ChildStartFailed
    | LoopStalled
    | MailboxLong
    | MessageOld
    | RestartsHigh
    | CallEnded
    | ChildRefused
    | PermitsGranted
    | DemandUneven
    | PipelineEvent
    | EventsDiscarded
    | EventsInExcess
)
"""Everything a node tells its instruments."""


FREQUENT: Final[tuple[type[Event], ...]] = (CallEnded, PermitsGranted, *SPANS)
"""What ordinary work tells, every time: a reader of reports wants the others."""

REPORTS: Final[tuple[type[Event], ...]] = tuple(
    event for event in get_args(Event) if event not in FREQUENT
)
"""All the others."""


class Instrument:
    """``callback`` is called with each event whose class is in ``events``.

    A subclass may also want to look at the nodes that it hears: see ``joined``.
    """

    __slots__ = ("callback", "events")

    def __init__(self, callback: Callable[[Event], None], events: Iterable[type[Event]]) -> None:
        if not callable(callback):
            raise TypeError(f"callback: got {callback!r}, allowed is a function of an event")
        self.callback: Final = callback
        self.events: Final = _check_events(events)

    def joined(self, count: CountNode) -> None:
        """It hears an open node from now on, and ``count()`` says what is there, in any thread."""

    def left(self, count: CountNode) -> None:
        """It hears that node no more: it was removed, or the node has ended."""

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Instrument)
            and type(other) is type(self)
            and (other.callback, other.events) == (self.callback, self.events)
        )

    def __hash__(self) -> int:
        return hash((self.callback, self.events))


def _check_events(events: Iterable[type[Event]]) -> tuple[type[Event], ...]:
    allowed = "allowed is a tuple of classes of events such as (ProcessCrashed,)"
    if not isinstance(events, Iterable):
        raise TypeError(f"events: got {events!r}, {allowed}")
    given = tuple(events)
    for event in given:
        if event not in get_args(Event):
            raise TypeError(f"events: got {event!r} in it, {allowed}")
    return given


class Instruments:
    """The subscriptions of one node. ``wanted`` are the events that anybody is subscribed to."""

    def __init__(self, instruments: Iterable[Instrument] = ()) -> None:
        self.wanted: frozenset[type[Event]] = frozenset()
        self._held: list[Instrument] = []
        self._callbacks: dict[type[Event], tuple[Callable[[Event], None], ...]] = {}
        self._count: CountNode | None = None
        self._changed: Callable[[], None] | None = None
        for instrument in instruments:
            self.add(instrument)

    def add(self, instrument: Instrument) -> None:
        """Subscribe."""
        if not isinstance(instrument, Instrument):
            raise TypeError(
                f"instrument: got {instrument!r}, allowed is an Instrument(callback, events)"
            )
        self._held.append(instrument)
        for event in instrument.events:
            self._callbacks[event] = (*self._callbacks.get(event, ()), instrument.callback)
        self._tell_changed()
        if self._count is not None:
            contain(None, instrument.joined, self._count)

    def remove(self, instrument: Instrument) -> bool:
        """Unsubscribe; whether it was subscribed."""
        if instrument not in self._held:
            return False
        self._held.remove(instrument)
        for event in instrument.events:
            held = list(self._callbacks[event])
            held.remove(instrument.callback)
            self._callbacks[event] = tuple(held)
        self._tell_changed()
        if self._count is not None:
            contain(None, instrument.left, self._count)
        return True

    def on_change(self, changed: Callable[[], None]) -> None:
        """Call ``changed`` whenever ``wanted`` may have changed, and now."""
        self._changed = changed
        changed()

    def _tell_changed(self) -> None:
        self.wanted = frozenset(event for event, told in self._callbacks.items() if told)
        if self._changed is not None:
            self._changed()

    def node_opened(self, count: CountNode) -> None:
        """The node is there."""
        self._count = count
        for instrument in tuple(self._held):
            contain(None, instrument.joined, count)

    def node_ended(self) -> None:
        """The node is gone, and nothing here leads to it any more."""
        count, self._count, self._changed = self._count, None, None
        assert count is not None, "it was open"
        for instrument in tuple(self._held):
            contain(None, instrument.left, count)

    def want(self, event: type[Event]) -> bool:
        """Whether anybody is subscribed, so that an event need not be built for nobody."""
        return event in self.wanted

    def emit(self, event: Event) -> None:
        """Tell the subscribers, in the order of subscription."""
        for callback in self._callbacks.get(type(event), ()):
            contain(None, callback, event)
