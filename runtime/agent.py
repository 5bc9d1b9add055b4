"""Agent: a state, and plain functions that are run on it one after the other. OTP: ``Agent``.

An agent is a GenServer whose requests carry the function to run, so a state that is only read and
replaced needs no class of its own. What the functions get and return is never shown in a report.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar, cast

from runtime.calls import Ref
from runtime.child_spec import ChildSpec
from runtime.errors import BadResult
from runtime.gen_server import GenServer, spec_of
from runtime.handle import Handle
from runtime.handlers import handles
from runtime.messages import Cast, HandleCall
from runtime.outcomes import Reply, check_seconds
from runtime.pid import Pid
from runtime.plain_functions import check_plain_function, signature_of
from runtime.spawning import check_arguments, function_name
from runtime.starts import start, start_link
from runtime.timeouts import DEFAULT_TIMEOUT
from runtime.user_code import as_coroutine

S = TypeVar("S")
R = TypeVar("R")
P = ParamSpec("P")

_USE_A_SERVER = "an agent's functions are plain def; use a GenServer"


class Work:
    """A function and what it is to be called with beside the state; shown by its name alone."""

    __slots__ = ("_args", "_fn", "_kwargs")

    def __init__(
        self, fn: Callable[..., object], args: tuple[object, ...], kwargs: dict[str, object]
    ) -> None:
        check_plain_function("fn", fn, _USE_A_SERVER)
        self._fn = fn
        self._args = args
        self._kwargs = kwargs

    def check_arguments(self) -> None:
        """Refuse arguments that the function would refuse, if it says what it takes."""
        if signature_of(self._fn) is not None:
            check_arguments(repr(self), self._fn, self._args, self._kwargs)

    def run(self, *state: object) -> object:
        """Call it, with the state first."""
        result = self._fn(*state, *self._args, **self._kwargs)
        coroutine = as_coroutine(result)
        if coroutine is not None:
            coroutine.close()
            raise BadResult(f"{self} returned a coroutine; {_USE_A_SERVER}", result)
        return result

    def __repr__(self) -> str:
        return function_name(self._fn)


class Get(HandleCall[object]):
    """Reply with what ``work`` makes of the state."""

    work: Work


class Update(HandleCall[None]):
    """Replace the state by what ``work`` makes of it."""

    work: Work


class GetAndUpdate(HandleCall[object]):
    """Reply with the first of the pair that ``work`` makes of the state, and keep the second."""

    work: Work


class CastUpdate(Cast):
    """``Update`` without an answer."""

    work: Work


class AgentRef(Handle, Generic[S]):
    """The handle of an agent whose state is an ``S``: ``AgentRef[dict[str, int]]("scores")``.

    Made of a name, a pid or a ``Ref``. ``timeout`` seconds is what every call waits for its
    result, the wait in the queue included; ``math.inf`` for no limit.

    The functions get the state and the arguments given with them. They are plain ``def``, run
    inside the agent, one at a time, and must not block. One that raises crashes the agent: the
    caller gets ``CallExit`` with the exception as its cause, the agent's supervisor decides.
    Nothing is copied: who returns the state itself shares it with the agent.
    """

    __slots__ = ("_timeout",)

    def __init__(self, target: str | Pid | Ref, *, timeout: float = DEFAULT_TIMEOUT) -> None:
        super().__init__(target)
        self._timeout = check_seconds("timeout", timeout)

    async def get(
        self, fn: Callable[Concatenate[S, P], R], /, *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """``fn(state, *args, **kwargs)``, from inside the agent. OTP: ``Agent.get``.

        Errors and cancelling are those of ``Ref.call``.
        """
        return cast("R", await self.call(Get(Work(fn, args, kwargs)), timeout=self._timeout))

    async def update(
        self, fn: Callable[Concatenate[S, P], S], /, *args: P.args, **kwargs: P.kwargs
    ) -> None:
        """Make ``fn(state, *args, **kwargs)`` the state, and wait for it. OTP: ``Agent.update``.

        ``fn`` returns the new state, also if it changes the old one in place. Errors are those of
        ``Ref.call``. A time-out, or cancelling the wait, takes nothing back: the update is made.
        """
        await self.call(Update(Work(fn, args, kwargs)), timeout=self._timeout)

    async def get_and_update(
        self, fn: Callable[Concatenate[S, P], tuple[R, S]], /, *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Return the first, keep the second of what ``fn(state, *args, **kwargs)`` returns.

        OTP: ``Agent.get_and_update``. Anything but a pair crashes the agent with ``BadResult``.
        Errors and cancelling as in ``update``.
        """
        work = Work(fn, args, kwargs)
        return cast("R", await self.call(GetAndUpdate(work), timeout=self._timeout))

    def cast_update(
        self, fn: Callable[Concatenate[S, P], S], /, *args: P.args, **kwargs: P.kwargs
    ) -> None:
        """``update`` without waiting; never blocks. OTP: ``Agent.cast``.

        Named so because ``cast`` sends a ``Cast``, as that of every ``Ref`` does. If nobody is
        there it vanishes. ``MailboxFull`` under the policy ``raise``.
        """
        self.cast(CastUpdate(Work(fn, args, kwargs)))


