"""Source: where the messages of a pipeline come from. Elixir: a producer of ``Broadway``.

It is a ``Producer`` that a pipeline runs: its messages are in custody from the moment it emits them
until they are acknowledged, and what it is not asked for it need not have.
"""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, Generic, TypeVar, cast

from runtime.errors import OutsideProcess
from runtime.exits import NORMAL
from runtime.handlers import handles
from runtime.outcomes import Stop
from runtime.server_loop import ServerLoop
from runtime.stages import Dispatcher, Emitted, Producer, Subscription
from runtime.stages.emitted import events_in
from runtime.stages.outlet import Outlet
from runtime.stages.steps import Performed, Steps, perform
from runtime.stages.subscription import StageCast
from runtime.user_code import call_user
from supervisors.pipeline.line import Line
from supervisors.pipeline.message import AnyMessage, Message
from supervisors.pipeline.source_outlet import Emptied, RateOpens, SourceOutlet

T = TypeVar("T")


class DrainAsked(StageCast, frozen=True):
    """To a source: make no more messages, and end when those that are there have left."""


class Pushed(StageCast, frozen=True):
    """To a source, from a test: messages to go before all others, in custody already."""

    messages: tuple[AnyMessage, ...]


class Source(Producer[Message[T]], Generic[T]):
    """Subclass it: ``handle_demand`` returns messages, each with whom to tell of its end.

    Everything a ``Producer`` can do it can as well, but the pipeline says how its messages are
    shared out, and its buffer has no limit there: no message is discarded.

    ``Stop(NORMAL)`` from ``handle_demand``, or ``finish()`` from anywhere, says that there is
    nothing more: it ends once what it has emitted has been delivered. When all sources have ended,
    and what they gave is done with, the pipeline ends too.
    """

    buffer_size: int | None = None

    _stage_line: Line | None = None
    _stage_index = 0

    def prepare_for_draining(
        self,
    ) -> Emitted[Message[T]] | Coroutine[Any, Any, Emitted[Message[T]]]:
        """The pipeline stops: stop fetching. ``handle_demand`` is not called any more.

        What is returned, or emitted here, is still processed; what is emitted later is given back.
        Elixir: ``prepare_for_draining/1``.
        """
        return None

    def finish(self) -> None:
        """There is nothing more: end ``Normal`` once all that was emitted has been delivered.

        Until then it goes on, but ``handle_demand`` is not called any more and what is emitted is
        given back. ``OutsideProcess`` if no pipeline runs it.
        """
        if self._stage_line is None:
            raise OutsideProcess(
                f"{type(self).__name__}.finish() was called outside a pipeline; "
                "there Stop(NORMAL) is what a callback may return"
            )
        self._stage_sending.end()

    def make_dispatcher(self) -> Dispatcher[Message[T]]:
        """In a pipeline, what its processors need."""
        return (
            super().make_dispatcher()
            if self._stage_line is None
            else self._stage_line.make_dispatcher()
        )

    # -- in a pipeline ----------------------------------------------------------------------

    def enter_line(self, line: Line, index: int) -> None:
        """It is to be this producer of that pipeline; before it starts."""
        self._stage_line, self._stage_index = line, index

    def _attach(self, loop: ServerLoop | None) -> None:
        if loop is None and isinstance(self._stage_outlet, SourceOutlet):
            self._stage_outlet.opened()  # it waits for nothing more
        super()._attach(loop)
        if loop is not None and self._stage_line is not None:
            self._stage_line.joined(loop.process, self._stage_line.producer_name(self._stage_index))

    @property
    def _stage_giving(self) -> Outlet[Message[T]]:
        if self._stage_outlet is None and self._stage_line is not None:
            made = SourceOutlet(self._stage_process, self, self._stage_line)
            self._stage_outlet = cast("Outlet[Message[T]]", made)
        return super()._stage_giving

    @property
    def _stage_sending(self) -> SourceOutlet:
        outlet = cast("object", self._stage_giving)
        assert isinstance(outlet, SourceOutlet), "only a pipeline asks for it"
        return outlet

    def _stage_delivering(self, subscription: Subscription, events: list[Message[T]]) -> None:
        if self._stage_line is not None:
            self._stage_line.delivered(subscription, cast("list[AnyMessage]", events))

    def _stage_wanted(self, count: int) -> Steps:
        """A source that has nothing more stays until all it had has left."""
        stop = yield from super()._stage_wanted(count)
        if stop is None or stop.reason != NORMAL or self._stage_line is None:
            return stop
        self.finish()
        return None

    @handles(RateOpens)
    def _stage_rate_opens(self, _message: RateOpens) -> Performed:
        self._stage_sending.opened()
        return perform(self._stage_settle())

    @handles(Pushed)
    def _stage_push(self, message: Pushed) -> None:
        self._stage_sending.push(message.messages)

    @handles(DrainAsked)
    def _stage_drain_asked(self, _message: DrainAsked) -> Performed:
        outlet = self._stage_sending
        if outlet.draining:
            return None
        outlet.draining = True
        return perform(self._stage_draining(outlet))

    def _stage_draining(self, outlet: SourceOutlet) -> Steps:
        result = yield call_user(self.prepare_for_draining)
        emitted = cast("Emitted[AnyMessage]", result)
        events, stop = events_in(self._stage_process, self, "prepare_for_draining", emitted)
        outlet.emit(events)
        outlet.end()
        return stop if stop is not None and stop.reason != NORMAL else None

    @handles(Emptied)
    def _stage_emptied(self, _message: Emptied) -> Stop | None:
        return Stop(NORMAL) if self._stage_sending.is_empty else None
