"""What every stage is: a GenServer whose stages' messages go past the user's callbacks."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, TypeVar

from runtime.callback_results import CallHandler
from runtime.gen_server import GenServer
from runtime.messages import HandleCall
from runtime.outcomes import Stop
from runtime.process import Process
from runtime.stages.subscription import Peer, StageCast, Subscription, SubscriptionEnded
from runtime.stages.subscription_options import Mode

R_co = TypeVar("R_co", covariant=True)


class StageCall(HandleCall[R_co], frozen=True):
    """What a stage is asked as a stage; ``handle_call`` never sees it."""


class Stage(GenServer):
    """Base of ``Producer``, ``Consumer`` and ``ProducerConsumer``."""

    def handle_subscribe(
        self, peer: Peer, subscription: Subscription
    ) -> Mode | Stop | Coroutine[Any, Any, Mode | Stop | None] | None:
        """There is a new subscription; ``peer`` is what is at the other end.

        A consumer may return ``"manual"``, to ask by ``subscription.ask``, or ``"automatic"``; by
        default the ``mode`` of the subscription counts, else it is automatic. GenStage:
        ``handle_subscribe/4``.
        """
        return None

    def handle_cancel(
        self, subscription: Subscription, end: SubscriptionEnded
    ) -> Stop | Coroutine[Any, Any, Stop | None] | None:
        """A subscription has ended; all its events have been handled.

        After it, a consumer ends too if the subscription's ``cancel`` mode says so. GenStage:
        ``handle_cancel/3``.
        """
        return None

    @property
    def _process(self) -> Process:
        assert self._loop is not None, "it runs"
        return self._loop.process

    def _plain_cast_of(self, message: object) -> str | None:
        if isinstance(message, StageCast):
            handler = self._handlers.find(type(message))
            return None if handler is None else handler.name
        return super()._plain_cast_of(message)

    @classmethod
    def _find_call_handler(cls, request: type[object]) -> CallHandler | None:
        if issubclass(request, StageCall):
            handler = cls._handlers.find(request)
            if handler is not None:
                return CallHandler(handler.name, wants_reply_to=handler.wants_reply_to, plain=True)
        return super()._find_call_handler(request)
