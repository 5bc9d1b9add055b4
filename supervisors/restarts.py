"""The restart account of one supervisor: when to give up, how long to wait, and what led there."""

from __future__ import annotations

import random
from collections import deque

import trio

from runtime import Crashed, ExitReason, Normal, Shutdown
from runtime.containment import short_repr
from runtime.inspection.views import Plain
from supervisors.backoff import Backoff
from supervisors.children import Child
from supervisors.errors import GaveUp, exception_of
from supervisors.intensity import Intensity

_HISTORY = 20


class Restarts:
    """Counts every restart of every child, and keeps the last ones as text."""

    def __init__(self, intensity: Intensity, backoff: Backoff | None) -> None:
        self.intensity = intensity
        self._backoff = backoff
        self._recent: tuple[float, ...] = ()
        self._history: deque[tuple[float, str]] = deque(maxlen=_HISTORY)
        self._left_out = 0
        self._is_high = False  # past half of what may be
        self.passed_half = False  # by the last restart

    @property
    def recent(self) -> int:
        """How many restarts count at the moment."""
        return len(self._recent)

    def counted(self, now: float) -> int:
        """How many count at ``now``: those that are not too long ago by then."""
        longest = self.intensity.max_seconds
        return sum(now - at <= longest for at in self._recent)

    def facts(self) -> dict[str, Plain]:
        """In numbers: how many restarts count now, and how many may."""
        intensity = self.intensity
        return {
            "restarts": self.counted(trio.current_time()),
            "max_restarts": intensity.max_restarts,
            "max_seconds": intensity.max_seconds,
        }

    def record(self, child: Child, reason: ExitReason) -> bool:
        """One more restart is due; whether it may be made."""
        now = trio.current_time()
        self._recent = self.intensity.record(self._recent, now)
        was_high = self._is_high and len(self._recent) > 1
        self._is_high = self.intensity.is_high(self._recent)
        self.passed_half = self._is_high and not was_high
        self._left_out += len(self._history) == _HISTORY
        self._history.append((now, f"child {short_repr(child.spec.id)}: {_text(reason)}"))
        child.restarts += 1
        if self._was_stable(child, now):
            child.streak = 0
        child.streak += 1
        child.up_since = child.down_at = None
        return not self.intensity.exceeded(self._recent)

    def _was_stable(self, child: Child, now: float) -> bool:
        """Whether a child had been up for so long that its backoff begins anew."""
        if self._backoff is None or child.up_since is None:
            return False
        last_delay = self._backoff.delay(child.streak, 0.0) if child.streak else 0.0
        until = now if child.down_at is None else child.down_at
        return until - child.up_since > max(self.intensity.max_seconds, last_delay)

    def delay(self, child: Child) -> float:
        """Seconds to wait before the restart of ``child`` that was just recorded."""
        if self._backoff is None:
            return 0.0
        return self._backoff.delay(child.streak, random.random())

    def gave_up(self, reason: ExitReason) -> Shutdown:
        """The reason a supervisor ends with when the restart for ``reason`` is one too many."""
        inner: tuple[str, ...] = ()
        if isinstance(reason, Shutdown) and isinstance(reason.detail, GaveUp):
            inner = tuple(f"  {line}" for line in reason.detail.history)
        last = self._history[-1][0]
        lines = (f"{at - last:+.3f} s  {text}" for at, text in self._history)
        before = [f"({self._left_out} earlier ones are left out)"] if self._left_out else []
        return Shutdown(GaveUp((*before, *lines, *inner), exception_of(reason)))


def _text(reason: ExitReason) -> str:
    match reason:
        case Crashed():
            return f"crashed: {short_repr(reason.exception, 200)}"
        case Shutdown(detail=GaveUp()):
            return "gave up restarting"
        case Normal():
            return "ended normally; a permanent child is restarted whatever it ends with"
        case _:
            return short_repr(reason, 200)
