"""Where a node's code is: what its loop does now, and where a process sleeps.

What the loop does can be asked from any thread, also while the loop is stuck, so nothing here waits
for it. It is read off the stack of the loop's thread: the innermost frame that belongs to a process
tells whose code runs, what stands inside of it is that code. Frames of the runtime and of Trio are
left out, and local variables are not shown.
"""

from __future__ import annotations

import inspect
import os
import sys
import sysconfig
from collections.abc import Iterable
from types import CodeType, FrameType
from typing import Final

import msgspec
import trio
from trio.lowlevel import Task

from runtime import _trio
from runtime.console.frames import StackView
from runtime.inline_calls import call_inline
from runtime.process import Process, current_process_var
from runtime.process_table import ProcessTable
from runtime.tracebacks import OWN_FILES

_NOT_THE_USERS: Final = (*OWN_FILES, os.path.join(os.path.dirname(inspect.getfile(trio)), ""))
_LIBRARY: Final = os.path.join(sysconfig.get_path("stdlib"), "")
_INSTALLED: Final = os.path.join(sysconfig.get_path("purelib"), "")

# In whose frames a process is a local variable; that of ``Process.run`` lives too long to be asked.
_HOLDS: Final[dict[CodeType, str]] = {
    call_inline.__code__: "server",
    Process.launch.__code__: "self",
}
_RUN: Final = Process.run.__code__


class Place(msgspec.Struct, frozen=True):
    """One frame."""

    file: str
    line: int
    function: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line} {self.function}"


class Doing(msgspec.Struct, frozen=True):
    """What the thread of the loop does: for which process, and where, innermost last."""

    process: Process | None
    places: tuple[Place, ...]

    @property
    def handler(self) -> str | None:
        """The outermost function of the user's: what the process was told to do."""
        return self.places[0].function if self.places else None

    @property
    def line(self) -> str | None:
        """Where it is, as ``file:line``; in the user's own code, if that has called a library."""
        own = [place for place in self.places if not _is_library(place.file)]
        last = (own or self.places)[-1:]
        return f"{last[0].file}:{last[0].line}" if last else None


def what_runs(table: ProcessTable[Process]) -> Doing:
    """What the loop does at this moment. From any thread."""
    frame = sys._current_frames().get(table.thread)
    inner: list[FrameType] = []
    while frame is not None and not _trio.is_loop(frame):
        if frame.f_code is _RUN:
            return _doing(_owner(table, frame), inner)
        if (variable := _HOLDS.get(frame.f_code)) is not None:
            return _doing(frame.f_locals.get(variable), inner)
        inner.append(frame)
        frame = frame.f_back
    places = _places((one, one.f_lineno) for one in reversed(inner))
    if frame is None or not places:
        return Doing(None, ())  # it waits, or there is no loop any more
    return Doing(_owner(table, inner[-1]), places)


def stack_of_loop(table: ProcessTable[Process]) -> StackView:
    """What the loop does at this moment, as plain values. From any thread.

    ``turned`` counts from the last time that anybody asked and got no answer: the watchdog, or the
    call before this one.
    """
    doing, turned = what_runs(table), table.pulse.late()
    table.pulse.ask()
    process = doing.process
    return StackView(
        pid=None if process is None else process.pid.number,
        behaviour=None if process is None else behaviour_of(process),
        name=None if process is None else process.name,
        handler=doing.handler,
        frames=tuple(map(str, doing.places)),
        turned=turned,
    )


def stack_of(process: Process) -> tuple[str, ...]:
    """Where a process sleeps: the user's part of its stack, innermost last. In the loop's thread.

    Empty for a server that waits for messages, and for what has ended.
    """
    if process.task is None:
        return ()
    frames = process.task.iter_await_frames()
    return tuple(str(_place(*frame)) for frame in frames if _is_users(frame[0]))


def behaviour_of(process: Process) -> str:
    """What kind of process it is: the name of its class, or of its function."""
    server: object = getattr(process.body, "server", None)
    return process.pid.label if server is None else type(server).__name__


def _doing(process: Process | None, inner: list[FrameType]) -> Doing:
    """If there is nothing of the user's it is the runtime that works for the process."""
    walk = [(one, one.f_lineno) for one in reversed(inner)]
    return Doing(process, _places(walk) or tuple(_place(*one) for one in walk))


def _places(walk: Iterable[tuple[FrameType, int]]) -> tuple[Place, ...]:
    return tuple(_place(*one) for one in walk if _is_users(one[0]))


def _place(frame: FrameType, line: int) -> Place:
    code = frame.f_code
    return Place(code.co_filename, line or code.co_firstlineno, code.co_qualname)


def _is_users(frame: FrameType) -> bool:
    return not frame.f_code.co_filename.startswith(_NOT_THE_USERS)


def _is_library(file: str) -> bool:
    return file.startswith((_LIBRARY, _INSTALLED, "<frozen "))


def _owner(table: ProcessTable[Process], outermost: FrameType) -> Process | None:
    """The process whose task, or helper task, has this frame as its first.

    Found by the tasks: to ask the frame itself would keep what it holds for as long as it lives.
    """
    nursery = table.nursery if table.opened.is_set() else None
    left: list[Task] = [] if nursery is None else list(nursery.child_tasks)
    while left:
        task = left.pop()
        if getattr(task.coro, "cr_frame", None) is outermost:
            return task.context.get(current_process_var)
        for inside in task.child_nurseries:
            left.extend(inside.child_tasks)
    return None
