"""Local names. OTP: ``Process.register``, ``unregister``, ``whereis``."""

from __future__ import annotations

from runtime.current import Target, current_table, find_process, require_process
from runtime.errors import NameTaken, ProcessNotFound
from runtime.pid import Pid
from runtime.process_table import check_name


def register(name: str, target: Target | None = None) -> None:
    """Give ``name`` to a process, by default the calling one.

    A process has one name and a name one process (``NameTaken``); a dead process cannot be
    registered (``ProcessNotFound``). The name is free before anybody hears of the holder's death.
    """
    check_name("name", name)
    process = require_process("register") if target is None else find_process(target)
    if process is None:
        raise ProcessNotFound(target)
    process.check_thread()
    table = process.table
    holder = table.by_name.get(name)
    if holder is not None:
        raise NameTaken(f"name {name!r} is held by {holder.pid!r}", name, holder.pid)
    if process.name is not None:
        raise NameTaken(
            f"{process.pid!r} is registered as {process.name!r} already", process.name, process.pid
        )
    process.name = name
    table.by_name[name] = process


def unregister(name: str) -> None:
    """Free a name; ``ProcessNotFound`` if nobody holds it. The process lives on."""
    process = current_table().by_name.pop(check_name("name", name), None)
    if process is None:
        raise ProcessNotFound(name)
    process.name = None


def whereis(name: str) -> Pid | None:
    """The pid that holds the name now, or ``None``."""
    process = current_table().by_name.get(check_name("name", name))
    return None if process is None else process.pid


def registered() -> list[str]:
    """All names in use, sorted. OTP: ``Process.registered``."""
    return sorted(current_table().by_name)
