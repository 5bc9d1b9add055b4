"""Who waits for news of a file in this program, in any thread, and telling them at once.

Other programs are not reached: their readers find what is new when they look the next time.
"""

from __future__ import annotations

import os
import threading
from collections import defaultdict
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path

import trio

_lock = threading.Lock()
_watchers: defaultdict[str, list[tuple[trio.lowlevel.TrioToken, Callable[[], object]]]] = (
    defaultdict(list)
)


@contextmanager
def woken_by(path: str | Path, callback: Callable[[], object]) -> Generator[None]:
    """In the block ``callback`` runs in this run of Trio soon after each ``wake(path)``."""
    key = os.path.realpath(path)
    watcher = trio.lowlevel.current_trio_token(), callback
    with _lock:
        _watchers[key].append(watcher)
    try:
        yield
    finally:
        with _lock:
            _watchers[key].remove(watcher)
            if not _watchers[key]:
                del _watchers[key]


def wake(path: str | Path) -> None:
    """Tell whoever waits for news of this file. From any thread."""
    with _lock:
        watchers = tuple(_watchers.get(os.path.realpath(path), ()))
    for token, callback in watchers:
        with suppress(trio.RunFinishedError):
            token.run_sync_soon(callback, idempotent=True)
