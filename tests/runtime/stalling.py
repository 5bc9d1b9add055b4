"""What the tests of a loop that stands still share: looking at it from another thread."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from runtime.process import Process, table_var
from runtime.process_table import ProcessTable
from runtime.watchdogs.stacks import Doing, what_runs

T = TypeVar("T")


def elsewhere(fn: Callable[[], T]) -> T:
    """What ``fn`` returns in another thread, while this one stands still."""
    results: list[T] = []
    thread = threading.Thread(target=lambda: results.append(fn()))
    thread.start()
    thread.join()
    (result,) = results
    return result


def seen() -> Doing:
    """What another thread sees of this one."""
    table: ProcessTable[Process] = table_var.get()
    return elsewhere(lambda: what_runs(table))
