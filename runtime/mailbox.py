"""A mailbox: a deque with one reader, an optional limit, and selective receive.

The choice: a plain deque instead of a Trio channel. Putting never blocks and costs a tenth of a
channel's send; waking the reader is the process's business. The cost: nothing here protects
against a second reader or a foreign thread, so ``process`` does. A limit counts only what users
send: system messages (``Exit``, ``Down``, timers of the runtime) always fit, because losing one of
those would lose a death.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import islice
from typing import Final, Literal, TypeAlias, get_args

import msgspec

from runtime.messages import Envelope, SystemCast, SystemInfo

MailboxPolicy: TypeAlias = Literal["raise", "drop_newest", "drop_oldest"]
"""What a full mailbox does with one message more."""


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


_EMPTY: Final[deque[object]] = deque(maxlen=0)  # nobody's, so that nobody can put anything in


class Mailbox:
    """The waiting messages of one process, oldest first. Only ``put`` adds to ``items``."""

    __slots__ = ("dropped", "evicted", "items", "limit", "system")

    def __init__(self, limit: MailboxLimit | None) -> None:
        self.items = _EMPTY  # a deque is larger than all the rest of an idle process
        self.limit = limit
        self.dropped = 0
        self.evicted = 0  # how many were taken out other than to be handled, so far
        self.system = 0  # at most so many of the waiting messages are the runtime's own

    def __len__(self) -> int:
        return len(self.items)

    def put(self, message: object) -> None:
        """Put a message in."""
        if self.items is _EMPTY:
            self.items = deque((message,))
        else:
            self.items.append(message)

    def rest(self) -> None:
        """The reader goes to sleep; an empty deque is given back meanwhile."""
        if not self.items:
            self.items = _EMPTY

    def clear(self) -> None:
        """The reader has ended."""
        self.items = _EMPTY

    @property
    def full(self) -> bool:
        """Whether one more message of a user is over the limit; only those count."""
        if self.limit is None or len(self.items) < self.limit.length:
            return False
        if self.system == 0:
            return True
        users = sum(map(is_droppable, self.items))
        self.system = len(self.items) - users
        return users >= self.limit.length

    def evict_oldest(self) -> object | None:
        """Take out the oldest message of a user; ``None`` if there is none."""
        for index, item in enumerate(self.items):
            if is_droppable(item):
                return self.remove(index)
        return None

    def remove(self, index: int) -> object:
        """Take a message out behind the back of a ``receive`` that may be waiting."""
        self.evicted += 1
        return self.take(index)

    def scan(self, start: int) -> Iterator[tuple[int, object]]:
        """The messages from position ``start`` on, with their positions.

        Over a copy: whoever looks at them may cause more to arrive.
        """
        return enumerate(tuple(islice(self.items, start, None)), start)

    def take(self, index: int) -> object:
        """Remove and return the message at ``index``; the others keep their order."""
        item = self.items[index]
        del self.items[index]
        return item

    def take_item(self, index: int, item: object) -> bool:
        """Remove a message that was at ``index`` when it was scanned; whether it was there."""
        if index >= len(self.items) or self.items[index] is not item:
            index = next((at for at, one in enumerate(self.items) if one is item), -1)
        if index >= 0:
            del self.items[index]
        return index >= 0


def is_droppable(message: object) -> bool:
    """Whether a user sent it. What the runtime sends counts for no limit and is never dropped."""
    if isinstance(message, Envelope):
        return message.droppable
    return not isinstance(message, SystemInfo | SystemCast)
