"""Who holds which message that is not acknowledged yet.

A message is held from the moment its source emits it until it is acknowledged; when its holder ends
before that, it is given back to its acknowledger. The custodian, a process, does the giving back.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from runtime import Pid
from supervisors.pipeline.message import Message


class Custody:
    """The messages under way in one pipeline."""

    def admit(self, messages: Sequence[Message[Any]], holder: Pid) -> None:
        """A source emits these, after ``transform``, before they are buffered: ``holder`` has them.

        ``ValueError`` for a message that was emitted before; ``message.anew()`` can be.
        """
        raise NotImplementedError

    def move(self, messages: Iterable[Message[Any]], holder: Pid) -> None:
        """They are delivered: ``holder`` has them now. If it has ended they are given back."""
        raise NotImplementedError

    def is_open(self, message: Message[Any]) -> bool:
        """Whether it is still to be acknowledged: not so after ``ack_immediately``."""
        raise NotImplementedError