class Agent(GenServer, Generic[S]):
    """A process that holds a state, made by ``fn(*args, **kwargs)`` inside it. OTP: ``Agent``.

    ``Agent.child_spec(dict)`` and ``Agent.child_spec(load, path)`` are children like any other; a
    restart calls the function again, and what the state was is lost. ``AgentRef`` leads to it.
    ``fn`` is a plain function; if it raises, the start fails. ``redact`` decides, as for every
    server, whether a crash report shows the state: by default not. The state is the attribute
    ``state``, for ``redact``, ``terminate`` and ``replace_state``. A subclass gives it a name, or
    callbacks of its own, and keeps these arguments.
    """

    state: S

    def __init__(self, fn: Callable[P, S], /, *args: P.args, **kwargs: P.kwargs) -> None:
        self._first = Work(fn, args, kwargs)

    # The base class takes the arguments from the class's own `__init__`, and no checker can find
    # them there when they are again those of a function.
    @classmethod
    def child_spec(  # type: ignore[override]
        cls, fn: Callable[P, S], /, *args: P.args, **kwargs: P.kwargs
    ) -> ChildSpec:
        """A spec of an agent that starts with ``fn(*args, **kwargs)``, which are checked now."""
        return spec_of(cls, (fn, *args), kwargs)

    @classmethod
    async def start(  # type: ignore[override]
        cls, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs
    ) -> AgentRef[R]:
        """Start an agent linked to nobody: see ``runtime.start``. OTP: ``Agent.start``."""
        return AgentRef(await start(spec_of(cls, (fn, *args), kwargs)))

    @classmethod
    async def start_link(  # type: ignore[override]
        cls, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs
    ) -> AgentRef[R]:
        """Start an agent linked to the calling process: see ``runtime.start_link``.

        OTP: ``Agent.start_link``.
        """
        return AgentRef(await start_link(spec_of(cls, (fn, *args), kwargs)))

    @classmethod
    def _prepare(
        cls, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Refuse a first function that could never work when the spec is made."""
        cls(*args, **kwargs)._first.check_arguments()
        return args, kwargs

    def init(self) -> None:
        """Make the first state."""
        self.state = cast("S", self._first.run())

    @handles(Get)
    def _get(self, request: Get) -> Reply[object]:
        return Reply(request.work.run(self.state))

    @handles(Update)
    def _update(self, request: Update) -> None:
        self.state = cast("S", request.work.run(self.state))

    @handles(GetAndUpdate)
    def _get_and_update(self, request: GetAndUpdate) -> Reply[object]:
        result = request.work.run(self.state)
        if not _is_pair(result):
            raise BadResult(
                f"{request.work} returned no pair but a {type(result).__name__}, "
                "allowed is a tuple: (reply, new state)",
                result,
            )
        reply, self.state = cast("tuple[object, S]", result)
        return Reply(reply)

    @handles(CastUpdate)
    def _cast_update(self, message: CastUpdate) -> None:
        self.state = cast("S", message.work.run(self.state))


def _is_pair(result: object) -> bool:
    return isinstance(result, tuple) and len(cast("tuple[object, ...]", result)) == 2
