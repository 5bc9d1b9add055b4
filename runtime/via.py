"""Names by way of a directory: a registry, or the partitions of a supervisor. OTP: ``:via``.

A directory is a server that knows processes by keys of any kind. Looking one up reads the server's
state where it is, without a message: all of it lives in one thread, and nothing awaits in between.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable

from runtime.calls import Ref
from runtime.containment import attempt, show
from runtime.current import ViaName
from runtime.errors import StartError, StartFailed
from runtime.exits import NO_PROCESS, Crashed
from runtime.handle import as_ref
from runtime.keys import check_key
from runtime.pid import Pid
from runtime.process import Process
from runtime.server_body import ServerBody


class Directory(ABC):
    """What a server must be to be reached by ``via``."""

    @abstractmethod
    def find(self, key: Hashable) -> Process | None:
        """The process of this key, if it lives."""

    @abstractmethod
    def claim(self, key: Hashable, process: Process, value: object) -> None:
        """Give the key to a process that is about to start.

        ``AlreadyStarted`` if it is taken; ``TypeError`` or ``ValueError`` if it cannot be given.
        """


class Via(ViaName, Ref):
    """The handle of whoever a directory has under a key, looked up at each use. See ``via``."""

    __slots__ = ("_directory", "_exact", "_key", "_value")

    def __init__(self, directory: str | Pid | Ref, key: Hashable, value: object = None) -> None:
        self._directory = as_ref(directory, "directory")
        self._key = key
        self._exact = check_key(key)
        self._value = value

    @property
    def key(self) -> Hashable:
        """What the process is found by in its directory."""
        return self._key

    @property
    def incarnation(self) -> Pid | None:
        """None: whoever is there at the time of use."""
        return None

    def find(self) -> Process | None:
        """The process the directory has now; nobody, if the directory itself is not there."""
        directory = self._find_directory()
        return None if directory is None else directory.find(self._key)

    def claim(self, process: Process) -> None:
        """Register ``process``, which is about to start, under the key."""
        _, error = attempt(self._claim, process)
        try:
            if error is not None and not isinstance(error, StartError):
                raise StartFailed(str(self), Crashed(error)) from error
            if error is not None:
                raise error
        finally:
            del error  # this frame is in its traceback: break the cycle

    def _claim(self, process: Process) -> None:
        directory = self._find_directory()
        if directory is None:
            raise self._no_directory()
        directory.claim(self._key, process, self._value)

    def _no_directory(self) -> StartFailed:
        error = StartFailed(str(self), NO_PROCESS)
        error.add_note(f"{self._directory!r}, which would register it, is not running")
        return error

    def _find_directory(self) -> Directory | None:
        process = self._directory.find()
        if process is None:
            return None
        process.check_thread()
        server = process.body.server if isinstance(process.body, ServerBody) else None
        if isinstance(server, Directory):
            return server
        if server is None and process.status == "starting":
            return None
        raise TypeError(
            f"directory: {process.pid!r} is none, allowed are a Registry and a PartitionSupervisor"
        )

    def __str__(self) -> str:
        directory = self._directory.name or self._directory.incarnation or self._directory
        return f"{directory}[{show(self._key)}]"

    def __repr__(self) -> str:
        return f"via({self._directory!r}, {self._key!r})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Via):
            return False
        return self._exact == other._exact and self._directory == other._directory

    def __hash__(self) -> int:
        return hash((self._directory, self._exact))


def via(directory: str | Pid | Ref, key: Hashable, value: object = None) -> Via:
    """A handle, and a name, by way of a ``Registry`` or a ``PartitionSupervisor``.

    ``await via("names", 7).call(Get())`` calls whoever is registered under 7 at that moment;
    ``Counter.child_spec().replace(name=via("names", 7))`` starts one there, with ``value`` in its
    entry. ``via("partitions", key)`` leads to the partition of ``key`` and cannot name a process.
    Where nobody is, a call raises ``CallExit``, a cast vanishes, ``send`` raises
    ``ProcessNotFound``. OTP: ``{:via, Registry, {names, 7}}``.
    """
    return Via(directory, key, value)
