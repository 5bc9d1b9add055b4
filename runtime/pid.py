"""The identity of one incarnation of a process. OTP: ``pid()``."""

from __future__ import annotations


class Pid:
    """Names one incarnation of a process: a restarted process has a new one.

    A pid is only an identity. It stays valid as a key, in a set or in a log line after the process
    has ended; asking anything of a dead pid answers as OTP does for one. Two pids are equal only if
    they are the same object, so pids of two ``trio.run`` calls never meet.
    """

    __slots__ = ("__weakref__", "label", "number")

    def __init__(self, number: int, label: str) -> None:
        self.number = number
        self.label = label

    def __repr__(self) -> str:
        return f"<Pid {self.number} {self.label}>"
