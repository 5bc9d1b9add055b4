"""What the rows of SYS share: a look into the mailbox, the dead, a process that looks."""

from __future__ import annotations

import trio

from runtime import Pid, Ref, kill, spawn, start, wait_exit
from tests.support import Do, Note, Scripted


async def dead() -> Pid:
    """A process that was there."""
    pid = spawn(trio.sleep_forever)
    kill(pid)
    await wait_exit(pid)
    return pid


async def scripted(log: list[object]) -> Ref:
    """A server that writes down what it is told."""
    return await start(Scripted.child_spec(log))


def noting(server: Ref, text: str) -> None:
    """Let the server write this down, by a message that is no call."""
    server.send(Note(text=text))


def busy_for(server: Ref, seconds: float) -> None:
    """Keep the server from its mailbox for so long."""

    async def work(_server: Scripted) -> None:
        await trio.sleep(seconds)

    server.cast(Do(work))
