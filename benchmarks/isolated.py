"""A measurement in an interpreter of its own: for what fills the memory, or freezes it.

``python -m benchmarks.isolated FIGURE CONTENDER SECONDS SHARE`` prints its values as JSON.
"""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import cast

from benchmarks.effort import Effort, Values
from benchmarks.figure import Figure

_ROOT = Path(__file__).parents[1]
_is_child = False


def measure_alone(figure: Figure, number: int, effort: Effort) -> Values:
    """What the contender of that number measures in another interpreter."""
    command = [
        sys.executable, "-m", __name__, figure.name, str(number), str(effort.seconds),
        str(effort.share),
    ]  # fmt: skip
    done = subprocess.run(command, cwd=_ROOT, stdout=subprocess.PIPE, text=True, check=True)
    return cast("Values", json.loads(done.stdout))


def hand_over(values: Values) -> Values:
    """The last step of a measurement that may be isolated.

    Alone, it ends the interpreter: nobody needs to wait until 100,000 processes have stopped.
    """
    if _is_child:
        print(json.dumps(values), flush=True)
        os._exit(0)
    return values


def main(arguments: list[str]) -> None:
    """Measure once."""
    from benchmarks.catalogue import figure_named  # noqa: PLC0415 - it imports all that measures

    global _is_child  # noqa: PLW0603
    _is_child = True
    name, number, seconds, share = arguments
    contender = figure_named(name).contenders[int(number)]
    gc.freeze()  # as the main program does
    hand_over(contender.measure(Effort(float(seconds), float(share))))


if __name__ == "__main__":
    main(sys.argv[1:])
