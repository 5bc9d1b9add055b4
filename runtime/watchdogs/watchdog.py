"""The watchdog of a node: an ordinary process that looks, tells, and keeps the alarms.

What is noticed where it happens is told there (``StillAlive`` by whoever stops something,
``RestartsHigh`` by the supervisor); of that it only keeps the alarm. The mailboxes it looks at
itself, as often as it is told to, and a thread looks at the loop, if that has a real clock. Alarms
are in the table of the node, where whoever shows them finds them, and gone when the watchdog is.
"""

from __future__ import annotations

import math
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

import msgspec

from runtime.current import current_table
from runtime.gen_server import GenServer
from runtime.handlers import handles
from runtime.inspection.sampling import sampler_of
from runtime.inspection.views import AlarmView
from runtime.instruments import (
    ChildEnded,
    Event,
    Instrument,
    LoopStalled,
    RestartsHigh,
    StillAlive,
)
from runtime.messages import SystemInfo
from runtime.outcomes import Continue
from runtime.pid import Pid
from runtime.process import Process
from runtime.process_table import ProcessTable
from runtime.signals import self_
from runtime.timers import send_after
from runtime.watchdogs.alarms import Backlog, Key, judge
from runtime.watchdogs.limits import WatchdogLimits
from runtime.watchdogs.stall import StallWatch

_MOST_OF_THE_TIME: Final = 50
"""Looking takes one part in so many of the loop's time at most, with any number of processes."""


class Look(SystemInfo, frozen=True):
    """It is time to look."""


class _Alarm(msgspec.Struct):
    """One that holds; ``until`` is when it ends by itself, on Trio's clock."""

    since: float
    text: str
    until: float = math.inf


class Watchdog(GenServer):
    """Watches the node it is started in; one is enough. ``run`` and ``open_supervisor`` start it.

    With a clock that is not the real one the loop is not watched: there time stands still with it.
    """

    inline = False

    def __init__(self, limits: WatchdogLimits | None = None) -> None:
        self.limits = WatchdogLimits() if limits is None else limits
        self._alarms: dict[Key, _Alarm] = {}
        self._high: dict[Pid, float] = {}  # how long a supervisor's restarts count, in seconds

    async def init(self) -> Continue:
        """Listen and, in a thread, watch."""
        self._table: ProcessTable[Process] = current_table()
        await self.enter(self._listening(self._table))
        has_real_clock = self._table.stopwatch is time.perf_counter
        if has_real_clock and self.limits.stall != math.inf:
            watch = StallWatch(self._table, self.limits.stall, self._on_stall)
            await self.enter(watch.running())
        return Continue()

    def handle_continue(self, arg: object) -> None:
        """Begin to look."""
        self._look()

    # -- what others notice -----------------------------------------------------------------

    @contextmanager
    def _listening(self, table: ProcessTable[Process]) -> Generator[None]:
        instrument = Instrument(self._on_event, (StillAlive, RestartsHigh, ChildEnded))
        table.instruments.add(instrument)
        table.killed = {}
        try:
            yield
        finally:
            table.instruments.remove(instrument)
            table.killed, table.alarms = None, ()

    def _on_event(self, event: Event) -> None:
        match event:
            case StillAlive():
                text = f"still alive {event.seconds:.3g} s after it was killed"
                self._raise(("StillAlive", event.pid), text)
            case RestartsHigh():
                self._high[event.supervisor] = event.max_seconds
                self._restarts_high(event.supervisor, event.restarts, event.max_restarts)
            case ChildEnded() if event.restarts * 2 > event.max_restarts:
                if event.supervisor in self._high:
                    self._restarts_high(event.supervisor, event.restarts, event.max_restarts)
            case _:
                return
        self._show()

    def _restarts_high(self, supervisor: Pid, restarts: int, max_restarts: int) -> None:
        """It holds until none of these restarts counts any more."""
        seconds = self._high[supervisor]
        text = f"{restarts} of at most {max_restarts} restarts within {seconds:g} s"
        self._raise(("RestartsHigh", supervisor), text, self._table.now() + seconds)

    def _on_stall(self, event: LoopStalled) -> None:
        where = f" in {event.handler} ({event.line})" if event.handler else ""
        text = f"the loop stood still for more than {event.seconds:.3g} s{where}"
        self._raise(("LoopStalled", event.pid), text, self._table.now() + self.limits.shown)
        self._show()

    # -- what it notices itself -------------------------------------------------------------

    @handles(Look)
    def _on_look(self, message: Look) -> None:
        self._look()

    def _look(self) -> None:
        """Look at every mailbox and at everything that was killed; then again, later."""
        stopwatch = self._table.stopwatch
        begun = stopwatch()
        self._look_at_the_killed()
        self._look_at_mailboxes()
        self._end_alarms()
        took = stopwatch() - begun
        send_after(self_(), Look(), max(self.limits.every, took * _MOST_OF_THE_TIME))

    def _look_at_the_killed(self) -> None:
        """Whoever stops a process tells of it by itself; here it is about ``kill``."""
        table = self._table
        assert table.killed is not None
        for pid, at in tuple(table.killed.items()):
            process, seconds = table.by_pid.get(pid), table.now() - at
            if process is None or process.stop_asked_at is not None:
                del table.killed[pid]
            elif seconds >= self.limits.after_kill:
                del table.killed[pid]
                table.instruments.emit(StillAlive(pid, seconds))

    def _look_at_mailboxes(self) -> None:
        table, sampler = self._table, sampler_of(self._table)
        backlogs = (
            Backlog(process.pid, process.name, len(process.mailbox), sampler.oldest(process))
            for process in sampler.sample_mailboxes()
        )
        verdict = judge(backlogs, self._alarms.keys(), self.limits)
        for kind, pid in tuple(self._alarms):
            if kind in ("MailboxLong", "MessageOld") and (kind, pid) not in verdict.holding:
                del self._alarms[kind, pid]
        for key, text in verdict.holding.items():
            self._raise(key, text)
        for event in verdict.raised:
            table.instruments.emit(event)

    # -- the alarms -------------------------------------------------------------------------

    def _raise(self, key: Key, text: str, until: float = math.inf) -> None:
        """It holds from now on; or goes on to hold, since it was first raised."""
        held = self._alarms.get(key)
        self._alarms[key] = _Alarm(time.time() if held is None else held.since, text, until)

    def _end_alarms(self) -> None:
        """Those of the dead, and those whose time is over."""
        now, alive = self._table.now(), self._table.by_pid
        for key, alarm in tuple(self._alarms.items()):
            kind, pid = key
            if alarm.until <= now or (kind != "LoopStalled" and pid not in alive):
                del self._alarms[key]
        self._high = {
            pid: seconds
            for pid, seconds in self._high.items()
            if ("RestartsHigh", pid) in self._alarms
        }
        self._show()

    def _show(self) -> None:
        self._table.alarms = tuple(
            AlarmView(
                kind=kind, since=one.since, pid=None if pid is None else pid.number, text=one.text
            )
            for (kind, pid), one in self._alarms.items()
        )


def current_alarms() -> tuple[AlarmView, ...]:
    """What should not last and does, in this node, oldest first. Empty without a watchdog."""
    return current_table().alarms
