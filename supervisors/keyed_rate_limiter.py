"""KeyedRateLimiter: one limiter per key, a host or a customer, say, for as long as it is needed.

A supervisor with a registry, which knows the limiters by key, and a dynamic supervisor, whose
children they are. A limiter is started when its key is first asked for and ends when it has been
idle; it ends no sooner than a fresh one would allow no more, so nobody gains by waiting for that.
Whoever asks in the moment of such an end asks again, of a new one. A limiter is found by looking,
without a message; only a key that has none goes through the supervisor, which makes one, once.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Hashable, Mapping
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Any, Generic, TypeVar

import trio

from runtime import (
    CallExit,
    NoProcess,
    NoReply,
    Normal,
    Pid,
    ProcessNotFound,
    Ref,
    ReplyTo,
    StartError,
    handles,
)
from runtime.containment import attempt
from runtime.handle import Handle
from runtime.inspection.views import Plain
from runtime.keys import check_key
from runtime.messages import HandleCall
from runtime.outcomes import check_seconds
from runtime.process import Process
from runtime.registry import Registry
from runtime.registry_ref import RegistryRef
from runtime.server_body import ServerBody
from runtime.via import Directory, via
from supervisors.dynamic_supervisor import DynamicSupervisor
from supervisors.dynamic_supervisor_ref import DynamicSupervisorRef
from supervisors.errors import MaxChildren
from supervisors.limiter_requests import LimiterStats, MaxKeys, Permit
from supervisors.permits import check_count
from supervisors.rate_limiter import RateLimiter, check_idle_stop
from supervisors.rate_limiter_ref import PermitBlock, RateLimiterRef, release
from supervisors.supervisor import Supervisor

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")

_ATTEMPTS = 3


class StartLimiter(HandleCall[None], frozen=True):
    """See to it that this key has a limiter."""

    key: Hashable


class KeyedRateLimiter(Supervisor, Directory):
    """Limiters by key, all alike; a child like any other, named ``hosts``, say.

    - ``limit``, ``rate``, ``per``, ``burst``, ``max_queue``: of each limiter, see ``RateLimiter``.
    - ``idle_stop``: seconds without permits in use, waiters and requests after which a limiter
      ends; with a rate, not before its bucket is full.
    - ``max_keys``: how many keys may have a limiter at once; for one more ``MaxKeys`` is raised.
      ``None`` is no limit.

    Keys are hashable and told apart by type as well as by value. Talk to it by
    ``KeyedRateLimiterRef``; ``via("hosts", key)`` leads to the limiter of a key that has one. A
    limiter that crashes is not restarted: the next request for its key starts another. If the
    registry or the supervisor of the limiters crashes, both start afresh, without any limiter.
    """

    def __init__(
        self,
        limit: int | None = None,
        *,
        rate: float | None = None,
        per: float = 1.0,
        burst: int | None = None,
        max_queue: int | None = None,
        idle_stop: float = 60.0,
        max_keys: int | None = None,
    ) -> None:
        if max_keys is not None:
            check_count("max_keys", max_keys, 1)
        check_idle_stop(idle_stop)
        limiter = RateLimiter.child_spec(
            limit, rate=rate, per=per, burst=burst, max_queue=max_queue, idle_stop=idle_stop
        )
        self._limiter = limiter.replace(restart="temporary")
        super().__init__(
            [
                Registry.child_spec("unique").replace(id="names"),
                DynamicSupervisor.child_spec(max_children=max_keys).replace(id="limiters"),
            ],
            strategy="one_for_all",
        )

    @classmethod
    def _prepare(
        cls, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Check the options when the spec is made, unless a subclass has its own constructor."""
        if cls.__init__ is KeyedRateLimiter.__init__:
            cls(*args, **kwargs)
        return args, kwargs

    # -- as a directory ---------------------------------------------------------------------

    def find(self, key: Hashable) -> Process | None:
        """The limiter of a key, if it has one; see ``via``."""
        names = self.names()
        return None if names is None else via(names, key).find()

    def claim(self, key: Hashable, process: Process, value: object) -> None:
        """Refused: the keys are those of the limiters."""
        raise TypeError(
            "name: got a key of a KeyedRateLimiter, which names nothing but its limiters"
        )

    def names(self) -> Pid | None:
        """The registry that has the limiters by key, while it is there."""
        return self._pid_of("names")

    def _pid_of(self, child_id: str) -> Pid | None:
        child = None if self.family is None else self.family.rows.get(child_id)
        return None if child is None or child.process is None else child.process.pid

    def facts(self) -> Mapping[str, Plain]:
        """Also how many keys have a limiter; see ``GenServer.facts``."""
        names = self.names()
        keys = 0 if names is None else RegistryRef[Hashable, None](names).count()
        return {"keys": keys, **super().facts()}

    # -- requests ---------------------------------------------------------------------------

    @handles(StartLimiter)
    async def _start_limiter(self, request: StartLimiter, reply_to: ReplyTo[None]) -> NoReply:
        """Start it here, so that a requester who gives up harms none who came after."""
        limiter, error = attempt(self.find, request.key)
        if limiter is None and error is None:
            error = await self._start_new(request.key)
        if error is not None:
            reply_to.error(error)
            error = None  # this frame is in its traceback: break the cycle
        else:
            reply_to.reply(None)
        return NoReply()

    async def _start_new(self, key: Hashable) -> Exception | None:
        """Why there is none now, if whoever asked cannot just ask again."""
        names, limiters = self.names(), self._pid_of("limiters")
        if names is None or limiters is None:
            return None
        try:
            spec = self._limiter.replace(name=via(names, key))
            await DynamicSupervisorRef(limiters).start_child(spec)
        except MaxChildren as exc:
            return MaxKeys(exc.limit)
        except (StartError, CallExit):
            return None  # the registry or the supervisor has just ended, and will be started anew
        return None


