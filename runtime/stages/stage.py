"""What every stage is: a GenServer whose stages' messages go past the user's callbacks."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, Final, TypeVar

from runtime.callback_results import CallHandler
from runtime.errors import OutsideProcess
from runtime.gen_server import GenServer
from runtime.messages import HandleCall
from runtime.outcomes import Stop
from runtime.process import Process
from runtime.server_loop import ServerLoop
from runtime.stages.subscription import Peer, StageCast, Subscription, SubscriptionEnded
from runtime.stages.subscription_options import Mode

R_co = TypeVar("R_co", covariant=True)

_OURS: Final = ("runtime", "supervisors")
_HOOKS: Final = {"_stage_delivering"}


class StageCall(HandleCall[R_co], frozen=True):
    """What a stage is asked as a stage; ``handle_call`` never sees it."""


class Stage(GenServer):
    """Base of ``Producer``, ``Consumer`` and ``ProducerConsumer``.

    What it keeps is in slots: not among the attributes that ``get_state`` shows, that
    ``replace_state`` replaces and that a user's own may hide.
    """

    __slots__ = ("_stage_outlet", "_stage_upstreams", "_stage_waiting")

    def __init_subclass__(cls, **kwargs: object) -> None:
        super().__init_subclass__(**kwargs)
        if cls.__module__.partition(".")[0] not in _OURS:
            _refuse_hiding(cls)

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
    def _stage_process(self) -> Process:
        assert self._loop is not None, "it runs"
        return self._loop.process

    def _stage_running(self, what: str) -> Process:
        """The process, for what users may call; ``OutsideProcess`` where that cannot be."""
        loop: ServerLoop | None = getattr(self, "_loop", None)
        if loop is None:
            name = type(self).__name__
            raise OutsideProcess(f"{name}.{what} was called outside a running stage")
        loop.process.check_thread()
        return loop.process

    def _plain_cast_of(self, message: object) -> str | None:
        if isinstance(message, StageCast):
            handler = self._handlers.find(type(message))
            return "_gone_astray" if handler is None else handler.name
        return super()._plain_cast_of(message)

    def _call_handler_of(self, request: object) -> CallHandler | None:
        kind: type[object] = type(request)
        if "handle_call" in self.__dict__ and isinstance(request, StageCall):
            return self._find_call_handler(kind)
        return super()._call_handler_of(request)

    @classmethod
    def _find_call_handler(cls, request: type[object]) -> CallHandler | None:
        kind: type[object] = request
        if issubclass(request, StageCall):
            handler = cls._handlers.find(kind)
            if handler is not None:
                return CallHandler(handler.name, wants_reply_to=handler.wants_reply_to, plain=True)
        return super()._find_call_handler(kind)


def _refuse_hiding(cls: type[Stage]) -> None:
    """A name of a user's that means something else to a stage would break it in silence."""
    ours = {
        name
        for base in cls.__mro__
        if base.__module__.startswith("runtime.stages")
        for name in vars(base)
        if name.startswith("_") and not name.startswith("__")
    }
    hidden = sorted((ours - _HOOKS - vars(GenServer).keys()) & vars(cls).keys())
    if hidden:
        raise TypeError(
            f"{cls.__name__}: {', '.join(hidden)}: stages use that name themselves, take another"
        )
