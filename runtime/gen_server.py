"""GenServer: the callback contract that users read. OTP: ``GenServer``.

A server is a class. Each start makes a fresh instance in a process of its own; its messages are
handled one at a time, by the callbacks below or by methods marked ``@handles``, so ``self`` needs
no lock. A raise in a callback ends the process, and its supervisor decides what follows.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from functools import partial
from typing import Any, ClassVar, Literal, ParamSpec, TypeVar

from runtime.callback_results import CallHandler
from runtime.calls import Ref
from runtime.child_spec import ChildOptions, ChildSpec, ChildType, ShutdownBudget
from runtime.containment import short_repr
from runtime.current import current_process
from runtime.errors import OutsideProcess, UnhandledMessage
from runtime.exits import ExitReason
from runtime.handlers import Handler, HandlerTable, collect_handlers
from runtime.inspection.views import Plain
from runtime.instruments import MessageUnexpected
from runtime.mailbox import MailboxLimit
from runtime.messages import Call, Cast, HandleCall, SystemCall, SystemCast
from runtime.outcomes import CastResult, InitResult
from runtime.pending_calls import ReplyTo
from runtime.server_body import ServerBody
from runtime.server_loop import ServerLoop
from runtime.spawning import DEFAULT_SHUTDOWN, check_arguments
from runtime.starts import start, start_link

P = ParamSpec("P")
T = TypeVar("T")


class GenServer:
    """Subclass it; put the state on ``self``; handle messages.

    ``__init__`` takes the arguments and must be cheap; ``init`` runs inside the process, and the
    start returns when it is done. Callbacks and handlers are ``def`` or ``async def``, each as you
    like. A ``def`` is atomic and must not block: blocking work goes to ``trio.to_thread``. An
    ``async def`` is interrupted at its next checkpoint when an exit signal arrives.

    ``mailbox`` limits the waiting messages of every instance; ``None`` is no limit. A call that
    finds the server idle runs a ``def`` handler at once, in the caller's Trio task, and a start a
    ``def init``; with ``inline = False`` they run in the server's own, as those must that use what
    belongs to a task, such as ``trio.Lock`` or ``trio.lowlevel.current_task()``.
    """

    __slots__ = ("__dict__", "__weakref__", "_loop")

    mailbox: ClassVar[MailboxLimit | None] = None
    inline: ClassVar[bool] = True
    _body_class: ClassVar[type[ServerBody]] = ServerBody
    _child_type: ClassVar[ChildType] = "worker"
    _child_shutdown: ClassVar[ShutdownBudget] = DEFAULT_SHUTDOWN
    _handlers: ClassVar[HandlerTable] = HandlerTable({})
    _call_handlers: ClassVar[dict[type, tuple[object, CallHandler | None]]] = {}
    _plain_casts: ClassVar[dict[type, tuple[object, str | None]]] = {}
    _has_facts: ClassVar[bool] = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._handlers = collect_handlers(cls)
        cls._call_handlers = {}
        cls._plain_casts = {}
        cls._has_facts = cls.facts is not GenServer.facts

    # -- callbacks --------------------------------------------------------------------------

    def init(self) -> InitResult | Coroutine[Any, Any, InitResult]:
        """Prepare inside the process. OTP: ``init/1``.

        May return ``None``, ``Continue(arg)``, ``Idle(seconds)``, ``Stop(reason)`` (the start
        fails) or ``Ignore()``. A raise fails the start; ``terminate`` is not called then.
        """
        return None

    def handle_call(self, request: Any, reply_to: ReplyTo[Any]) -> Any:
        """Answer a call. OTP: ``handle_call/3``. By default asks the ``@handles`` methods.

        Returns the reply, or ``Reply(value, then=...)``, ``NoReply()`` (keep ``reply_to`` and
        answer later), ``Stop(reason, reply=...)``.
        """
        handler = self._handler_of(request)
        if handler is None:
            raise UnhandledMessage(self._no_handler("call", request))
        method = getattr(self, handler.name)
        return method(request, reply_to) if handler.wants_reply_to else method(request)

    def handle_cast(self, message: Any) -> CastResult | Coroutine[Any, Any, CastResult]:
        """Handle a cast. OTP: ``handle_cast/2``. By default asks the ``@handles`` methods.

        Returns ``None``, ``Continue(arg)``, ``Idle(seconds)`` or ``Stop(reason)``.
        """
        handler = self._handler_of(message)
        if handler is None:
            raise UnhandledMessage(self._no_handler("cast", message))
        result: CastResult = getattr(self, handler.name)(message)
        return result

    def handle_info(self, message: Any) -> CastResult | Coroutine[Any, Any, CastResult]:
        """Handle any other message: ``Down``, ``Exit``, ``IdleTimeout``, timers, your own.

        OTP: ``handle_info/2``. By default asks the ``@handles`` methods; a message none of them
        takes is reported and ignored.
        """
        handler = self._handler_of(message)
        if handler is not None:
            result: CastResult = getattr(self, handler.name)(message)
            return result
        self._unexpected(message)
        return None

    def handle_continue(self, arg: Any) -> CastResult | Coroutine[Any, Any, CastResult]:
        """Go on after ``Continue(arg)``, before any message. OTP: ``handle_continue/2``."""
        raise UnhandledMessage(
            f"{type(self).__name__} returned Continue({short_repr(arg)}) but has no handle_continue"
        )

    def terminate(self, reason: ExitReason) -> object:
        """The last word, on every end but a kill, and only if ``init`` had succeeded.

        OTP: ``terminate/2``. Runs shielded from cancellation, within the shutdown budget; after a
        raise it sees ``self`` as the handler left it. What it returns is ignored.
        """
        return None

    def redact(self, what: Literal["message", "state"], value: Any) -> object:
        """What a crash report may show of a message or, given ``self``, of the state.

        By default messages as they are and nothing of the state. Return a replacement, or
        ``None`` to show nothing. OTP: ``format_status``.
        """
        return value if what == "message" else None

    def facts(self) -> Mapping[str, Plain]:
        """Numbers for whoever looks from outside: shown by ``snapshot`` and in the console.

        By default none. It is asked in the middle of anything the server does, also while a handler
        awaits, so it must be quick and change nothing. A raise hurts nobody.
        """
        return {}

    # -- for use in callbacks ---------------------------------------------------------------

    async def enter(self, manager: AbstractAsyncContextManager[T] | AbstractContextManager[T]) -> T:
        """Enter a context manager that the process closes when it ends, however it ends.

        Several are closed in reverse order, after ``terminate``, with the exception the process
        ends by. A nursery is cancelled first. What it returns from ``__exit__`` is ignored: a
        crash cannot be swallowed.
        """
        loop: ServerLoop | None = getattr(self, "_loop", None)
        if loop is None:
            raise OutsideProcess(f"{type(self).__name__}.enter was called outside a running server")
        return await loop.enter(manager)

    # pyright does not accept a class typed as a callable here, but infers every use of it rightly
    # -- starting ---------------------------------------------------------------------------

    @classmethod  # pyright: ignore[reportArgumentType]
    def child_spec(cls: Callable[P, GenServer], *args: P.args, **kwargs: P.kwargs) -> ChildSpec:
        """A spec that starts this class with these arguments, which are checked now.

        Options such as the name or the restart type are set with ``.replace(...)``.
        """
        return spec_of(cls, args, kwargs)

    @classmethod  # pyright: ignore[reportArgumentType]
    async def start(cls: Callable[P, GenServer], *args: P.args, **kwargs: P.kwargs) -> Ref:
        """``start(cls.child_spec(*args))``: see ``runtime.start``."""
        return await start(spec_of(cls, args, kwargs))

    @classmethod  # pyright: ignore[reportArgumentType]
    async def start_link(cls: Callable[P, GenServer], *args: P.args, **kwargs: P.kwargs) -> Ref:
        """``start_link(cls.child_spec(*args))``: see ``runtime.start_link``."""
        return await start_link(spec_of(cls, args, kwargs))

    @classmethod
    def _prepare(
        cls, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments every start uses; a behaviour may check more of them here."""
        return args, kwargs

    # -- the loop's side --------------------------------------------------------------------

    def _attach(self, loop: ServerLoop | None) -> None:
        self._loop = loop

    def _handler_of(self, message: object) -> Handler | None:
        return self._handlers.find(type(message))

    def _call_handler_of(self, request: object) -> CallHandler | None:
        """The method that takes this call; ``None`` where ``handle_call`` itself must be asked.

        What is found for a class is kept as long as its ``handle_call`` stays what it was then.
        """
        cls, kind = type(self), type(request)
        if "handle_call" in self.__dict__:
            return None
        found = cls._call_handlers.get(kind)
        if found is None or found[0] is not cls.handle_call:
            found = cls._call_handlers[kind] = (cls.handle_call, cls._find_call_handler(kind))
        return found[1]

    def _plain_cast_of(self, message: object) -> str | None:
        """The name of the ``def`` that takes this cast: see ``ServerLoop._handle_casts``."""
        cls, kind = type(self), type(message)
        if "handle_cast" in self.__dict__:
            return None
        found = cls._plain_casts.get(kind)
        if found is None or found[0] is not cls.handle_cast:
            found = cls._plain_casts[kind] = (cls.handle_cast, cls._find_plain_cast(kind))
        return found[1]

    @classmethod
    def _find_plain_cast(cls, message: type[object]) -> str | None:
        if not issubclass(message, Cast):
            return None
        if issubclass(message, SystemCast) and cls._handlers.find(message) is None:
            return "_gone_astray"
        name = "handle_cast"
        if cls.handle_cast is GenServer.handle_cast:
            handler = cls._handlers.find(message)
            if handler is None:
                return None
            name = handler.name
        return None if inspect.iscoroutinefunction(getattr(cls, name)) else name

    @classmethod
    def _find_call_handler(cls, request: type[object]) -> CallHandler | None:
        kind: type[object] = request
        if not issubclass(request, Call) or issubclass(request, SystemCall):
            return None
        if cls.handle_call is GenServer.handle_call:
            handler = cls._handlers.find(kind)
            if handler is None:
                return None
            name, wants_reply_to = handler.name, handler.wants_reply_to
        elif issubclass(request, HandleCall):
            return None
        else:
            name, wants_reply_to = "handle_call", True
        plain = not inspect.iscoroutinefunction(getattr(cls, name))
        return CallHandler(name, wants_reply_to=wants_reply_to, plain=plain)

    def _gone_astray(self, message: SystemCast) -> None:
        """What the runtime meant for another kind of server."""
        assert self._loop is not None, "it runs"
        message.gone_astray(self._loop.process.pid, self)
        self._unexpected(message)

    def _no_handler(self, kind: str, message: object) -> str:
        return (
            f"{type(self).__name__} has no handler for the {kind} {type(message).__name__}; "
            f"handled are: {', '.join(self._handlers.message_names()) or 'none'}"
        )

    def _unexpected(self, message: object) -> None:
        process = current_process()
        if process is not None and process.table.instruments.want(MessageUnexpected):
            text = process.body.describe(message)
            process.table.instruments.emit(MessageUnexpected(process.pid, text))


def spec_of(cls: object, args: tuple[Any, ...], kwargs: dict[str, Any]) -> ChildSpec:
    """The spec of a GenServer class; separate because there ``cls`` is typed as a callable."""
    assert isinstance(cls, type)
    assert issubclass(cls, GenServer)
    check = partial(_check_server, cls)
    args, kwargs = check(args, kwargs)
    return ChildSpec(
        target=cls,
        args=args,
        kwargs=kwargs,
        body_of=cls._body_class,
        check=check,
        behaviour=cls.__name__,
        type=cls._child_type,
        shutdown=cls._child_shutdown,
        mailbox=cls.mailbox,
    )


def _check_server(
    cls: type[GenServer], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    try:
        check_arguments(cls.__name__, cls, args, kwargs)
    except TypeError as exc:
        options = sorted(set(kwargs) & set(ChildOptions.__annotations__))
        if options:
            exc.add_note(f"{', '.join(options)}: options of a child are set with .replace(...)")
        raise
    return cls._prepare(args, kwargs)
