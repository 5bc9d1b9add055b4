"""What a node tells whoever wants to know: typed events, and who is subscribed to which.

Every event is a frozen Struct of plain values; messages and states appear in it only as text that
the server's ``redact`` has passed. An event nobody subscribed to is not even built. Instruments
run in the Trio thread, synchronously, and must be quick; one that raises is reported by
``sys.excepthook`` and hurts nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, TypeAlias

import msgspec

from runtime.containment import contain
from runtime.exits import ExitReason
from runtime.pid import Pid


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
    """A process has ended neither ``Normal`` nor ``Shutdown``. OTP: the crash report."""

    pid: Pid
    name: str | None
    ancestors: tuple[Pid | str, ...]
    reason: ExitReason
    last_message: str | None
    mailbox_length: int
    handled: int
    state: str | None


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


class ChildStartFailed(msgspec.Struct, frozen=True):
    """A restart of a child failed; ``action`` is what the supervisor does next."""

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
    """A call has ended, after ``seconds``. ``request`` is its class, ``outcome`` how it ended."""

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
)
"""Everything a node tells its instruments."""


class Instrument(msgspec.Struct, frozen=True):
    """``callback`` is called with each event whose class is in ``events``."""

    callback: Callable[[Event], None]
    events: tuple[type[Event], ...]


class Instruments:
    """The subscriptions of one node."""

    def __init__(self, instruments: Iterable[Instrument] = ()) -> None:
        self._callbacks: dict[type[Event], tuple[Callable[[Event], None], ...]] = {}
        for instrument in instruments:
            self.add(instrument)

    def add(self, instrument: Instrument) -> None:
        """Subscribe."""
        for event in instrument.events:
            self._callbacks[event] = (*self._callbacks.get(event, ()), instrument.callback)

    def remove(self, instrument: Instrument) -> bool:
        """Unsubscribe; whether it was subscribed."""
        was_subscribed = False
        for event in instrument.events:
            held = list(self._callbacks.get(event, ()))
            if instrument.callback in held:
                held.remove(instrument.callback)
                was_subscribed = True
            self._callbacks[event] = tuple(held)
        return was_subscribed

    def want(self, event: type[Event]) -> bool:
        """Whether anybody is subscribed, so that an event need not be built for nobody."""
        return bool(self._callbacks.get(event))

    def emit(self, event: Event) -> None:
        """Tell the subscribers, in the order of subscription."""
        for callback in self._callbacks.get(type(event), ()):
            contain(None, callback, event)
