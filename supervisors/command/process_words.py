"""What several screens show alike: the heading, alarms, how a process is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rich.text import Text

from runtime.inspection.views import Plain, Snapshot
from supervisors.command.wording import line, number, seconds, title_of

STATUS_STYLES: Final = {
    "running": "green",
    "starting": "yellow",
    "suspended": "yellow",
    "ending": "red",
    "ended": "red",
}


def heading(snapshot: Snapshot, service: str) -> Text:
    """Which service, how many processes, for how long."""
    count = f"{number(snapshot.total)} process{'' if snapshot.total == 1 else 'es'}"
    return line(service, "bold") + Text(f"  {count}  up {seconds(snapshot.up)}")


def alarm_lines(snapshot: Snapshot) -> Iterator[Text]:
    """What should not last, and when it began."""
    called = {process.pid: f" {title_of(process)}" for process in snapshot.processes}
    for alarm in snapshot.alarms:
        who = "" if alarm.pid is None else f"{called.get(alarm.pid, '')} <{alarm.pid}>"
        since = seconds(max(0.0, snapshot.at - alarm.since))
        yield line("! ", "bold red") + line(f"{alarm.kind}{who}: {alarm.text} ({since} ago)", "red")


def status_text(status: str) -> Text:
    """A status in its colour."""
    return line(status, STATUS_STYLES.get(status, ""))


def fact_text(value: Plain) -> Text:
    """A fact in one line."""
    match value:
        case dict():
            inside = ", ".join(f"{key} {fact_text(one)}" for key, one in value.items())
        case list():
            inside = ", ".join(str(fact_text(one)) for one in value)
        case bool():
            inside = "yes" if value else "no"
        case float():
            inside = f"{value:g}"
        case _:
            inside = str(value) if value is not None else "-"
    return line(inside)
