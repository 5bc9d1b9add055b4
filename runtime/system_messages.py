"""What the runtime itself says to a server: seen also by one that is suspended. OTP: ``:sys``."""

from __future__ import annotations

from runtime.messages import Exit
from runtime.pending_calls import PendingCall
from runtime.process import Process


def take_system(process: Process) -> object | None:
    """The first message in the mailbox that the runtime sent, taken out; ``None`` if none is."""
    for index, item in process.mailbox.scan(0):
        if _is_system(process, item):
            return process.mailbox.take(index)
    return None


def is_parents_exit(process: Process, message: object) -> bool:
    """Whether the parent of a server that traps exits tells it to end."""
    if not isinstance(message, Exit) or message.pid is None:
        return False
    return message.pid is process.parent or message.pid is process.table.owner


def _is_system(process: Process, item: object) -> bool:
    if isinstance(item, PendingCall):
        return not item.droppable
    return is_parents_exit(process, item)
