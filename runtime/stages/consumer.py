"""Consumer: where events end up. GenStage: a stage of type ``:consumer``."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, Generic, TypeVar

from runtime.outcomes import Stop
from runtime.stages.consuming import Consuming
from runtime.stages.emitted import stop_in
from runtime.stages.steps import Steps
from runtime.stages.subscription import Subscription
from runtime.user_code import call_user

T = TypeVar("T")


class Consumer(Consuming[T], Generic[T]):
    """Subclass it, ``subscribe`` in ``init``, and handle events: ``handle_events``.

    It is a ``GenServer`` too: calls, casts, timers, ``init`` and ``terminate`` as always.
    """

    def handle_events(
        self, events: list[T], subscription: Subscription
    ) -> Stop | Coroutine[Any, Any, Stop | None] | None:
        """Handle these; more are asked for when it has returned. GenStage: ``handle_events/3``.

        At most ``max_demand - min_demand`` at a time; with manual demand as they come, and none if
        a selector has rejected all of a message. ``Stop(reason)`` ends the stage.
        """
        raise NotImplementedError(f"{type(self).__name__} has no handle_events()")

    def _stage_handle(self, events: list[T], subscription: Subscription) -> Steps:
        result = yield call_user(self.handle_events, events, subscription)
        return stop_in(self._stage_process, self, "handle_events", result)
