"""Exit signals, links and monitors, as the functions users call. OTP: the ``Process`` module."""

from __future__ import annotations

import trio
from trio.lowlevel import enable_ki_protection

from runtime.current import Target, current_process, find_process, incarnation, require_process
from runtime.errors import ProcessNotFound
from runtime.exits import NO_PROCESS, ExitReason, check_reason
from runtime.messages import Down, Exit, MonitorRef
from runtime.pid import Pid
from runtime.waiting import wait_ended


def self_() -> Pid:
    """The pid of the process this code runs in, helper tasks included. OTP: ``self()``."""
    return require_process("self_()").pid


def is_alive(target: Target) -> bool:
    """Whether there is such a process and it has not ended. OTP: ``Process.alive?``."""
    return find_process(target) is not None


def exit(target: Target, reason: ExitReason) -> None:
    """Send an exit signal. OTP: ``Process.exit/2``.

    A process that traps exits gets ``Exit(sender, reason)``; any other ends with ``reason``,
    except for ``Normal()``, which is ignored unless it comes from the process itself. A dead
    target is no error. To end the calling process, raise ``ProcessExit(reason)``.
    """
    check_reason("reason", reason)
    process = find_process(target)
    if process is not None:
        sender = current_process()
        process.signal(None if sender is None else sender.pid, reason)


def kill(target: Target) -> None:
    """End a process with ``Killed()``, whether it traps exits or not. OTP: ``exit(pid, :kill)``.

    Its ``terminate`` does not run; ``finally`` blocks and context managers do. What shields itself
    from cancellation is waited for.
    """
    process = find_process(target)
    if process is not None:
        process.kill()


def trap_exits(trap: bool = True) -> bool:
    """Get exit signals as ``Exit`` messages from now on; returns the previous setting.

    OTP: ``Process.flag(:trap_exit, trap)``.
    """
    if not isinstance(trap, bool):
        raise TypeError(f"trap: got {trap!r}, allowed are True and False")
    process = require_process("trap_exits")
    previous, process.trap = process.trap, "all" if trap else "no"
    return previous != "no"


@enable_ki_protection
def link(target: Target) -> None:
    """Link the calling process: when one ends abnormally, the other does. OTP: ``Process.link``.

    A second link changes nothing. If ``target`` is dead, a process that traps exits gets
    ``Exit(pid, NoProcess())``, any other a ``ProcessNotFound``.
    """
    me = require_process("link")
    other = find_process(target)
    if other is me:
        return
    if other is not None:
        me.links.link(other)
        other.links.link(me)
    elif me.trap != "no":
        me.post_system(Exit(incarnation(target), NO_PROCESS))
    else:
        raise ProcessNotFound(target)


@enable_ki_protection
def unlink(target: Target) -> None:
    """Remove the link, if there is one. An ``Exit`` already in the mailbox stays there."""
    me = require_process("unlink")
    other = find_process(target)
    if other is not None and me.links.unlink(other):
        other.links.unlink(me)


@enable_ki_protection
def monitor(target: Target) -> MonitorRef:
    """Get one ``Down`` when ``target`` ends; at once if it is dead. OTP: ``Process.monitor``.

    By name it watches the process that holds the name now, not its successors.
    """
    me = require_process("monitor")
    other = find_process(target)
    ref = MonitorRef()
    name = None if isinstance(target, Pid) else target.name
    if other is None:
        me.post_system(Down(ref, incarnation(target), NO_PROCESS, name))
    else:
        me.links.watch(ref, other)
        other.links.watched(ref, me, name)
    return ref


@enable_ki_protection
def demonitor(ref: MonitorRef, *, flush: bool = False) -> bool:
    """Call a monitor off; whether it was still active. OTP: ``Process.demonitor``.

    A ``Down`` that is already in the mailbox stays, unless ``flush`` takes it out.
    """
    if not isinstance(ref, MonitorRef):
        raise TypeError(f"ref: got {ref!r}, allowed is what monitor() returned")
    me = require_process("demonitor")
    other = me.links.unwatch(ref)
    if other is not None:
        other.links.unwatched(ref)
    elif flush:
        for index, item in me.mailbox.scan(0):
            if isinstance(item, Down) and item.ref is ref:
                me.mailbox.remove(index)
                break
    return other is not None


async def wait_exit(target: Target) -> ExitReason:
    """Wait until the process has ended and return why; ``NoProcess()`` if it is dead already.

    For plain Trio tasks, which have no mailbox for a ``Down``; works in a process too. Cancelling
    only gives up the wait.
    """
    process = find_process(target)
    if process is None:
        await trio.lowlevel.checkpoint()  # a loop round it must not freeze the program
        return NO_PROCESS
    return await wait_ended(process)
