"""Messages that are sent later, on Trio's clock. OTP: ``Process.send_after`` and its relatives."""

from __future__ import annotations

import math

import trio

from runtime.current import Address, Target, current_table, find_process, incarnation
from runtime.deadlines import Deadline, Deadlines
from runtime.messages import check_sendable
from runtime.outcomes import check_seconds
from runtime.pid import Pid

MIN_INTERVAL = 1e-6


class TimerRef:
    """Names one timer."""

    __slots__ = ("_deadline", "_deadlines", "_interval", "_message", "_target")

    def __init__(
        self,
        deadlines: Deadlines,
        at: float,
        target: Target,
        message: object,
        interval: float | None,
    ) -> None:
        self._deadlines = deadlines
        self._target = target
        self._message = message
        self._interval = interval
        self._deadline: Deadline = deadlines.schedule(at, self._fire)

    def _fire(self) -> None:
        process = find_process(self._target)
        if process is not None:
            process.post_or_drop(self._message)
        if self._interval is not None and (
            process is not None or isinstance(self._target, Address)
        ):
            self._deadline = self._deadlines.schedule(self._next(self._interval), self._fire)

    def _next(self, interval: float) -> float:
        """The next beat. Beats that were missed, by a suspended machine say, are left out."""
        now = trio.current_time()
        at = self._deadline.at + interval
        return at if at > now else now + interval

    def remaining(self) -> float | None:
        """Seconds to go; ``None`` once it has fired, was cancelled, or its target pid is dead."""
        dead = incarnation(self._target) is not None and find_process(self._target) is None
        if self._deadline.callback is None or dead:
            return None
        return max(0.0, self._deadline.at - trio.current_time())

    def cancel(self) -> float | None:
        """Call it off; what ``remaining`` said just before."""
        remaining = self.remaining()
        self._deadlines.cancel(self._deadline)
        self._interval = None
        return remaining


def send_after(target: Target, message: object, seconds: float) -> TimerRef:
    """Send ``message`` in ``seconds``. A name is resolved then; a dead target is no error.

    Timers due at the same time fire in the order they were made. A full mailbox of the target
    drops the message, counted and reported: nobody is there to raise to.
    """
    check_seconds("seconds", seconds)
    return send_at(target, message, _now() + seconds)


def send_at(target: Target, message: object, deadline: float) -> TimerRef:
    """Send ``message`` when Trio's clock reaches ``deadline``; at once if it has."""
    return _timer(target, message, check_seconds("deadline", deadline, minimum=-math.inf), None)


def send_interval(target: Target, message: object, seconds: float) -> TimerRef:
    """Send ``message`` every ``seconds``, without drift, until cancelled or the pid is dead."""
    check_seconds("seconds", seconds)
    if seconds < MIN_INTERVAL or math.isinf(seconds):
        raise ValueError(f"seconds: got {seconds!r}, allowed is {MIN_INTERVAL:g} to below math.inf")
    return _timer(target, message, _now() + seconds, seconds)


def cancel_timer(timer: TimerRef) -> float | None:
    """Call a timer off, from any process. Returns the seconds that were left.

    ``None`` says it had fired, or was cancelled, or its target pid is dead: then the message is in
    the mailbox or never comes, and cannot be recalled.
    """
    _now()
    return _check(timer).cancel()


def read_timer(timer: TimerRef) -> float | None:
    """The seconds left, or ``None`` as for ``cancel_timer``."""
    _now()
    return _check(timer).remaining()


def _now() -> float:
    current_table()  # outside the node's thread this says so; Trio would speak of its own rules
    return trio.current_time()


def _timer(target: Target, message: object, at: float, interval: float | None) -> TimerRef:
    if not isinstance(target, Pid | Address):
        raise TypeError(f"target: got {target!r}, allowed are a Pid and a Ref such as named('x')")
    check_sendable(message)
    return TimerRef(current_table().deadlines, at, target, message, interval)


def _check(timer: TimerRef) -> TimerRef:
    if not isinstance(timer, TimerRef):
        raise TypeError(f"timer: got {timer!r}, allowed is what send_after() returned")
    return timer
