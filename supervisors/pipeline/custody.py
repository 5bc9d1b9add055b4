"""Who holds which message that is not acknowledged yet.

A message is held from the moment its source emits it until it is acknowledged; when its holder ends
before that, it is given back to its acknowledger. The custodian, a process, does the giving back.

The choice: a message knows its holder, and not a holder its messages. To hand it on is then one
assignment, and only the end of a stage, which is rare, looks through all that is under way, which
demand bounds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias, cast

import msgspec

from runtime import Pid
from runtime.containment import short_repr
from supervisors.pipeline.holding import Holding, Outcome
from supervisors.pipeline.message import AnyMessage

Settled: TypeAlias = tuple[list[AnyMessage], list[AnyMessage]]
"""Those to be acknowledged now as successful, and as failed."""


class MessageCounts(msgspec.Struct):
    """What has become of the messages of a pipeline since it started."""

    emitted: int = 0
    successful: int = 0
    failed: int = 0
    given_back: int = 0


class Custody:
    """The messages under way in one pipeline, each of which goes to so many ``groups``.

    ``returned`` are those that are given back and whose sources have not been told of that yet;
    ``on_return`` is called when there are more of them.
    """

    def __init__(self, groups: int = 1) -> None:
        self.counts = MessageCounts()
        self.returned: dict[Holding, AnyMessage] = {}
        self.on_return: Callable[[], None] | None = None
        self._groups = groups
        self._open: dict[Holding, None] = {}
        self._parts = 0  # of those, how many are one group's
        self._holders: set[Pid] = set()

    @property
    def under_way(self) -> int:
        """How many messages are neither acknowledged nor given back."""
        return len(self._open) - self._parts

    def held_by(self, holder: Pid) -> int:
        """How many messages a stage has, acknowledged or not by other groups."""
        return sum(holding.holder is holder for holding in self._open)

    # -- holders ----------------------------------------------------------------------------

    def began(self, holder: Pid) -> None:
        """A stage that can hold messages."""
        self._holders.add(holder)

    def ended(self, holder: Pid) -> int:
        """It can no more: what it held is given back. How many that were."""
        self._holders.discard(holder)
        held = [holding for holding in self._open if holding.holder is holder]
        return self.give_back(held)

    # -- under way --------------------------------------------------------------------------

    def admit(self, messages: Sequence[AnyMessage], holder: Pid) -> None:
        """A source emits these, after ``transform``, before they are buffered: ``holder`` has them.

        ``ValueError`` for a message that was emitted before; ``message.anew()`` can be.
        """
        for message in messages:
            holding = message.holding
            if holding in self._open or holding.outcome is not None:
                raise ValueError(
                    f"emitted: got {short_repr(message)} a second time, allowed is a new message, "
                    "message.anew() say"
                )
            holding.original, holding.holder = message, holder
            if self._groups > 1:
                holding.undelivered = holding.unfinished = self._groups
            self._open[holding] = None
            self.counts.emitted += 1

    def move(self, messages: Iterable[AnyMessage], holder: Pid) -> None:
        """They are delivered: ``holder`` has them now. If it has ended they are given back."""
        for message in messages:
            message.holding.holder = holder
        if holder not in self._holders:
            self.give_back([message.holding for message in messages])

    def hand_out(self, messages: list[AnyMessage], holder: Pid) -> None:
        """They are delivered to one of several groups, which gets messages of its own instead."""
        for place, message in enumerate(messages):
            whole = message.holding
            part = messages[place] = message.anew(whole)
            self._open[part.holding] = None
            self._parts += 1
            whole.undelivered -= 1
            if not whole.undelivered:
                whole.holder = None  # from now on its parts are what can be lost
        self.move(messages, holder)

    def is_open(self, message: AnyMessage) -> bool:
        """Whether it is still to be acknowledged: not so after ``ack_immediately``."""
        return message.holding.outcome is None

    # -- the end ----------------------------------------------------------------------------

    def finish(
        self,
        successful: Iterable[AnyMessage],
        failed: Iterable[AnyMessage],
        holder: Pid,
    ) -> Settled:
        """A stage has finished with these. Which of them are to be acknowledged now, and as what.

        Not those that were settled before, nor those with which other groups are not finished.
        Until ``settle`` they can still be lost, and ``holder`` has them.
        """
        due: Settled = ([], [])
        for message in successful:
            self._finish(message, "successful", holder, due)
        for message in failed:
            self._finish(message, "failed", holder, due)
        return due

    def _finish(self, message: AnyMessage, outcome: Outcome, holder: Pid, due: Settled) -> None:
        holding = message.holding
        if holding not in self._open:
            return
        whole = holding.whole
        if whole is None:
            due[outcome == "failed"].append(message)
            return
        self._close(holding, outcome)
        if whole.outcome is not None:
            return
        whole.unfinished -= 1
        if outcome == "failed" and whole.worst == "successful":
            whole.worst, whole.failure = outcome, message.failure
        if whole.unfinished:
            return
        whole.holder = holder
        if whole.worst == "given back":
            self.give_back([whole])
        elif whole.worst == "failed":
            due[1].append(message.fail(whole.failure))
        else:
            due[0].append(message)

    def settle(self, successful: Iterable[AnyMessage], failed: Iterable[AnyMessage]) -> None:
        """Their acknowledger has been told."""
        for message in successful:
            self.counts.successful += self._settle(message, "successful")
        for message in failed:
            self.counts.failed += self._settle(message, "failed")

    def _settle(self, message: AnyMessage, outcome: Outcome) -> bool:
        return self._close(message.holding.whole or message.holding, outcome)

    def refuse(self, messages: Iterable[AnyMessage]) -> None:
        """Their acknowledger would not be told."""
        self.give_back([message.holding.whole or message.holding for message in messages])

    def give_back(self, holdings: Iterable[Holding]) -> int:
        """Nobody will finish with these. How many messages of a source that were."""
        before = len(self.returned)
        for holding in holdings:
            self._return(holding)
        count = len(self.returned) - before
        if count and self.on_return is not None:
            self.on_return()
        return count

    def _return(self, holding: Holding) -> None:
        whole, original = holding.whole, holding.original
        if not self._close(holding, "given back"):
            return
        if whole is None:
            message = cast("AnyMessage", original).anew()
            self.returned[message.holding] = message
            self.counts.given_back += 1
        elif whole.outcome is None:
            whole.unfinished -= 1
            whole.worst = "given back"
            if not whole.unfinished:
                self._return(whole)

    def _close(self, holding: Holding, outcome: Outcome) -> bool:
        """It is under way no more; whether it was."""
        if holding not in self._open:
            return False
        del self._open[holding]
        holding.outcome, holding.original = outcome, None  # which leads back here
        self._parts -= holding.whole is not None
        return True
