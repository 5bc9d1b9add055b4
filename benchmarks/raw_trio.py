"""What one would write with Trio alone, as well as it can be done: a mailbox and a reply.

A deque and ``wait_task_rescheduled``; who is cancelled is safe. There are no time-outs, names,
links or reports, and a server that is never idle lets nobody else run.
"""

from __future__ import annotations

from collections import deque
from typing import Generic, TypeVar

import trio
from trio.lowlevel import Abort, Task, current_task, reschedule, wait_task_rescheduled

T = TypeVar("T")


class Inbox(Generic[T]):
    """Anybody puts, one task takes."""

    __slots__ = ("_parked", "items")

    def __init__(self) -> None:
        self.items: deque[T] = deque()
        self._parked: Task | None = None

    def put(self, item: T) -> None:
        self.items.append(item)
        task = self._parked
        if task is not None:
            self._parked = None
            reschedule(task)

    async def take(self) -> T:
        while not self.items:
            self._parked = current_task()
            await wait_task_rescheduled(self._abort)
        return self.items.popleft()

    def _abort(self, _raise_cancel: object) -> Abort:
        self._parked = None
        return Abort.SUCCEEDED


class Asked:
    """A request, and the task that waits for its reply."""

    __slots__ = ("request", "task", "value")

    def __init__(self, request: object) -> None:
        self.request = request
        self.value: object = None
        self.task: Task | None = current_task()

    def reply(self, value: object) -> None:
        task = self.task
        if task is not None:
            self.task = None
            self.value = value
            reschedule(task)

    def abort(self, _raise_cancel: object) -> Abort:
        self.task = None
        return Abort.SUCCEEDED


async def ask(inbox: Inbox[object], request: object) -> object:
    """Send a request and wait for the reply."""
    asked = Asked(request)
    inbox.put(asked)
    await wait_task_rescheduled(asked.abort)
    return asked.value


async def echo(inbox: Inbox[object]) -> None:
    """A server that answers every request with itself, and counts what else arrives."""
    while True:
        item = await inbox.take()
        if isinstance(item, Asked):
            item.reply(item.request)


class Countdown:
    """One task waits until something has happened so many times."""

    __slots__ = ("_left", "_task")

    def __init__(self, count: int) -> None:
        self._left = count
        self._task: Task | None = None

    def down(self) -> None:
        self._left -= 1
        if self._left == 0 and self._task is not None:
            reschedule(self._task)

    async def zero(self) -> None:
        """At least one checkpoint, as everything that waits has."""
        if self._left > 0:
            self._task = current_task()
            await wait_task_rescheduled(lambda _: Abort.SUCCEEDED)
        else:
            await trio.lowlevel.checkpoint()
