"""One process in detail, what the loop does, and the last crashes. Pure, from plain values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from runtime.console.frames import InfoView, StackView
from runtime.inspection.views import CrashView, ProcessView
from supervisors.command.process_words import fact_text, status_text
from supervisors.command.wording import (
    line,
    lines,
    moment,
    number,
    per_second,
    seconds,
    share,
    title_of,
)


def info_screen(info: InfoView) -> RenderableType:
    """One process: what it is, its state, what waits for it, where it stands."""
    process = info.process
    title = line(title_of(process), "bold") + Text(f" <{process.pid}>", style="cyan")
    parts: list[RenderableType] = [title, _facts(info)]
    parts += _section("state", [] if info.state is None else [info.state])
    parts += _section(f"mailbox, {number(process.mailbox)}", info.waiting)
    parts += _section("stack", info.stack)
    if info.crashes:
        parts += [Text(), Text("crashes", style="bold")]
        parts += [Padding(_crash_line(crash), (0, 0, 0, 2)) for crash in info.crashes]
    return Group(*parts)


def _facts(info: InfoView) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column()
    for name, value in _rows(info.process):
        table.add_row(f"  {name}", value)
    if info.ancestors:
        table.add_row("  below", line(", ".join(info.ancestors)))
    for name, fact in {**info.process.facts, **info.facts}.items():
        table.add_row(line(f"  {name}"), fact_text(fact))
    return table


def _rows(process: ProcessView) -> Iterator[tuple[str, Text]]:
    yield "what", line(process.behaviour)
    if process.label is not None:
        yield "label", line(process.label)
    yield "status", status_text(process.status)
    yield "up", Text(seconds(process.up))
    yield "handled", _handled(process)
    yield "handling", _in_hand(process)
    yield "waiting", _waiting(process)
    yield "dropped", Text(number(process.dropped))
    yield "restarts", Text(number(process.restarts))
    yield "cpu", Text(share(process.cpu))
    for name, pids in (
        ("links", process.links),
        ("monitors", process.monitors),
        ("monitored by", process.monitored_by),
    ):
        if pids:
            yield name, Text(", ".join(f"<{pid}>" for pid in pids), style="cyan")


def _handled(process: ProcessView) -> Text:
    rate = "" if process.rate is None else f", {per_second(process.rate)} per second"
    return Text(f"{number(process.handled)}{rate}")


def _waiting(process: ProcessView) -> Text:
    oldest = "" if process.oldest is None else f", the oldest for {seconds(process.oldest)}"
    return Text(f"{number(process.mailbox)}{oldest}")


def _in_hand(process: ProcessView) -> Text:
    if process.handling is None:
        return line(None)
    since = "" if process.busy is None else f", for {seconds(process.busy)}"
    return line(process.handling) + Text(since)


def _section(title: str, texts: Sequence[str]) -> list[RenderableType]:
    if not texts:
        return []
    return [
        Text(),
        Text(title, style="bold"),
        *(Padding(lines(text), (0, 0, 0, 2)) for text in texts),
    ]


def stack_screen(stack: StackView) -> RenderableType:
    """What the loop does now: who has it, in which handler, on which lines."""
    turned = Text(f"the loop last turned {seconds(stack.turned)} ago", style="dim")
    if stack.behaviour is None:
        who = Text("no process has the loop")
    else:
        pid = "" if stack.pid is None else f" <{stack.pid}>"
        who = line(stack.name or stack.behaviour, "bold") + Text(pid, style="cyan")
        if stack.name is not None:
            who += line(f"  {stack.behaviour}")
    if stack.handler is not None:
        who += line(f"  in {stack.handler}", "yellow")
    return Group(who, turned, *(Padding(line(frame), (0, 0, 0, 2)) for frame in stack.frames))


def crashes_screen(crashes: Sequence[CrashView]) -> RenderableType:
    """The last crashes, each with its traceback, newest last."""
    if not crashes:
        return Text("no crashes")
    parts: list[RenderableType] = []
    for crash in crashes:
        parts += [Text()] if parts else []
        parts.append(_crash_line(crash))
        if crash.last_message is not None:
            parts.append(line(f"  on {crash.last_message}"))
        if crash.ancestors:
            parts.append(line(f"  below {', '.join(crash.ancestors)}", "dim"))
        if crash.then is not None:
            parts.append(line(f"  then {crash.then}", "yellow"))
        parts.append(Padding(lines(crash.traceback.rstrip(), "dim"), (0, 0, 0, 4)))
    return Group(*parts)


def _crash_line(crash: CrashView) -> Text:
    return (
        Text(f"{moment(crash.at)}  ")
        + line(crash.name or crash.behaviour, "bold")
        + Text(f" <{crash.pid}>  ", style="cyan")
        + line(crash.reason, "red")
    )
