"""PartitionSupervisor: one child several times, found by key. OTP: ``PartitionSupervisor``.

It is a ``Supervisor`` with generated specs, and a directory: ``via("partitions", key)`` reads the
children's table at each use, so a partition that was restarted is found at once, and one that is
being restarted is like a name that nobody holds. No message goes to the supervisor for that.
"""

from __future__ import annotations

import inspect
import math
import os
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Any, TypeAlias

from runtime import (
    AlreadyStarted,
    ChildSpec,
    GenServer,
    Ignored,
    NoReply,
    ProcessNotFound,
    Ref,
    ReplyTo,
    UnhandledMessage,
    handles,
)
from runtime.containment import short_repr, show
from runtime.handle import Handle
from runtime.inspection.views import Plain
from runtime.keys import stable_hash
from runtime.messages import HandleCall
from runtime.outcomes import InitResult
from runtime.plain_functions import check_plain_function, check_takes
from runtime.process import Process
from runtime.server_body import ServerBody
from runtime.via import Directory
from supervisors.backoff import Backoff
from supervisors.children import Child, ChildCounts, ChildInfo, ChildSource, to_spec
from supervisors.requests import CountChildren, DeleteChild, StartChild, WhichChildren
from supervisors.strategies import Strategy
from supervisors.supervisor import Supervisor

WithArguments: TypeAlias = Callable[[tuple[object, ...], int], Iterable[object]]
"""Makes the positional arguments of one partition, given those of the child and its index."""


class Resize(HandleCall[int], frozen=True):
    """Route to this many partitions; the reply is how many there were."""

    partitions: int


