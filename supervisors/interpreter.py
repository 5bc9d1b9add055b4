"""What a service asks of Python itself, for as long as it runs.

The choice, both by measurement (``make bench ARGS="fairness collector-20000"``): a thread that
waits for the interpreter asks for it after a tenth of a millisecond instead of five, or a loop that
is busy would keep worker threads asleep: each time it looks for I/O it lets go of the interpreter
for too short a moment to be caught, and the wait begins anew. So it must be well below the length
of a ``Turn``. And what is there when the tree has started is taken out of the sight of the garbage
collector, whose full passes otherwise stop everything for longer the more processes there are. The
cost: some per cent of a busy loop's speed while threads want to run, and what was garbage by then
and in cycles stays.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Generator
from contextlib import contextmanager

SWITCH_INTERVAL = 0.0001
"""Seconds; Python's own is 0.005."""


@contextmanager
def quick_switches() -> Generator[None]:
    """Threads get their turn soon; sooner still if that was set before."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(min(before, SWITCH_INTERVAL))
    try:
        yield
    finally:
        sys.setswitchinterval(before)


@contextmanager
def frozen() -> Generator[None]:
    """What is alive now is not looked at by the garbage collector."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
