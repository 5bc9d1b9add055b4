"""The BEAM beside us: one program for the whole run, asked for one figure at a time.

``elixir/_serve.exs`` reads what to measure, a line each, and answers with a line for each row.
"""

from __future__ import annotations

import shutil
import subprocess
from functools import partial
from pathlib import Path

from benchmarks.effort import Effort, Values
from benchmarks.figure import ELIXIR, Contender

FOLDER = Path(__file__).parent / "elixir"
_DONE = "done"


def is_installed() -> bool:
    """Whether there is an Elixir."""
    return shutil.which("elixir") is not None


def version() -> str:
    """Of Elixir and what it runs on."""
    asked = "IO.puts [System.version(), ?\\s, System.otp_release(), ?\\s, "
    asked += "to_string(:erlang.system_info(:emu_flavor))]"
    done = subprocess.run(["elixir", "-e", asked], stdout=subprocess.PIPE, text=True, check=True)
    elixir, otp, flavor = done.stdout.split()
    return f"{elixir} on OTP {otp} ({flavor})"


class Beam:
    """Started when it is first needed."""

    def __init__(self, *command: str) -> None:
        self._command = command
        self._program: subprocess.Popen[str] | None = None

    def measure(self, subject: str, figure: str, effort: Effort) -> Values:
        """What the function of that name in ``elixir/<subject>.exs`` measures."""
        if self._program is None:
            self._program = subprocess.Popen(
                self._command,
                cwd=FOLDER, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            )  # fmt: skip
        asked, answer = self._program.stdin, self._program.stdout
        assert asked is not None
        assert answer is not None
        asked.write(f"{subject} {figure} {effort.seconds:f} {effort.share:f}\n")
        asked.flush()
        lines: list[str] = []
        for line in answer:
            if line.strip() == _DONE:
                return values_in(lines)
            lines.append(line)
        raise RuntimeError(f"Elixir ended while it measured {figure}: {''.join(lines)}")

    def close(self) -> None:
        """The end of its input is the end of it."""
        if self._program is not None:
            self._program.communicate()
            self._program = None


def values_in(lines: list[str]) -> Values:
    """The rows it printed: a number, and what is left of the line is the name of the row."""
    values: dict[str, float] = {}
    for line in lines:
        number, _, row = line.strip().partition(" ")
        values[row] = float(number)
    return values


BEAM = Beam("elixir", "_serve.exs")


def elixir(subject: str, figure: str) -> Contender:
    """Elixir as a contender."""
    return Contender(ELIXIR, partial(BEAM.measure, subject, figure))