class PartitionSupervisor(Supervisor, Directory):
    """A supervisor of one child in several partitions: ``PartitionSupervisorRef``, ``via``.

    - ``child``: what every partition runs. Ids are the indexes, from 0, in start order.
    - ``partitions``: how many; by default one for each core this program may use.
    - ``with_arguments(args, index)``: makes the positional arguments of a partition out of the
      child's; called for each when the supervisor starts.
    - ``strategy``, ``max_restarts`` in ``max_seconds``, ``backoff``: as for ``Supervisor``; the
      restarts of all partitions count together.

    ``via("partitions", key)`` leads an ``int`` to the remainder of its absolute value, any other
    key by its stable hash: of as many partitions always to the same one, in every run. If that is
    not up, a call raises ``CallExit`` and a cast vanishes.
    """

    def __init__(
        self,
        child: ChildSource,
        *,
        partitions: int | None = None,
        with_arguments: WithArguments | None = None,
        strategy: Strategy = "one_for_one",
        max_restarts: int = 3,
        max_seconds: float = 5.0,
        backoff: Backoff | None = None,
    ) -> None:
        self._child = _check_child(child)
        self.with_arguments = _check_with_arguments(with_arguments)
        self.most = _cores() if partitions is None else _check_partitions(partitions, least=1)
        self.partitions = self.most
        super().__init__(
            [self._child],
            strategy=strategy,
            max_restarts=max_restarts,
            max_seconds=max_seconds,
            backoff=backoff,
        )

    @classmethod
    def _prepare(
        cls, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Check the options when the spec is made, unless a subclass has its own constructor."""
        if cls.__init__ is PartitionSupervisor.__init__:
            bound = inspect.signature(cls).bind(*args, **kwargs)
            cls(*bound.args, **bound.kwargs)
            bound.arguments["child"] = to_spec(bound.arguments["child"])
            return bound.args, bound.kwargs
        return args, kwargs

    async def init(self) -> InitResult:
        """Make the specs, then start the partitions in order; if one fails, none stays."""
        self.specs = tuple(self._spec_of(index) for index in range(self.most))
        return await super().init()

    def _spec_of(self, index: int) -> ChildSpec:
        spec = self._child.replace(id=index)
        if self.with_arguments is None:
            return spec
        args = self.with_arguments(spec.args, index)
        if isinstance(args, str) or not isinstance(args, Iterable):
            raise TypeError(
                f"with_arguments: returned {short_repr(args)} for partition {index}, allowed is a "
                "list of arguments"
            )
        return spec.with_arguments(*args, **spec.kwargs)

    # -- as a directory ---------------------------------------------------------------------

    def index_of(self, key: Hashable) -> int:
        """The partition of a key."""
        if self.partitions == 0:
            raise ValueError(
                f"key {short_repr(key)} leads nowhere: {self._process.pid!r} was resized to 0 "
                "partitions"
            )
        if isinstance(key, int) and not isinstance(key, bool):
            return abs(key) % self.partitions
        return stable_hash(key) % self.partitions

    def find(self, key: Hashable) -> Process | None:
        """The process of a key's partition; see ``via``."""
        index = self.index_of(key)
        child = None if self.family is None else self.family.rows.get(index)
        process = None if child is None else child.process
        return None if process is None or process.status == "ended" else process

    def claim(self, key: Hashable, process: Process, value: object) -> None:
        """Refused: a partition is found by its key, nobody else can have that."""
        holder = self.find(key)
        if holder is not None:
            raise AlreadyStarted(show(key), holder.pid)
        raise TypeError(
            f"name: {self._process.pid!r} is a partition supervisor, allowed is a Registry; what "
            "is to run in the partition of a key is started by the process that runs there"
        )

    # -- requests ---------------------------------------------------------------------------

    @handles(Resize)
    async def resize(self, request: Resize, reply_to: ReplyTo[int]) -> NoReply:
        """See ``PartitionSupervisorRef.resize``."""
        before, after = self.partitions, request.partitions
        if after > self.most:
            reply_to.error(
                ValueError(
                    f"partitions: got {after}, allowed are 0 to {self.most}, as at the start"
                )
            )
            return NoReply()
        self.partitions = min(before, after)  # nobody is led to a partition that stops
        await self._stop_surplus()
        error = await self._start_more(before, after)
        if error is None:
            self.partitions = after
            reply_to.reply(before)
        else:
            await self._stop_surplus()
            reply_to.error(error)
        return NoReply()

    async def _stop_surplus(self) -> None:
        """Stop what is not routed to, last first."""
        for child in reversed(tuple(self._family.rows)):
            if child.status != "stopped" and not self._is_routed(child):
                await self._family.stop(child)

    async def _start_more(self, before: int, after: int) -> Exception | None:
        """Start the partitions from ``before`` on; what went wrong is returned."""
        for spec in self.specs[before:after]:
            child = self._family.rows.get(spec.id)
            if child is None:  # a temporary one that has ended
                error = await self._family.start_new(Child(spec))
            else:
                error = await self._family.start(child)
            if error is not None and not isinstance(error, Ignored):
                return error
        return None

    def facts(self) -> Mapping[str, Plain]:
        """Also how many partitions keys are led to; see ``GenServer.facts``."""
        return {"partitions": self.partitions, "most": self.most, **super().facts()}

    def _is_routed(self, child: Child) -> bool:
        return child.spec.id in range(self.partitions)

    def _group_of(self, child: Child) -> list[Child]:
        """Partitions that were stopped by a resize are not started with the others."""
        return [member for member in super()._group_of(child) if self._is_routed(member)]

    @handles(StartChild)
    async def start_child(self, request: StartChild, reply_to: ReplyTo[Ref]) -> NoReply:
        """Refused: there is nothing but partitions."""
        return _refuse(request, reply_to)

    @handles(DeleteChild)
    def delete_child(self, request: DeleteChild, reply_to: ReplyTo[None]) -> NoReply:
        """Refused, for the same reason."""
        return _refuse(request, reply_to)


class PartitionSupervisorRef(Handle):
    """A handle of a partition supervisor: ``PartitionSupervisorRef("partitions")``."""

    __slots__ = ()

    def partitions(self) -> int:
        """How many partitions keys are routed to now. OTP: ``partitions``.

        Read where it is, without a message; ``ProcessNotFound`` if the supervisor is not running.
        """
        return self._server().partitions

    def partition_of(self, key: Hashable) -> int:
        """The index a key is routed to. ``ValueError`` while there are 0 partitions.

        ``TypeError`` for a key that has no stable hash: str, bytes, numbers, ``None``, enums,
        dates, ``UUID``, ``Pid`` and tuples of these have one. ``ProcessNotFound``.
        """
        return self._server().index_of(key)

    async def resize(self, partitions: int) -> int:
        """Route to that many partitions from now on; returns how many it were. OTP: ``resize!``.

        With fewer, keys are routed anew at once, then the surplus is stopped, last first, and kept
        as stopped children; with more, up to the number at the start (``ValueError`` above), those
        are started again first. If one does not start, its ``StartError`` is raised and all is as
        before. With 0, routing raises ``ValueError``. A restart of the supervisor begins with the
        number at the start. Cancelling gives up the wait; it is resized all the same.
        """
        return await self.call(Resize(_check_partitions(partitions, least=0)), timeout=math.inf)

    async def which_children(self) -> list[ChildInfo]:
        """The partitions, as in OTP the one started last comes first; ids are the indexes."""
        return await self.call(WhichChildren(), timeout=math.inf)

    async def count_children(self) -> ChildCounts:
        """The partitions in numbers, those that a resize has stopped included."""
        return await self.call(CountChildren(), timeout=math.inf)

    def _server(self) -> PartitionSupervisor:
        process = self.find()
        if process is None:
            raise ProcessNotFound(self)
        process.check_thread()
        server = process.body.server if isinstance(process.body, ServerBody) else None
        if isinstance(server, PartitionSupervisor):
            return server
        if server is None and process.status == "starting":
            raise ProcessNotFound(self)
        raise TypeError(
            f"target: {process.pid!r} is none, allowed is a running PartitionSupervisor"
        )


def _refuse(request: HandleCall[Any], reply_to: ReplyTo[Any]) -> NoReply:
    reply_to.error(
        UnhandledMessage(
            f"a partition supervisor does not handle the call {type(request).__name__}; its "
            "children are its partitions, resize(n) changes how many"
        )
    )
    return NoReply()


def _cores() -> int:
    """The cores this program may use."""
    affinity: Callable[[int], set[int]] | None = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity is not None else os.cpu_count() or 1


def _check_child(child: ChildSource) -> ChildSpec:
    if not _can_be_child(child):
        raise TypeError(
            f"child: got {child!r}, allowed are a ChildSpec such as Counter.child_spec(10), a "
            "GenServer class and an async function"
        )
    spec = to_spec(child)
    if spec.name is not None:
        raise ValueError(
            f"name of child {short_repr(spec.id)}: got {spec.name!r}, allowed is None: every "
            "partition would have it; they are found by via(name of the supervisor, key)"
        )
    if spec.enabled is not True:
        raise ValueError(
            f"enabled of child {short_repr(spec.id)}: got {spec.enabled!r}, allowed is True: a key "
            "would lead nowhere; set it on the spec of the partition supervisor"
        )
    return spec


def _can_be_child(child: object) -> bool:
    if isinstance(child, type):
        return issubclass(child, GenServer)
    return isinstance(child, ChildSpec) or callable(child)


def _check_with_arguments(with_arguments: WithArguments | None) -> WithArguments | None:
    if with_arguments is not None:
        check_plain_function(
            "with_arguments", with_arguments, "what takes time belongs into the child's init"
        )
        check_takes("with_arguments", with_arguments, "args", "index")
    return with_arguments


def _check_partitions(partitions: object, *, least: int) -> int:
    if isinstance(partitions, bool) or not isinstance(partitions, int):
        raise TypeError(f"partitions: got {partitions!r}, allowed is an int of {least} or more")
    if partitions < least:
        raise ValueError(f"partitions: got {partitions}, allowed is an int of {least} or more")
    return partitions
