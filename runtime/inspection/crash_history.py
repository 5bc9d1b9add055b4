"""The last crashes of a node, as text: a kept exception would keep the dead server.

Written by the process that ends and by the supervisor that decides what follows, each directly: an
event for everybody who ends would be built for nobody. A traceback takes longer to format than a
crash takes, so when many crash, most get no more than the place where it was raised: a bucket of
``_BURST`` whole tracebacks is filled with as many a second.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Final

from runtime.containment import clean, crash_of, quiet_repr, show
from runtime.exits import Crashed, ExitReason
from runtime.inspection.views import CrashView
from runtime.pid import Pid
from runtime.tracebacks import format_crash, last_frame

KEPT: Final = 100
"""So many are kept, unless a node is told otherwise."""

_BURST: Final = 20
_FRAMES: Final = 50
_MAX_TEXT: Final = 8_000


class CrashHistory:
    """The last ``kept`` crashes. ``clock`` is in seconds, from any zero."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, *, kept: int = KEPT) -> None:
        self._crashes: deque[_Crash] = deque(maxlen=kept)
        self._by_number: dict[int, _Crash] = {}
        self._clock = clock
        self._tokens = float(_BURST)
        self._filled_at = clock()

    def record(
        self,
        pid: Pid,
        behaviour: str,
        name: str | None,
        ancestors: tuple[Pid | str, ...],
        reason: ExitReason,
        last_message: str | None,
    ) -> None:
        """A process has ended neither ``Normal`` nor ``Shutdown``."""
        crash = _Crash()
        crash.at, crash.pid, crash.behaviour, crash.name = time.time(), pid, behaviour, name
        crash.ancestors = ancestors
        crash.last_message, crash.then = last_message, None
        crash.reason, crash.traceback = self._texts(reason)
        if len(self._crashes) == self._crashes.maxlen:
            del self._by_number[self._crashes[0].pid.number]
        self._crashes.append(crash)
        self._by_number[pid.number] = crash

    def _texts(self, reason: ExitReason) -> tuple[str, str]:
        if not isinstance(reason, Crashed):
            return quiet_repr(reason), ""
        exc = reason.exception
        if not self._may_format():
            return quiet_repr(exc), clean(f"(in short, many crashed at once) {last_frame(exc)}")
        whole = crash_of(_format, exc)[0] or ""
        if len(whole) > _MAX_TEXT:
            half = _MAX_TEXT // 2
            whole = f"{whole[:half]}\n... ({len(whole)} characters)\n{whole[-half:]}"
        return quiet_repr(exc), clean(whole)

    def _may_format(self) -> bool:
        now = self._clock()
        self._tokens = min(_BURST, self._tokens + (now - self._filled_at) * _BURST)
        self._filled_at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    def followed(self, pid: Pid | None, then: str) -> None:
        """What the supervisor of a process that has ended does next."""
        crash = None if pid is None else self._by_number.get(pid.number)
        if crash is not None:
            crash.then = clean(then)

    def views(self, limit: int = 20, pid: int | None = None) -> list[CrashView]:
        """The last ``limit`` of them, or of those of one process, newest last."""
        if limit <= 0:
            return []
        chosen = [one for one in self._crashes if pid is None or one.pid.number == pid]
        return [one.view() for one in chosen[-limit:]]


class _Crash:
    """One of them, to which ``then`` is added later."""

    __slots__ = (
        "ancestors", "at", "behaviour", "last_message", "name", "pid", "reason", "then",
        "traceback",
    )  # fmt: skip

    at: float
    pid: Pid
    behaviour: str
    name: str | None
    reason: str
    traceback: str
    last_message: str | None
    ancestors: tuple[Pid | str, ...]
    then: str | None

    def view(self) -> CrashView:
        """As a plain value."""
        last = self.last_message
        return CrashView(
            at=self.at, pid=self.pid.number, behaviour=clean(self.behaviour),
            name=None if self.name is None else clean(self.name), reason=self.reason,
            traceback=self.traceback, last_message=None if last is None else clean(last),
            ancestors=tuple(clean(show(one)) for one in self.ancestors), then=self.then,
        )  # fmt: skip


def _format(exc: BaseException) -> str:
    return format_crash(exc, frames=_FRAMES)
