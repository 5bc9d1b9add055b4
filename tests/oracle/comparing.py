"""What Elixir printed, and what is expected here: the same, but for the differences that are named.

``elixir/NAME.out`` is what Elixir printed. A trace that differs has ``differences/NAME.diff``: that
whole text with two characters before each line, ``- `` for one that is not printed here, ``+ `` for
one that is printed here instead or besides, two spaces for one that both print. Before each group
of marked lines stands ``# differs: `` with the first cell of the row of "Differences from OTP" in
``docs/semantics.md`` that says why; more lines with ``# `` may explain. Where both print the same
lines of several processes in another order, which nothing here decides, it is ``# swaps: `` with
the reason; the first word of a line is its process, and each process has an order of its own.
"""

from __future__ import annotations

import itertools
from pathlib import Path

import msgspec

from tests.conformance.verdicts import verdicts_under

HERE = Path(__file__).parent
ELIXIR = HERE / "elixir"
DIFFERENCES = HERE / "differences"

DIFFERS = "differs: "
SWAPS = "swaps: "


class Difference(msgspec.Struct, frozen=True):
    """Some lines in one place, and why they differ."""

    why: str
    """The first cell of the row in ``docs/semantics.md``."""
    theirs: tuple[str, ...]
    ours: tuple[str, ...]
    swaps: bool = False
    """Whether they are the same lines."""


class Expected(msgspec.Struct, frozen=True):
    """The lines of one trace."""

    theirs: tuple[str, ...]
    ours: tuple[str, ...]
    differences: tuple[Difference, ...]


def names() -> list[str]:
    """Every trace there is, in order."""
    return sorted(path.stem for path in ELIXIR.glob("*.out"))


def printed_by_elixir(name: str) -> tuple[str, ...]:
    """What is stored as Elixir's."""
    return tuple((ELIXIR / f"{name}.out").read_text().splitlines())


def expected(name: str) -> Expected:
    """What a trace must print here."""
    path = DIFFERENCES / f"{name}.diff"
    if path.exists():
        return read(path.read_text())
    lines = printed_by_elixir(name)
    return Expected(lines, lines, ())


def read(text: str) -> Expected:
    """The lines of a ``.diff``; a ``ValueError`` says what is wrong with it."""
    theirs: list[str] = []
    ours: list[str] = []
    differences: list[Difference] = []
    marked = [(line[:2], line[2:]) for line in text.splitlines()]
    for is_common, group in itertools.groupby(marked, key=lambda one: one[0] == "  "):
        if is_common:
            common = [line for _, line in group]
            theirs += common
            ours += common
            continue
        for difference in read_differences(list(group)):
            theirs += difference.theirs
            ours += difference.ours
            differences.append(difference)
    return Expected(tuple(theirs), tuple(ours), tuple(differences))


def read_differences(lines: list[tuple[str, str]]) -> list[Difference]:
    """The differences that follow one another without a common line between."""
    unknown = [mark + line for mark, line in lines if mark not in ("# ", "- ", "+ ")]
    if unknown:
        raise ValueError(f"a line begins with '  ', '# ', '- ' or '+ ', not like {unknown[0]!r}")
    found: list[Difference] = []
    runs = [list(run) for _, run in itertools.groupby(lines, key=lambda one: one[0] == "# ")]
    for comment, changed in itertools.zip_longest(runs[::2], runs[1::2], fillvalue=lines[:0]):
        swaps = comment[0][1].startswith(SWAPS)
        why = comment[0][1].removeprefix(SWAPS if swaps else DIFFERS)
        if comment[0][0] != "# " or why == comment[0][1]:
            raise ValueError(f"'# {DIFFERS}...' must stand before {comment[0]!r}")
        if not changed:
            raise ValueError(f"no line differs after {comment[-1][1]!r}")
        theirs = tuple(line for mark, line in changed if mark == "- ")
        ours = tuple(line for mark, line in changed if mark == "+ ")
        if swaps and by_process(theirs) != by_process(ours):
            raise ValueError(f"after {comment[-1][1]!r} more differs than who comes first")
        found.append(Difference(why, theirs, ours, swaps))
    return found


def by_process(lines: tuple[str, ...]) -> dict[str, list[str]]:
    """The lines of each process, in order."""
    found: dict[str, list[str]] = {}
    for line in lines:
        found.setdefault(line.partition(" ")[0], []).append(line)
    return found


def reasons() -> set[str]:
    """The first cell of every row of "Differences from OTP"."""
    return {one.about for one in verdicts_under("Differences from OTP")}


# ---------------------------------------------------------------------- for people


def summary() -> str:
    """How much differs, in one line."""
    traces = [expected(name) for name in names()]
    lines = sum(len(trace.theirs) for trace in traces)
    differing = [one for trace in traces for one in trace.differences if not one.swaps]
    missing = sum(len(one.theirs) for one in differing)
    other = sum(len(one.ours) for one in differing)
    return (
        f"oracle: {lines - missing} of Elixir's {lines} lines in {len(traces)} traces are printed "
        f"here, and {other} others"
    )


def table() -> str:
    """Every line that differs, with why."""
    lines: list[str] = []
    for name in names():
        for one in expected(name).differences:
            lines.append(f"{name}: {one.why}")
            if one.swaps:
                lines += [f"    ~ {line}" for line in one.ours]
                continue
            lines += [f"    - {line}" for line in one.theirs]
            lines += [f"    + {line}" for line in one.ours]
    return "\n".join([*lines, "", summary()])
