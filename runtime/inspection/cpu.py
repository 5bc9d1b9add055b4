"""How much of a core each process takes, measured only while somebody looks.

A Trio instrument that notes the time before and after every step of every task and adds what lies
between to the process the task belongs to, its helper tasks included. That costs each step about a
microsecond, so it is installed between ``measure_cpu`` and ``stop_measuring`` only. A call that
runs at once is a step of its caller, and counted there: see ``inline_calls``.
"""

from __future__ import annotations

import time
from typing import cast

import trio
from trio.lowlevel import Task

from runtime.current import current_table
from runtime.pid import Pid
from runtime.process import Process, current_process_var
from runtime.process_table import ProcessTable


class CpuMeter(trio.abc.Instrument):
    """Seconds of the loop's thread by process, since somebody began to look."""

    def __init__(self) -> None:
        self.seconds: dict[Pid, float] = {}
        self.lookers = 0
        self._begun = 0.0

    def before_task_step(self, task: Task) -> None:
        """The step begins now."""
        self._begun = time.thread_time()

    def after_task_step(self, task: Task) -> None:
        """It ends now. The first one seen is that in which the measuring began."""
        took = time.thread_time() - self._begun
        process = task.context.get(current_process_var)
        if process is not None:
            self.seconds[process.pid] = self.seconds.get(process.pid, 0.0) + took

    @staticmethod
    def now() -> float:
        """What shares are counted against: real time, since that is what is used up."""
        return time.perf_counter()

    def begin(self) -> None:
        """One more looks."""
        self.lookers += 1
        if self.lookers == 1:
            self._begun = time.thread_time()
            trio.lowlevel.add_instrument(self)

    def keep(self, living: dict[Pid, Process]) -> None:
        """Forget those that have ended."""
        self.seconds = {pid: took for pid, took in self.seconds.items() if pid in living}


def meter_of(table: ProcessTable[Process]) -> CpuMeter | None:
    """The meter of a node, if anybody looks."""
    return cast("CpuMeter | None", table.cpu)


def close_meter(table: ProcessTable[Process]) -> None:
    """The node ends, and the run of Trio it lives in may go on."""
    meter = meter_of(table)
    if meter is not None:
        table.cpu = None
        trio.lowlevel.remove_instrument(meter)


def measure_cpu() -> None:
    """Measure from now on, until ``stop_measuring`` was called as often as this."""
    table = current_table()
    if table.cpu is None:
        table.cpu = CpuMeter()
    meter = meter_of(table)
    assert meter is not None
    meter.begin()


def stop_measuring() -> None:
    """One of those who look does so no more. ``RuntimeError`` if nobody does."""
    table = current_table()
    meter = meter_of(table)
    if meter is None:
        raise RuntimeError("stop_measuring: nobody measures, measure_cpu() comes first")
    meter.lookers -= 1
    if meter.lookers == 0:
        close_meter(table)
