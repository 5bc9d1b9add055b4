"""The half of a source that gives messages away: transform, custody, rate limit, drain.

The choice: the rate limit stands between the buffer and the consumers, and demand passes it too. No
more is asked of the source than may still leave in this window, so a message that has a lease in
its source does not wait here for its turn longer than it must. What the source emits unasked waits
in the buffer, in order.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence

import trio

from runtime.containment import short_repr
from runtime.deadlines import Deadline
from runtime.errors import BadResult
from runtime.process import Process
from runtime.stages.event_buffer import EventBuffer
from runtime.stages.outlet import Giving, Outlet, Refill
from runtime.stages.subscription import StageCast
from runtime.user_code import call_user
from supervisors.pipeline.line import Line
from supervisors.pipeline.message import AnyMessage, is_message
from supervisors.pipeline.rate_window import RateWindow


class RateOpens(StageCast, frozen=True):
    """To a source: more may leave now, since a window begins or the limit was changed."""


class Emptied(StageCast, frozen=True):
    """To the source itself, which is to end: all it has emitted has been delivered."""


class SourceOutlet(Outlet[AnyMessage]):
    """``draining``: the source is asked for nothing more. ``ending``: what it emits still is late.

    Late messages are given back when the source ends, as it does once all others have left.
    """

    def __init__(self, process: Process, source: Giving[AnyMessage], line: Line) -> None:
        super().__init__(process, source)
        self.buffer = EventBuffer(None)  # what is discarded would be lost
        self.draining = self.ending = False
        self._source = type(source).__name__
        self._line, self._rate = line, line.rate
        self._transform = line.declaration.producers.transform
        self._pushed: deque[AnyMessage] = deque()  # by a test, past the rate limit
        self._opens: Deadline | None = None

    @property
    def is_empty(self) -> bool:
        """Whether all that was emitted has been delivered."""
        return not (self.buffer or self._pushed or self.dispatcher.queued)

    # -- demand -----------------------------------------------------------------------------

    def take_need(self) -> int:
        """As many as may still leave, at most, and none any more for who is draining."""
        self._refilling = False
        need = self._need()
        self.unanswered += need
        return need

    def _need(self) -> int:
        """How many more to ask for now. If it is the limit that says so it looks again later."""
        if self.draining:
            return 0
        demand = self.dispatcher.demand
        need = max(self._may_leave(demand) - self.unanswered, 0)
        if self._rate is not None:
            later = min(demand, self._rate.limit.allowed)
            if self.unanswered + need < later:
                self._look_later(self._rate)
        return need

    def _may_leave(self, wanted: int) -> int:
        """How many of those wanted may leave in this window."""
        if self._rate is None:
            return wanted
        return min(wanted, self._rate.left(trio.current_time()))

    def _look_later(self, rate: RateWindow) -> None:
        if self._opens is None:
            at = rate.ends_at(trio.current_time())
            self._opens = self._process.table.deadlines.schedule(at, self._tell_open)

    def _tell_open(self) -> None:
        self._process.post_system(RateOpens())

    def opened(self) -> None:
        """A window begins, or another limit holds."""
        if self._opens is not None:
            self._process.table.deadlines.cancel(self._opens)
            self._opens = None

    # -- messages ---------------------------------------------------------------------------

    def give(self, events: list[AnyMessage]) -> None:
        """From the source: transformed, taken into custody, and given away as far as may be."""
        if not events:
            return
        self.unanswered = max(self.unanswered - len(events), 0)
        messages = self._admitted(events)
        if self.ending:
            return
        if self._rate is None and not self.buffer:
            deliveries, messages = self.dispatcher.dispatch(messages)
            self._deliver(deliveries)
        if messages:
            self.buffer.put(messages)
            self.drain()
        if not self._refilling and self._need():
            self._refilling = True
            self._process.post_system(Refill())

    def _admitted(self, events: Iterable[object]) -> list[AnyMessage]:
        """As messages in custody; those before one that cannot be one are given back."""
        transform: Callable[[object], object] | None = self._transform
        messages: list[AnyMessage] = []
        try:
            for event in events:
                message = event if transform is None else call_user(transform, event)
                if not is_message(message):
                    raise self._no_message(message)
                messages.append(message)
        finally:
            self._line.custody.admit(messages, self._process.pid)
        return messages

    def _no_message(self, event: object) -> BadResult:
        said = f"{self._source} emitted {short_repr(event)}, allowed is a Message"
        if self._transform is None:
            return BadResult(f"{said}; Producers(transform=...) makes one of anything else", event)
        said = f"producers.transform returned {short_repr(event)}, allowed is a Message"
        return BadResult(said, event)

    def push(self, messages: Sequence[AnyMessage]) -> None:
        """From a test, in custody already: past the limit, and before what waits for that."""
        self._pushed.extend(messages)
        self.drain()

    def drain(self) -> None:
        """Give away what is here as far as anybody wants it and it may leave."""
        while self._pushed and (wanted := self.dispatcher.demand) > 0:
            count = min(wanted, len(self._pushed))
            self._give([self._pushed.popleft() for _ in range(count)])
        while self.buffer and (wanted := self.dispatcher.demand) > 0:
            count = self._may_leave(wanted)
            if not count:
                assert self._rate is not None, "it is what keeps them"
                self._look_later(self._rate)
                break
            messages, infos = self.buffer.take(count)
            if self._rate is not None:
                self._rate.take(len(messages), trio.current_time())
            self._give(messages)
            self._release(infos)
        if self.ending and self.is_empty:
            self._process.post_system(Emptied())

    def _give(self, messages: list[AnyMessage]) -> None:
        deliveries, left = self.dispatcher.dispatch(messages)
        assert not left, "no more than it wants"
        self._deliver(deliveries)

    # -- the end ----------------------------------------------------------------------------

    def end(self) -> None:
        """Nothing more is to come: ``Emptied`` is, once all that is here has been delivered."""
        if self.held is not None:
            self.replayed, self.held = self.held, None
        self._replay_events()
        self.replayed.clear()  # demand, which nobody will be asked for
        self.draining = self.ending = True
        self.drain()
