"""Numbers, times and foreign texts, as a screen shows them."""

from __future__ import annotations

from datetime import datetime

from rich.text import Text

from runtime.inspection.views import ProcessView

NOTHING = "-"
"""What is not known, or not there."""


def seconds(span: float | None) -> str:
    """``250 ms``, ``12.3 s``, ``4m05``, ``3h20``, ``5d04h``."""
    if span is None:
        return NOTHING
    if span < 0.9995:
        return f"{span * 1000:.0f} ms"
    if span < 59.95:
        return f"{span:.1f} s"
    whole = round(span)
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02}"
    minutes = whole // 60
    if minutes < 24 * 60:
        return f"{minutes // 60}h{minutes % 60:02}"
    hours = minutes // 60
    return f"{hours // 24}d{hours % 24:02}h"


def number(value: int) -> str:
    """``12,345``."""
    return f"{value:,}"


def per_second(rate: float | None) -> str:
    """Messages per second: exact while they are few."""
    if rate is None:
        return NOTHING
    return f"{rate:,.0f}" if rate >= 99.95 else f"{rate:.1f}"


def share(part: float | None) -> str:
    """A share of one core: ``12.5 %``."""
    return NOTHING if part is None else f"{part * 100:.1f} %"


def moment(at: float) -> str:
    """A Unix time, on the clock of who looks."""
    return datetime.fromtimestamp(at).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def line(text: str | None, style: str = "") -> Text:
    """A foreign text in one line, with nothing in it that a terminal would obey.

    The style is of these words alone, not of what is added to them.
    """
    if text is None:
        return Text.assemble((NOTHING, "dim"))
    return Text.assemble(("".join(_harmless(char) for char in text), style))


def lines(text: str, style: str = "") -> Text:
    """A foreign text as it stands, but for what a terminal would obey."""
    return Text("\n".join(str(line(one)) for one in text.splitlines()), style=style)


def harmless(text: str) -> str:
    """A foreign text for a terminal, with its line ends and tabs."""
    return "".join(char if char in "\n\t" else _harmless(char) for char in text)


def _harmless(char: str) -> str:
    if char == "\t":
        return "    "
    return char if char.isprintable() else "\N{REPLACEMENT CHARACTER}"


def title_of(process: ProcessView) -> str:
    """What a process is called: its name, else its label, else what it is made of."""
    return process.name or process.label or process.behaviour
