"""A run: what was measured, on what, with how much effort; fresh, or read from a file."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import trio

from benchmarks.figure import Figure, Subject
from benchmarks.rounds import Samples

Result: TypeAlias = tuple[Subject, Figure, Samples]
Machine: TypeAlias = Mapping[str, str | int | float]


@dataclass(frozen=True, slots=True)
class Run:
    """``rounds`` at most; ``seconds`` and ``share`` as in ``Effort``."""

    machine: Machine
    rounds: int
    seconds: float
    share: float
    results: Sequence[Result]

    def samples_of(self, name: str) -> Samples | None:
        """What was measured of the figure of that name, if it was."""
        for _, figure, samples in self.results:
            if figure.name == name:
                return samples
        return None


def machine(elixir: str) -> Machine:
    """What it ran on, without its name."""
    return {
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "trio": trio.__version__,
        "elixir": elixir,
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count() or 1,
        "switch interval": sys.getswitchinterval(),
    }
