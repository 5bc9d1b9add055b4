"""Where this code runs: in which node, in which process. And what leads to a process."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Hashable
from typing import TypeAlias

from trio.lowlevel import current_task, in_trio_run

from runtime.errors import NoNode, OutsideProcess
from runtime.pid import Pid
from runtime.process import Process, current_process_var, table_var
from runtime.process_table import ProcessTable


class Address(ABC):
    """Something that leads to a process: a ``Ref``."""

    __slots__ = ()

    @property
    @abstractmethod
    def incarnation(self) -> Pid | None:
        """The pid it stays with; ``None`` if it is looked up at each use."""

    @property
    def name(self) -> str | None:
        """The name by which it is looked up at each use, if that is how."""
        return None

    @abstractmethod
    def find(self) -> Process | None:
        """The process it leads to now, if it is alive."""


class ViaName(Address):
    """An address that a process can also be started under: see ``via``."""

    __slots__ = ()

    @property
    @abstractmethod
    def key(self) -> Hashable:
        """What the process is found by in its directory."""

    @abstractmethod
    def claim(self, process: Process) -> None:
        """Give the name to a process that is about to start; a ``StartError`` if that cannot be."""


Target: TypeAlias = Pid | Address


def current_table() -> ProcessTable[Process]:
    """The table of the node this code runs in."""
    try:
        return table_var.get()
    except LookupError:
        raise NoNode(
            "no node is open in this trio.run: use open_supervisor(...) or open_node() around it"
        ) from None
    except RuntimeError:
        raise NoNode(
            "called outside trio.run; from a worker thread "
            "use trio.from_thread.run or trio.from_thread.run_sync"
        ) from None


def node_is_open() -> bool:
    """Whether this ``trio.run`` has a node."""
    try:
        table_var.get()
    except LookupError:
        return False
    except RuntimeError:
        raise NoNode("called outside trio.run: a node and its trees live in one trio.run") from None
    return True


def current_process() -> Process | None:
    """The process this code runs in, helper tasks and threads of it included."""
    process = current_process_var.get(None)
    if process is None or process.status == "ended":
        return None
    if process.table.thread != threading.get_ident() and in_trio_run():
        return None  # another run, in a worker thread of that process
    return process


def require_process(what: str, *, own_task: bool = False) -> Process:
    """The current process, or an error that says what needs one."""
    process = current_process()
    if process is None:
        raise OutsideProcess(f"{what} needs a process: it was called from a plain Trio task")
    process.check_thread()
    if own_task and current_task() is not process.task:
        raise OutsideProcess(
            f"{what} was called in a helper task of {process.pid!r}: "
            "a mailbox has one reader, the process's own task"
        )
    return process


def incarnation(target: Target) -> Pid | None:
    """The pid a target stays with; ``None`` for a name."""
    return target if isinstance(target, Pid) else target.incarnation


def find_process(target: Target) -> Process | None:
    """The live process ``target`` leads to."""
    if isinstance(target, Pid):
        return current_table().by_pid.get(target)
    if isinstance(target, Address):
        return target.find()
    raise TypeError(f"target: got {target!r}, allowed are a Pid and a Ref such as named('x')")
