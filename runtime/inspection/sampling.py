"""What a process does over time, from looking at its counters again and again.

The choice: no message and no handler is stamped with a time, so a node that nobody looks at pays
nothing. Instead somebody who looks calls ``sample`` now and then, the watchdog or a console, and
what is told is as exact as that. Messages are numbered in the order they came: those that have left
a mailbox are ``handled`` and ``evicted``, so the oldest that waits has the next number, and it has
waited at least since the first sample by which so many had come. In the same way a message has been
in hand at least since the first sample that found it there. Both are never too high. They are too
low by up to the time between two samples, and where a selective ``receive`` leaves messages behind.
"""

from __future__ import annotations

from typing import cast

from runtime.current import current_table
from runtime.inspection.cpu import meter_of
from runtime.pid import Pid
from runtime.process import Process
from runtime.process_table import ProcessTable

MIN_INTERVAL = 0.5
"""Seconds: who looks sooner after somebody else shares what that one saw."""

_MAX_MARKS = 64


class _Base:
    """The counters of all processes at one moment: rates are counted from there."""

    __slots__ = ("at", "cpu", "cpu_at", "handled", "meter")

    def __init__(self, table: ProcessTable[Process]) -> None:
        self.at = table.now()
        self.handled = {pid: process.handled for pid, process in table.by_pid.items()}
        self.cpu: dict[Pid, float] = {}
        self.cpu_at = 0.0
        self.meter = meter_of(table)
        if self.meter is not None:
            self.meter.keep(table.by_pid)
            self.cpu, self.cpu_at = dict(self.meter.seconds), self.meter.now()


class Sampler:
    """What is known of one node from looking at it. It keeps numbers and pids, no process."""

    def __init__(self, table: ProcessTable[Process]) -> None:
        self._table = table
        self._last: _Base | None = None
        self._before: _Base | None = None
        self._has_looked = False  # at the mailboxes
        self._marks: dict[Pid, list[tuple[float, int]]] = {}  # when, and how many had come
        self._in_hand: dict[Pid, tuple[float, int]] = {}  # since when, and which

    def sample(self) -> None:
        """Look once. Does nothing if somebody has within ``MIN_INTERVAL`` seconds."""
        table = self._table
        now = table.now()
        if self._last is not None and now - self._last.at < MIN_INTERVAL:
            return
        self._before, self._last = self._last, _Base(table)
        self.sample_mailboxes()
        in_hand, self._in_hand = self._in_hand, {}
        for pid, process in table.by_pid.items():
            if not process.parked and process.current is not None:
                since = in_hand.get(pid)
                same = since is not None and since[1] == process.handled
                self._in_hand[pid] = since if since is not None and same else (now, process.handled)

    def sample_mailboxes(self) -> list[Process]:
        """Look at the mailboxes alone, which costs a tenth; those in which anything waits."""
        now, marks = self._table.now(), self._marks
        waiting = [one for one in self._table.by_pid.values() if one.mailbox.items]
        self._marks = {one.pid: _marked(marks.get(one.pid), one, now) for one in waiting}
        self._has_looked = True
        return waiting

    def glance(self) -> Glance:
        """What is known at this moment, for many processes."""
        last = self._last
        recent = last is not None and self._table.now() - last.at < MIN_INTERVAL
        return Glance(self, self._table, self._before if recent else last)

    def rate(self, process: Process) -> float | None:
        """Messages handled in a second, between a look and now; ``None`` before there is one."""
        return self.glance().rate(process)

    def cpu(self, process: Process) -> float | None:
        """The share of one core between a look and now; ``None`` unless it is measured."""
        return self.glance().cpu(process)

    def oldest(self, process: Process) -> float | None:
        """At least how long the oldest message has waited; ``None`` if none does."""
        if not self._has_looked or not process.mailbox.items:
            return None
        left = process.handled + process.mailbox.evicted
        marks = self._marks.get(process.pid, ())
        since = next((at for at, come in marks if come > left), None)
        return 0.0 if since is None else self._table.now() - since

    def busy(self, process: Process) -> float | None:
        """At least how long the message in hand has been there; ``None`` if there is none."""
        if self._last is None or not is_busy(process):
            return None
        since = self._in_hand.get(process.pid)
        if since is None or since[1] != process.handled:
            return 0.0
        return self._table.now() - since[0]


class Glance:
    """The rates of one moment, counted since ``base``, the last look that is long enough ago."""

    __slots__ = ("_cpu", "_cpu_before", "_cpu_seconds", "_handled", "_seconds", "now", "sampler")

    def __init__(self, sampler: Sampler, table: ProcessTable[Process], base: _Base | None) -> None:
        self.sampler = sampler
        self.now = table.now()
        self._handled: dict[Pid, int] | None = None
        self._seconds = 1.0
        self._cpu: dict[Pid, float] | None = None
        self._cpu_before: dict[Pid, float] = {}
        self._cpu_seconds = 1.0
        if base is None:
            return
        self._handled, self._seconds = base.handled, self.now - base.at
        meter = meter_of(table)
        if meter is not None and meter is base.meter:
            self._cpu, self._cpu_before = meter.seconds, base.cpu
            self._cpu_seconds = meter.now() - base.cpu_at

    @property
    def measured(self) -> bool:
        """Whether there are shares of a core."""
        return self._cpu is not None

    def rate(self, process: Process) -> float | None:
        """See ``Sampler``."""
        if self._handled is None:
            return None
        return (process.handled - self._handled.get(process.pid, 0)) / self._seconds

    def cpu(self, process: Process) -> float | None:
        """See ``Sampler``."""
        if self._cpu is None:
            return None
        used = self._cpu.get(process.pid, 0.0) - self._cpu_before.get(process.pid, 0.0)
        return used / self._cpu_seconds


def _marked(
    marks: list[tuple[float, int]] | None, process: Process, now: float
) -> list[tuple[float, int]]:
    """The marks that still count, and one for now. Fewer of them tell less, but nothing wrong."""
    mailbox = process.mailbox
    left = process.handled + mailbox.evicted
    come = left + len(mailbox.items)
    kept = [mark for mark in marks or () if mark[1] > left]
    if not kept or come > kept[-1][1]:
        kept.append((now, come))
    return kept if len(kept) <= _MAX_MARKS else [kept[0], *kept[1::2]]


def is_busy(process: Process) -> bool:
    """Whether it has a message in hand: it is not asleep in its mailbox."""
    return process.current is not None and (not process.parked or process.lent)


def sampler_of(table: ProcessTable[Process] | None = None) -> Sampler:
    """The one sampler of a node, by default this one."""
    table = current_table() if table is None else table
    if table.sampler is None:
        table.sampler = Sampler(table)
    return cast("Sampler", table.sampler)
