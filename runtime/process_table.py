"""What one node knows: its processes, their names, and what they all share.

There is one table per ``trio.run``, found through a ``RunVar``, so two runs, also in two threads,
never see each other's processes. Generic in the process class, so that it stays below ``process``.
"""

from __future__ import annotations

import contextvars
import os
import threading
from collections.abc import Callable
from typing import Final, Generic, TypeVar

import trio

from runtime import _trio
from runtime.deadlines import Deadlines
from runtime.errors import NoNode
from runtime.inspection.crash_history import CrashHistory
from runtime.inspection.views import AlarmView
from runtime.instruments import CallEnded, Instruments
from runtime.pid import Pid
from runtime.timeouts import Timeouts
from runtime.turn import Breath, Turn
from runtime.watchdogs.pulse import Pulse

P = TypeVar("P")

SWITCH: Final = "TRIO_OTP_INLINE"
"""Set to 0 in the environment, every call goes by the mailbox: see ``inline_calls``."""


def check_name(field: str, name: object) -> str:
    """A local name is a non-empty string."""
    if not isinstance(name, str) or not name:
        raise TypeError(f"{field}: got {name!r}, allowed is a non-empty string")
    return name


class ProcessTable(Generic[P]):
    """The processes and names of one node, and the parts that every process of it uses.

    ``owner`` is the pid that stands for the node itself: the parent of what has no supervisor.
    ``context`` holds the context variables every process starts from.
    """

    def __init__(
        self,
        instruments: Instruments,
        on_fatal: Callable[[BaseException], None],
    ) -> None:
        self.opened = trio.Event()
        self._nursery: trio.Nursery | None = None
        self.instruments = instruments
        self.on_fatal = on_fatal
        self.deadlines = Deadlines()
        self.now = trio.lowlevel.current_clock().current_time
        self.timeouts = Timeouts(self.deadlines, self.now)
        self.context = contextvars.copy_context()
        self.thread = threading.get_ident()
        self.token = trio.lowlevel.current_trio_token()
        self.pulse = Pulse(self.token)
        self.owner = Pid(0, "node")
        self.stopping = False
        self.by_pid: dict[Pid, P] = {}
        self.by_name: dict[str, P] = {}
        self.tables: dict[str, object] = {}
        self.roots: dict[P, float | str] = {}  # how long each may take to end
        self.keepers: dict[P, P] = {}  # whose open block a root is the tree of; it stops it
        self.stopwatch = _trio.stopwatch(trio.lowlevel.current_clock())
        self.breath = Breath(self.stopwatch)
        self.turn = None if os.environ.get(SWITCH) == "0" else Turn(self.stopwatch, self.breath)
        self.tells_calls = False  # somebody wants to hear how calls end
        self.quiet_turn = self.turn  # of calls that run at once and are told to nobody
        instruments.on_change(self._instruments_changed)
        self.opened_at = self.now()
        self.crashes = CrashHistory(self.stopwatch)
        self.sampler: object = None  # once somebody looks: see inspection.sampling
        self.cpu: object = None  # the same: see inspection.cpu
        self.traces: dict[Pid, object] = {}  # of whom: see inspection.tracing
        self.alarms: tuple[AlarmView, ...] = ()  # those of the watchdog, if there is one
        self.killed: dict[Pid, float] | None = None  # when; noted for the watchdog, if there is one
        self._last_number = 0

    @property
    def nursery(self) -> trio.Nursery:
        """The nursery of what has no supervisor."""
        if self._nursery is None:
            raise NoNode("the node is not open yet: wait for `async with open_node()`")
        return self._nursery

    def _instruments_changed(self) -> None:
        self.tells_calls = self.instruments.want(CallEnded)
        self.quiet_turn = None if self.tells_calls else self.turn

    def open(self, nursery: trio.Nursery) -> None:
        """From now on processes can be started."""
        self._nursery = nursery
        self.opened.set()

    def new_pid(self, label: str) -> Pid:
        """The next unused pid of this node."""
        self._last_number += 1
        return Pid(self._last_number, label)

    def add(self, pid: Pid, process: P, name: str | None, budget: float | str | None) -> None:
        """A process exists from now on; with a ``budget`` it is the node that stops it."""
        self.by_pid[pid] = process
        if name is not None:
            self.by_name[name] = process
        if budget is not None:
            self.roots[process] = budget

    def remove(self, pid: Pid, process: P, name: str | None) -> None:
        """A process is gone, and its name is free."""
        self.by_pid.pop(pid, None)
        self.roots.pop(process, None)
        self.keepers.pop(process, None)
        if name is not None and self.by_name.get(name) is process:
            del self.by_name[name]
