"""A mailbox: a deque with one reader, an optional limit, and selective receive.

The choice: a plain deque instead of a Trio channel. Putting never blocks and costs a tenth of a
channel's send; waking the reader is the process's business. The cost: nothing here protects
against a second reader or a foreign thread, so ``process`` does. A limit counts only what users
send: system messages (``Exit``, ``Down``, timers of the runtime) always fit, because losing one of
those would lose a death.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Literal, TypeAlias, get_args

import msgspec

MailboxPolicy: TypeAlias = Literal["raise", "drop_newest", "drop_oldest"]


class MailboxLimit(msgspec.Struct, frozen=True):
    """At most ``length`` waiting messages, and what happens to one more.

    ``raise``: the sender gets ``MailboxFull``. ``drop_newest``: the new message is dropped.
    ``drop_oldest``: the oldest droppable one is. Drops are counted in ``process_info`` and
    reported. A call is never dropped silently: its caller gets ``MailboxFull``.
    """

    length: int
    policy: MailboxPolicy = "raise"

    def __post_init__(self) -> None:
        if isinstance(self.length, bool) or not isinstance(self.length, int) or self.length < 1:
            raise ValueError(f"MailboxLimit.length: got {self.length!r}, allowed is an int >= 1")
        if self.policy not in get_args(MailboxPolicy):
            raise ValueError(
                f"MailboxLimit.policy: got {self.policy!r}, "
                f"allowed are {', '.join(map(repr, get_args(MailboxPolicy)))}"
            )


class Mailbox:
    """The waiting messages of one process, oldest first."""

    __slots__ = ("dropped", "evicted", "items", "limit")

    def __init__(self, limit: MailboxLimit | None) -> None:
        self.items: deque[object] = deque()
        self.limit = limit
        self.dropped = 0
        self.evicted = 0  # how many were taken out before the end of an ongoing receive's scan

    def __len__(self) -> int:
        return len(self.items)

    @property
    def full(self) -> bool:
        """Whether one more message of a user is over the limit."""
        return self.limit is not None and len(self.items) >= self.limit.length

    def evict_oldest(self, droppable: Callable[[object], bool]) -> object | None:
        """Take out the oldest droppable message; ``None`` if there is none."""
        for index, item in enumerate(self.items):
            if droppable(item):
                del self.items[index]
                self.evicted += 1
                return item
        return None

    def scan(self, start: int) -> Iterator[tuple[int, object]]:
        """The messages from position ``start`` on, with their positions."""
        return enumerate(islice(self.items, start, None), start)

    def take(self, index: int) -> object:
        """Remove and return the message at ``index``; the others keep their order."""
        item = self.items[index]
        del self.items[index]
        return item