class KeyedRateLimiterRef(Handle, Generic[K]):
    """A handle of a keyed limiter; ``K`` is the type of its keys.

    ``hosts: KeyedRateLimiterRef[str] = KeyedRateLimiterRef("hosts")``. Its methods raise
    ``CallExit`` if there is none, or if the key's limiter crashes meanwhile, and ``MaxKeys`` if the
    key has no limiter and ``max_keys`` others have.
    """

    __slots__ = ()

    async def acquire(self, key: K, *, timeout: float = math.inf) -> Permit:
        """Wait for a permit of this key; see ``RateLimiterRef.acquire``.

        ``timeout`` covers the wait in the queue, not the start of a limiter.
        """
        check_seconds("timeout", timeout)
        deadline = trio.current_time() + timeout

        async def ask(limiter: RateLimiterRef) -> Permit:
            return await limiter.acquire(timeout=max(0.0, deadline - trio.current_time()))

        return await self._ask(key, ask)

    async def try_acquire(self, key: K) -> Permit | None:
        """A permit of this key if there is one now, else ``None``; never waits for one."""
        return await self._ask(key, RateLimiterRef.try_acquire)

    def release(self, permit: Permit) -> None:
        """Give a permit back; see ``RateLimiterRef.release``."""
        release(permit)

    def permit(self, key: K, *, timeout: float = math.inf) -> AbstractAsyncContextManager[Permit]:
        """Hold a permit for the length of a block: ``async with hosts.permit("example.org"):``."""
        check_key(key)
        check_seconds("timeout", timeout)
        return PermitBlock(partial(self.acquire, key, timeout=timeout))

    async def stats(self, key: K) -> LimiterStats | None:
        """How things are with this key; ``None`` if it has no limiter just now."""
        try:
            return await self._limiter(key).stats()
        except CallExit as exc:
            if _may_ask_again(exc) and self.find() is not None:
                return None
            raise

    def keys(self) -> list[K]:
        """The keys that have a limiter now, in the order in which these were started.

        ``ProcessNotFound`` if there is no keyed limiter.
        """
        names = _find_keyed(self).names()
        if names is None:
            return []
        try:
            return [key for key, _, _ in RegistryRef[K, None](names).select()]
        except ProcessNotFound:  # it has just ended, and will be started anew
            return []

    def _limiter(self, key: K) -> RateLimiterRef:
        check_key(key)
        return RateLimiterRef(via(self, key))

    async def _ask(self, key: K, ask: Callable[[RateLimiterRef], Awaitable[T]]) -> T:
        """Ask the key's limiter, which is started if need be; a new one if it ends as idle."""
        limiter = self._limiter(key)
        for _ in range(_ATTEMPTS - 1):
            await self._start(limiter, key)
            try:
                return await ask(limiter)
            except CallExit as exc:
                if not _may_ask_again(exc):
                    raise
        await self._start(limiter, key)
        return await ask(limiter)

    async def _start(self, limiter: RateLimiterRef, key: K) -> None:
        if limiter.whereis() is None:
            await self.call(StartLimiter(key), timeout=math.inf)


def _may_ask_again(exc: CallExit) -> bool:
    """Whether the limiter was idle, and so owed nothing to anybody."""
    return isinstance(exc.reason, Normal | NoProcess)


def _find_keyed(handle: Ref) -> KeyedRateLimiter:
    """The running server a handle leads to."""
    process = handle.find()
    if process is None:
        raise ProcessNotFound(handle)
    process.check_thread()
    server = process.body.server if isinstance(process.body, ServerBody) else None
    if server is None and process.status == "starting":
        raise ProcessNotFound(handle)
    if not isinstance(server, KeyedRateLimiter):
        raise TypeError(f"target: {process.pid!r} is no KeyedRateLimiter")
    return server
