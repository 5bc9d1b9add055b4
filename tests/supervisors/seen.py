"""Plain values as a service would answer them, for the tests of the command's screens."""

from __future__ import annotations

from io import StringIO
from typing import Any

import msgspec
from rich.console import Console, RenderableType

from runtime.console.frames import InfoView
from runtime.inspection.views import AlarmView, CrashView, ProcessView, Snapshot

PROCESS = ProcessView(
    pid=3, parent=1, behaviour="Counter", name="counter", label=None, status="running", up=12.34,
    mailbox=0, handled=1234, dropped=0, restarts=0,
)  # fmt: skip
ROOT = msgspec.structs.replace(PROCESS, pid=1, parent=0, behaviour="Supervisor", name="shop")
CRASH = CrashView(
    at=0.0, pid=3, behaviour="Counter", name="counter", reason="ValueError: no",
    traceback="Traceback:\n  line\nValueError: no\n", last_message="Add(by=1)",
    ancestors=("<1> shop",), then="restarted",
)  # fmt: skip
ALARM = AlarmView(kind="MailboxLong", since=90.0, pid=3, text="10,001 messages wait")
SNAPSHOT = Snapshot(at=100.0, up=65.0, total=2, processes=(ROOT, PROCESS))
INFO = InfoView(
    process=PROCESS, ancestors=("<1> shop",), state="{'count': 1}", waiting=("Add(by=2)",),
    stack=("counter.py:12 add",), crashes=(), facts={},
)  # fmt: skip


def process(pid: int, parent: int = 1, **changes: Any) -> ProcessView:
    """A process without a name, unless it is changed."""
    return msgspec.structs.replace(PROCESS, pid=pid, parent=parent, **{"name": None, **changes})


def snapshot(*processes: ProcessView, **changes: Any) -> Snapshot:
    """A node of these."""
    return msgspec.structs.replace(
        SNAPSHOT, processes=processes, **{"total": len(processes), **changes}
    )


def drawn(screen: RenderableType, width: int = 100, height: int = 24) -> str:
    """A screen as plain text, without what follows the last word of a line."""
    console = Console(
        width=width, height=height, color_system=None, record=True, file=StringIO(),
        legacy_windows=False, highlight=False,
    )  # fmt: skip
    console.print(screen)
    return "\n".join(line.rstrip() for line in console.export_text().splitlines())
