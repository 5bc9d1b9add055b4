"""What the names at the prompt show, as text in columns."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import TypeAlias

from runtime.console.frames import InfoView, StackView
from runtime.inspection.views import CrashView, ProcessView, Snapshot


class Shown(str):
    """Text that the prompt shows as it is, and not in quotes."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def tree_text(snapshot: Snapshot, siblings: int = 20) -> Shown:
    """The processes as a tree, with what stands out of each; so many ``siblings`` at most."""
    below: dict[int, list[ProcessView]] = {view.pid: [] for view in snapshot.processes}
    roots: list[ProcessView] = []
    for view in snapshot.processes:
        below.get(view.parent, roots).append(view)
    lines: list[str] = []
    left = _branches(roots, siblings)  # a list, since a tree may be deep
    while left:
        line, owner, before = left.pop()
        lines.append(line)
        if owner is not None:
            left += _branches(below[owner.pid], siblings, before, "|-- ", "`-- ")
    lines += [f"! {alarm.text} ({alarm.kind}, process {alarm.pid})" for alarm in snapshot.alarms]
    return Shown("\n".join(lines))


_Branch: TypeAlias = tuple[str, ProcessView | None, str]
"""A line, whose it is, and what stands before the lines below it."""


def _branches(
    views: list[ProcessView], siblings: int, before: str = "", fork: str = "", last: str = ""
) -> list[_Branch]:
    """What stands side by side, the last first."""
    shown = views[:siblings]
    found: list[_Branch] = []
    for view in shown:
        ends = view is views[-1]
        bar = " " * len(fork) if ends else "|".ljust(len(fork)) if fork else ""
        line = f"{before}{last if ends else fork}{_heading(view)}{_notes(view)}"
        found.append((line, view, before + bar))
    if len(views) > len(shown):
        found.append((f"{before}{last}... and {len(views) - len(shown)} more", None, ""))
    return found[::-1]


def top_text(snapshot: Snapshot) -> Shown:
    """The processes as a table."""
    head = ("PID", "NAME", "STATUS", "MAILBOX", "OLDEST", "RATE", "HANDLED", "RESTARTS", "HANDLING")
    rows = [
        (
            str(view.pid), _called(view), view.status, str(view.mailbox), _seconds(view.oldest),
            _number(view.rate), str(view.handled), str(view.restarts), view.handling or "",
        )
        for view in snapshot.processes
    ]  # fmt: skip
    return Shown("\n".join(_columns([head, *rows])))


def info_text(info: InfoView) -> Shown:
    """One process, a fact a line."""
    view = info.process
    facts: list[tuple[str, object]] = [
        ("pid", view.pid),
        ("name", view.name),
        ("behaviour", view.behaviour),
        ("label", view.label),
        ("status", view.status),
        ("up", _seconds(view.up)),
        ("handling", view.handling and f"{view.handling}, for {_seconds(view.busy)}"),
        ("handled", view.handled),
        ("mailbox", view.mailbox),
        ("dropped", view.dropped or None),
        ("restarts", view.restarts or None),
        ("ancestors", ", ".join(info.ancestors) or None),
        ("links", ", ".join(map(str, view.links)) or None),
        ("monitors", ", ".join(map(str, view.monitors)) or None),
        ("monitored by", ", ".join(map(str, view.monitored_by)) or None),
        ("state", info.state),
        *info.facts.items(),
    ]
    lines = [f"{name:<13} {value}" for name, value in facts if value is not None]
    lines += _section("waiting", info.waiting)
    lines += _section("stack", info.stack)
    lines += _section("crashes", [_crash_line(one) for one in info.crashes])
    return Shown("\n".join(lines))


def stack_text(view: StackView) -> Shown:
    """Where the loop is."""
    who = "nobody" if view.pid is None else f"{view.name or view.behaviour} ({view.pid})"
    return Shown("\n".join([f"the loop runs {who}", *_section("stack", view.frames)]))


def crashes_text(crashes: Sequence[CrashView]) -> Shown:
    """Crashes, one a line, newest last, with the number ``crash`` takes."""
    count = len(crashes)
    lines = [f"{index - count:>4}  {_crash_line(one)}" for index, one in enumerate(crashes)]
    return Shown("\n".join(lines) or "nothing has crashed")


def crash_text(crash: CrashView) -> Shown:
    """One crash with all that is known."""
    lines = [_crash_line(crash)]
    if crash.last_message is not None:
        lines.append(f"last message: {crash.last_message}")
    lines += [f"ancestors: {', '.join(crash.ancestors) or 'none'}", crash.traceback]
    return Shown("\n".join(line for line in lines if line))


def _crash_line(crash: CrashView) -> str:
    at = time.strftime("%H:%M:%S", time.localtime(crash.at))
    then = f", then: {crash.then}" if crash.then else ""
    return f"{at} {crash.name or crash.behaviour} ({crash.pid}) {crash.reason}{then}"


def _called(view: ProcessView) -> str:
    return view.name or view.label or view.behaviour


def _heading(view: ProcessView) -> str:
    behaviour = f"  {view.behaviour}" if view.behaviour != _called(view) else ""
    return f"{_called(view)}{behaviour}  <{view.pid}>"


def _notes(view: ProcessView) -> str:
    strategy = view.facts.get("strategy")
    notes = [
        str(strategy) if strategy else "",
        f"q={view.mailbox}  handled={view.handled}" if not strategy else "",
        f"restarts={view.restarts}" if view.restarts else "",
        "" if view.status == "running" else view.status,
        f"up {_up(view.up)}",
        f"handling {view.handling}" if view.handling else "",
    ]
    return "".join(f"  {note}" for note in notes if note)


def _up(seconds: float) -> str:
    """In the largest unit of which there is one."""
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "m")):
        if seconds >= size:
            return f"{seconds // size:.0f}{unit}"
    return f"{seconds:.0f}s"


def _section(title: str, lines: Iterable[str]) -> list[str]:
    found = [f"  {line}" for line in lines]
    return [f"{title}:", *found] if found else []


def _seconds(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds:.1f} s"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.0f}"


def _columns(rows: list[tuple[str, ...]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
