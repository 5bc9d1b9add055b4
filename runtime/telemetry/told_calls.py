"""Telling the instruments of a call: how it ended, and after how long.

A call that nobody wants to hear of never comes here, and is not asked about it on its shortest way:
the table has no ``quiet_turn`` while somebody does.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from threading import get_ident

import trio
from trio.lowlevel import enable_ki_protection

from runtime.current import current_table, node_is_open
from runtime.errors import CallCycle, CallExit, CallTimeout, MailboxFull, ReplyDropped
from runtime.instruments import CallEnded
from runtime.messages import SystemCall
from runtime.process import Process
from runtime.process_table import ProcessTable


@enable_ki_protection
async def tell_of_call(
    server: Process | None, request: object, make: Callable[[], Awaitable[object]]
) -> object:
    """What the call returns or raises, told to whoever wants to hear of it."""
    table = _listening(server)
    if table is None or isinstance(request, SystemCall):
        return await make()
    began, outcome = table.now(), ""
    try:
        reply = await make()
        outcome = "reply"
        return reply
    finally:
        table.instruments.emit(
            CallEnded(
                None if server is None else server.pid,
                type(request).__name__,
                table.now() - began,
                outcome or _outcome_of(sys.exception()),
            )
        )


def _listening(server: Process | None) -> ProcessTable[Process] | None:
    """The node that wants to hear of a call that is made here, if it does."""
    if server is not None:
        table = server.table
    elif node_is_open():
        table = current_table()
    else:
        return None
    return table if table.tells_calls and table.thread == get_ident() else None


def _outcome_of(error: BaseException | None) -> str:
    match error:
        case CallExit():
            return "exit"
        case CallTimeout():
            return "timeout"
        case CallCycle():
            return "cycle"
        case ReplyDropped():
            return "dropped"
        case MailboxFull():
            return "full"
        case trio.Cancelled():
            return "cancelled"
        case _:
            return "error"
