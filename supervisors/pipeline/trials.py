"""Messages that a test pushes into a running pipeline, and how it hears of their end.

Elixir: ``Broadway.test_message``, ``test_batch`` and ``CallerAcknowledger``. They pass the rate
limit, the transformer and the demand by.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Awaitable, Iterable, Mapping
from typing import Any

import msgspec
import trio

from runtime.current import find_process
from runtime.errors import ProcessNotFound
from supervisors.pipeline.line import Line
from supervisors.pipeline.message import (
    UNACKNOWLEDGED,
    Acknowledger,
    AnyMessage,
    Message,
    is_message,
)
from supervisors.pipeline.source import Pushed


class Acked(msgspec.Struct, frozen=True):
    """What was told at once of some messages, in order; each is in one of the three."""

    successful: tuple[AnyMessage, ...] = ()
    failed: tuple[AnyMessage, ...] = ()
    given_back: tuple[AnyMessage, ...] = ()

    def __len__(self) -> int:
        """How many messages it tells of."""
        return len(self.successful) + len(self.failed) + len(self.given_back)


class Trial(Acknowledger):
    """So many messages under way for a test.

    Read it once: ``async for acked in trial`` goes through the acknowledgements as they come and
    ends when every message has been told of; ``await trial.all()`` waits for them all.
    """

    def __init__(self, expected: int) -> None:
        self._missing = expected  # of which the reader has not heard
        self._told: deque[Acked] = deque()
        self._changed = trio.Event()

    @property
    def missing(self) -> int:
        """Of how many messages the reader has not heard yet."""
        return self._missing

    def ack(
        self, reference: object, successful: list[AnyMessage], failed: list[AnyMessage]
    ) -> None:
        """Some have come to an end."""
        self._tell(Acked(tuple(successful), tuple(failed)))

    def give_back(self, reference: object, messages: list[AnyMessage]) -> None:
        """Some will not."""
        self._tell(Acked(given_back=tuple(messages)))

    def _tell(self, acked: Acked) -> None:
        self._told.append(acked)
        self._changed.set()
        self._changed = trio.Event()

    def __aiter__(self) -> Trial:
        """Itself: what was read is gone."""
        return self

    async def __anext__(self) -> Acked:
        """The next acknowledgement. Cancelling loses none."""
        if self._missing <= 0 and not self._told:
            raise StopAsyncIteration
        while not self._told:
            await self._changed.wait()
        acked = self._told.popleft()
        self._missing -= len(acked)
        return acked

    async def all(self) -> Acked:
        """Wait for every message that is missing still: all that was not read yet, in one.

        Cancelling loses none.
        """
        while sum(map(len, self._told)) < self._missing:
            await self._changed.wait()
        seen = [acked async for acked in self]  # waits for nothing
        return Acked(
            tuple(message for acked in seen for message in acked.successful),
            tuple(message for acked in seen for message in acked.failed),
            tuple(message for acked in seen for message in acked.given_back),
        )


class Overheard(Acknowledger):
    """The acknowledger that a test's message has of its own, and the trial hears of it too."""

    def __init__(self, trial: Trial, own: Acknowledger) -> None:
        self._trial, self._own = trial, own

    def ack(
        self, reference: Any, successful: list[AnyMessage], failed: list[AnyMessage]
    ) -> Awaitable[None] | None:
        """Told to both."""
        good, bad = self._as_given(successful), self._as_given(failed)
        self._trial.ack(reference, good, bad)
        return self._own.ack(reference, good, bad)

    def give_back(self, reference: Any, messages: list[AnyMessage]) -> Awaitable[None] | None:
        """Told to both."""
        given = self._as_given(messages)
        self._trial.give_back(reference, given)
        return self._own.give_back(reference, given)

    def configure(self, reference: Any, receipt: Any, options: Mapping[str, object]) -> object:
        """As it likes."""
        return self._own.configure(reference, receipt, options)

    def _as_given(self, messages: list[AnyMessage]) -> list[AnyMessage]:
        return [message.with_acknowledger(self._own) for message in messages]


def push(
    line: Line, data: Iterable[object], *, flush: bool, metadata: Mapping[str, object] | None = None
) -> Trial:
    """Push one message per item into one of the producers; ``flush`` as for ``Message.flush``.

    An item that is a ``Message`` goes as it is, and its own acknowledger, if it has one, is told as
    well. ``ProcessNotFound`` if no producer runs at the moment.
    """
    items = list(data)
    trial = Trial(len(items))
    messages = tuple(_message_of(item, trial, flush, metadata or {}) for item in items)
    pids = line.producer_pids()
    process = find_process(random.choice(pids)) if pids else None
    if process is None:
        raise ProcessNotFound(line.producer_name(0))
    line.custody.admit(messages, process.pid)
    process.post_system(Pushed(messages))
    return trial


def _message_of(
    item: object, trial: Trial, flush: bool, metadata: Mapping[str, object]
) -> AnyMessage:
    message = item if is_message(item) else Message(item)
    own = message.acknowledger
    told = trial if own is UNACKNOWLEDGED else Overheard(trial, own)
    message = message.with_acknowledger(told).with_metadata(**metadata)
    return message.flush() if flush else message
