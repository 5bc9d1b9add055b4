"""The cancel scope of a process: it is made when an exit signal needs one, which is mostly never.

The choice: entering a scope costs more than starting a task, and a process that nobody interrupts
has no use for one. So it is only noted what the process awaits in, and an exit signal puts the
scope round it from outside, by ``_trio.surround``. The cost: private names of Trio; without them
the scope is entered at once.
"""

from __future__ import annotations

from types import TracebackType
from typing import Self

import trio

from runtime import _trio
from runtime.process import Process


class LifeScope:
    """What exit signals cancel, from ``open`` to the end of the block.

    It is the outermost scope: what a callback enters lies inside it.
    """

    __slots__ = ("_process",)

    def __init__(self, process: Process) -> None:
        self._process = process

    def __enter__(self) -> Self:
        """Not yet open: a server with only plain functions cannot be interrupted."""
        return self

    def open(self) -> None:
        """From now on exit signals cancel what is awaited."""
        process = self._process
        if process.surroundings is not None or process.scope is not None:
            return
        assert process.task is not None
        process.surroundings = _trio.surroundings(process.task)
        if process.surroundings is None:
            process.scope = trio.CancelScope()
            process.scope.__enter__()
        if process.exiting is not None:
            process.interrupt()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> bool | None:
        """Absorb the cancellation by an exit signal."""
        process = self._process
        home, process.surroundings = process.surroundings, None
        if home is not None and process.task is not None:
            if _trio.surroundings(process.task) is home:
                return None
            process.scope = _trio.surround(process.task, home)  # to complain of what is left open
        scope = process.scope
        return None if scope is None else scope.__exit__(kind, exc, trace)
