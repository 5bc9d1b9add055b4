"""The half of a stage that gives events away: buffer, dispatcher, and what it still owes.

One number is all the arithmetic: ``unanswered``, the demand that was handed on and not yet answered
by events. Whenever consumers want more than that, the difference is handed on. So what a consumer
had asked for that has died, or that a newcomer holds up, is never asked for twice.

GenStage keeps such credit in its dispatchers, where it is taken off an ask before the buffer is
looked at: events can be stuck there, and be overtaken. Here what is buffered always goes first.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Final, Generic, Protocol, TypeAlias, TypeVar, cast

from runtime.callback_results import bad_result
from runtime.current import find_process
from runtime.exits import Crashed
from runtime.instruments import EventsDiscarded
from runtime.process import Process
from runtime.stages.dispatcher import Delivery, Dispatcher
from runtime.stages.event_buffer import EventBuffer, Keep
from runtime.stages.peers import Downstream
from runtime.stages.subscription import Cancelled, Events, StageCast, Subscription
from runtime.stages.subscription_options import BadSubscription
from runtime.user_code import as_coroutine, call_user

T = TypeVar("T")

UNKNOWN_SUBSCRIPTION: Final = "unknown subscription"
DUPLICATED_SUBSCRIPTION: Final = "duplicated subscription"


class Refill(StageCast, frozen=True):
    """To the producer itself: events were emitted that nobody got, so more are wanted."""


class InfoDue(StageCast, frozen=True):
    """To the producer itself: everything that was before this info has gone."""

    message: object


Held: TypeAlias = int | list[T] | InfoDue
"""Demand, events or an info, while demand is accumulated."""


class Giving(Protocol[T]):
    """A stage, as its outlet sees it."""

    # fmt: off
    buffer_size: int | None
    buffer_keep: Keep
    @property
    def _stage_accumulates(self) -> bool: ...
    def make_dispatcher(self) -> Dispatcher[T]: ...  # noqa: D102
    def format_discarded(self, discarded: int) -> bool: ...  # noqa: D102
    def _stage_delivering(self, subscription: Subscription, events: list[T]) -> None: ...
    # fmt: on


class Outlet(Generic[T]):
    """Made with its first use, when ``init`` has said how it is to be."""

    def __init__(self, process: Process, stage: Giving[T]) -> None:
        self._process, self._stage = process, stage
        self.unanswered = 0
        self.downstreams: dict[Subscription, Downstream] = {}
        self.buffer: EventBuffer[T] = EventBuffer(stage.buffer_size, stage.buffer_keep)
        self.held: deque[Held[T]] | None = deque() if stage._stage_accumulates else None
        self.replayed: deque[Held[T]] = deque()  # what was held, and is about to go
        self.forwards = 0  # how many times it is to go on with what was held
        self._refilling = False
        self.dispatcher: Dispatcher[T] = self._make_dispatcher()

    def _make_dispatcher(self) -> Dispatcher[T]:
        made: object = self._ask("make_dispatcher", "a Dispatcher")
        if not isinstance(made, Dispatcher):
            raise bad_result(self._process, self._stage, "make_dispatcher", made, "a Dispatcher")
        dispatcher = cast("Dispatcher[T]", made)
        if dispatcher._serves:
            raise bad_result(
                self._process, self._stage, "make_dispatcher", dispatcher,
                "a Dispatcher that has served nobody yet: make one at each call",
            )  # fmt: skip
        dispatcher._serves = True
        return dispatcher

    def close(self) -> None:
        """The stage has ended: hear no more of its consumers."""
        for downstream in self.downstreams.values():
            downstream.watch.stop()

    # -- consumers --------------------------------------------------------------------------

    def join(self, subscription: Subscription, consumer: Process) -> bool:
        """A new consumer; whether it is taken. One that is not is told why."""
        if subscription in self.downstreams:
            consumer.post_system(Cancelled(subscription, DUPLICATED_SUBSCRIPTION))
            return False
        try:
            self.dispatcher.subscribe(subscription)
        except BadSubscription as refusal:
            why = Crashed(refusal.with_traceback(None))
            consumer.post_system(Cancelled(subscription, why))
            return False
        self.downstreams[subscription] = Downstream(
            self._process, consumer, subscription, self.dispatcher.cancel
        )
        return True

    def leave(self, subscription: Subscription) -> Process | None:
        """A consumer goes; its process if it was one."""
        downstream = self.downstreams.pop(subscription, None)
        if downstream is None:
            return None
        downstream.watch.stop()
        self.dispatcher.cancel(subscription)
        return downstream.process

    def refuse(self, subscription: Subscription) -> None:
        """Tell a consumer that this subscription has ended, or never was."""
        consumer = find_process(subscription.consumer)
        if consumer is not None:
            consumer.post_system(Cancelled(subscription, UNKNOWN_SUBSCRIPTION))

    # -- demand -----------------------------------------------------------------------------

    def ask(self, subscription: Subscription, count: int) -> None:
        """A consumer wants more, and gets what is here."""
        if self.downstreams[subscription].process.status == "ended":
            return  # the dispatcher has forgotten it, and its end is on its way
        self._deliver(self.dispatcher.ask(subscription, count))
        self.drain()

    def drain(self) -> None:
        """Give away what is buffered, as far as anybody wants it: before all that comes later."""
        while self.buffer and (wanted := self.dispatcher.demand) > 0:
            events, infos = self.buffer.take(wanted)
            deliveries, left = self.dispatcher.dispatch(events)
            if left:
                raise RuntimeError(
                    f"{type(self.dispatcher).__name__}.dispatch left {len(left)} of {len(events)} "
                    f"events over, but its demand was {wanted}"
                )
            self._deliver(deliveries)
            self._release(infos)

    def take_need(self) -> int:
        """How many events more are wanted than were ever asked for: from now on they are."""
        self._refilling = False
        need = self.dispatcher.demand - self.unanswered
        if need <= 0:
            return 0
        self.unanswered += need
        return need

    # -- events -----------------------------------------------------------------------------

    def emit(self, events: list[T]) -> None:
        """Give these away, behind all that is here; the rest is buffered."""
        if self.held is not None:
            if events:
                self.held.append(events)
            return
        if self.replayed:
            self._replay_events()
        self.give(events)

    def give(self, events: list[T]) -> None:
        """Give these away, behind what is buffered; the rest is buffered."""
        if not events:
            return
        left: list[T] = events
        deliveries: Sequence[Delivery[T]] = ()
        if not self.buffer:
            deliveries, left = self.dispatcher.dispatch(events)
        self.unanswered = max(self.unanswered - len(events), 0)
        self._deliver(deliveries)
        if left:
            self._keep(left)
        if not self._refilling and self.dispatcher.demand > self.unanswered:
            self._refilling = True
            self._process.post_system(Refill())

    def queue_info(self, message: object) -> None:
        """An info for when all that is here now has gone."""
        held = self.replayed if self.held is None else self.held
        if any(isinstance(one, list) for one in held):
            held.append(InfoDue(message))
        elif self.buffer.mark(message):
            self._release([message])

    def _replay_events(self) -> None:
        """What was held goes before anything new; demand that was held waits for its turn."""
        replayed = list(self.replayed)
        self.replayed.clear()
        for one in replayed:
            if isinstance(one, int):
                self.replayed.append(one)
            else:
                self.replay(one)

    def replay(self, one: list[T] | InfoDue) -> None:
        """Something that was held goes now."""
        if isinstance(one, InfoDue):
            self.queue_info(one.message)
        else:
            self.give(one)

    def _keep(self, events: list[T]) -> None:
        discarded, infos = self.buffer.put(events)
        self._release(infos)
        if discarded and self._ask("format_discarded", "True and False", discarded):
            self._report(discarded)

    def _ask(self, callback: str, allowed: str, *args: object) -> object:
        """What a callback that can only be a ``def`` returns."""
        result: object = call_user(getattr(self._stage, callback), *args)
        if (coroutine := as_coroutine(result)) is not None:
            coroutine.close()
            allowed = f"{allowed}, from a def"
            raise bad_result(self._process, self._stage, callback, coroutine, allowed)
        return result

    def _report(self, discarded: int) -> None:
        process = self._process
        if process.table.instruments.want(EventsDiscarded):
            process.table.instruments.emit(EventsDiscarded(process.pid, process.name, discarded))

    def _release(self, infos: Iterable[object]) -> None:
        for info in infos:
            if self.dispatcher.mark(info):
                self._process.post_system(InfoDue(info))
        self._release_kept()

    def _release_kept(self) -> None:
        for info in self.dispatcher.released():
            self._process.post_system(InfoDue(info))

    def _deliver(self, deliveries: Sequence[Delivery[T]]) -> None:
        for subscription, events in deliveries:
            downstream = self.downstreams.get(subscription)
            if downstream is None:
                name = type(self.dispatcher).__name__
                raise RuntimeError(f"{name} delivers to {subscription!r}, which is not subscribed")
            self._stage._stage_delivering(subscription, events)
            downstream.process.post_system(Events(subscription, events))
        if deliveries:
            self._release_kept()
