"""ConsumerSupervisor: one supervised child for each event. GenStage: ``ConsumerSupervisor``.

A dynamic supervisor whose starts are bounded by demand: it asks its producers for so many events,
starts a child for each, and asks for more when children are gone, so there are never more of them
than its subscriptions together allow. The children of one message start at once, and those that
fail to are asked for again together, by a message to itself that comes behind their ends.
"""

from __future__ import annotations

from collections.abc import Coroutine, Iterable, Mapping
from typing import Any, Final, Unpack

import trio
from trio.lowlevel import enable_ki_protection

from runtime import ChildSpec, ExitReason, Ignored, NoReply, Ref, ReplyTo, handles
from runtime.child_spec import Restart
from runtime.containment import attempt, short_repr
from runtime.exits import Crashed
from runtime.inspection.views import Plain
from runtime.instruments import ChildStartFailed
from runtime.outcomes import InitResult
from runtime.process import Process
from runtime.stages.consumer import Consumer
from runtime.stages.subscription import Peer, Subscription, SubscriptionEnded
from runtime.stages.subscription_options import Mode
from runtime.stages.wanted import ProducerTarget, SubscriptionKeywords, Wanted
from supervisors.backoff import Backoff
from supervisors.dynamic_children import DynamicChild
from supervisors.dynamic_supervisor import DynamicSupervisor
from supervisors.event_budgets import EventBudgets
from supervisors.event_children import EventChild, EventChildSource, EventTemplate
from supervisors.requests import GiveBack, StartForEvent

_DROP: Final = "drop its event"

_AT_ONCE: Final = 64
"""Children that are started in one step."""


class ConsumerSupervisor(Consumer[object], DynamicSupervisor):
    """Starts a child for each event that its producers send: ``ConsumerSupervisorRef``.

    - ``child``: a GenServer class or an async function that takes the event as its last argument; a
      spec, behind whose arguments the event goes; or a plain function that returns a spec of an
      event, such as ``lambda event: Job.child_spec(event).replace(restart="transient")``.
    - ``restart``: ``"temporary"``, a child is done however it ends, or ``"transient"``, one that
      crashes is started again with the same event. By default what the spec says, ``"temporary"``
      for a class or function. ``"permanent"`` is refused: such a child is never done.
    - ``to``: the producers to subscribe to, with these ``options`` of a subscription, such as
      ``max_demand=10``: how many children there may be at once for each of them. There can be more
      subscriptions, made by ``subscribe``.
    - ``extra_arguments``: positional arguments that go before those of each child.
    - ``max_restarts`` in ``max_seconds``, ``backoff``: as for ``Supervisor``.

    A child that is gone gives its place back: once there are ``min_demand`` of those, so many
    events are asked for. One that fails to start drops its event, which is told, as does one whose
    ``init`` says ``Ignore()``; both give their places back. Children started by hand count for
    nobody. What it does at a subscription's end is what any consumer does; its children go on.
    """

    def __init__(
        self,
        child: EventChildSource,
        *,
        restart: Restart | None = None,
        to: ProducerTarget | Iterable[ProducerTarget] = (),
        extra_arguments: Iterable[object] = (),
        max_restarts: int = 3,
        max_seconds: float = 5.0,
        backoff: Backoff | None = None,
        **options: Unpack[SubscriptionKeywords],
    ) -> None:
        super().__init__(
            max_restarts=max_restarts,
            max_seconds=max_seconds,
            extra_arguments=extra_arguments,
            backoff=backoff,
        )
        self._template = EventTemplate(child, self.extra_arguments, restart)
        self._wanted = Wanted(to, options)
        self._budgets = EventBudgets()
        self._dropped: dict[Subscription, int] = {}  # and not given back yet

    @classmethod
    def _prepare(
        cls, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Check the options when the spec is made, unless a subclass has its own constructor."""
        if cls.__init__ is ConsumerSupervisor.__init__:
            return cls._prepare_by_making(args, kwargs)
        return args, kwargs

    def init(self) -> InitResult:
        """Subscribe. A subclass with an ``init`` of its own calls this one."""
        self._wanted.subscribe(self)
        return None

    # -- its producers ----------------------------------------------------------------------

    def handle_subscribe(self, peer: Peer, subscription: Subscription) -> Mode:
        """Ask for as many events as may be under way; after that the children's ends do."""
        subscription.ask(self._budgets.open(subscription))
        return "manual"

    def handle_cancel(self, subscription: Subscription, end: SubscriptionEnded) -> None:
        """The children of its events go on; nobody is told when they are done."""
        self._budgets.close(subscription)

    def handle_events(
        self, events: list[object], subscription: Subscription
    ) -> Coroutine[Any, Any, None] | None:
        """Start a child for each; of very many, others have a turn in between."""
        excess = self._budgets.arrived(subscription, len(events))
        if excess:
            self._stage_report_excess(subscription, excess)
        for event in events[:_AT_ONCE]:
            self._start_for(event, subscription)
        more = events[_AT_ONCE:]
        return self._start_more(more, subscription) if more else None

    async def _start_more(self, events: list[object], subscription: Subscription) -> None:
        for number, event in enumerate(events):
            if number % _AT_ONCE == 0:
                await trio.lowlevel.checkpoint()
            self._start_for(event, subscription)

    def _start_for(self, event: object, subscription: Subscription) -> None:
        spec, error = attempt(self._spec_for, event)
        if spec is not None:
            error = self._start_child_of(EventChild(spec, subscription))
        if error is not None:
            if not isinstance(error, Ignored):
                self._tell_drop(None if spec is None else spec.id, Crashed(error))
            self._drop(subscription)
            error = None  # this frame is in its traceback: break the cycle

    def _spec_for(self, event: object) -> ChildSpec:
        spec = self._template.spec(event)
        if not spec.is_enabled():
            raise Ignored(f"child {short_repr(spec.id)} is not enabled")
        return spec

    @enable_ki_protection  # a process that the table does not know would never be stopped
    def _start_child_of(self, child: EventChild) -> Exception | None:
        error = self._spawn(child)
        if error is not None:
            return error
        assert child.process is not None
        self.children.add(child, child.process)
        if child.process.status == "running":
            self.child_is_up(child, child.process)
        return None

    # -- the ends of children ---------------------------------------------------------------

    def child_is_gone(self, child: DynamicChild, process: Process, reason: ExitReason) -> None:
        """One that never was up drops its event, unless it was asked to end."""
        asked = child.stopping or process.stop_asked_at is not None
        if isinstance(child, EventChild) and child.is_new and not asked:
            child.stopping = child.drops = True
            if not process.ignored:
                self._tell_drop(child.spec.id, reason)
        super().child_is_gone(child, process, reason)

    def _forget(self, child: DynamicChild) -> None:
        super()._forget(child)
        if not isinstance(child, EventChild):
            return
        if child.drops:
            self._drop(child.subscription)
        else:
            self._give_back(child.subscription, 1)

    def _drop(self, subscription: Subscription) -> None:
        """Its place is given back with those of others that do not start either."""
        if not self._dropped:
            self._process.post_system(GiveBack())
        self._dropped[subscription] = self._dropped.get(subscription, 0) + 1

    @handles(GiveBack)
    def _give_all_back(self, message: GiveBack) -> None:
        dropped, self._dropped = self._dropped, {}
        for subscription, count in dropped.items():
            self._give_back(subscription, count)

    def _give_back(self, subscription: Subscription, count: int) -> None:
        subscription.ask(self._budgets.done(subscription, count))

    # -- asked and told ---------------------------------------------------------------------

    @handles(StartForEvent)
    def start_for_event(self, request: StartForEvent, reply_to: ReplyTo[Ref]) -> NoReply:
        """See ``ConsumerSupervisorRef.start_child``."""
        if not reply_to.answered:
            spec, error = attempt(self._spec_for, request.event)
            if spec is None:
                assert error is not None
                reply_to.error(error)
                error = None  # this frame is in its traceback: break the cycle
            else:
                self._start_new(spec, reply_to)
        return NoReply()

    def facts(self) -> Mapping[str, Plain]:
        """How many children it has and may have for its producers; see ``GenServer.facts``."""
        facts = {**super().facts()}
        del facts["max_children"], facts["pending demand"]
        return {
            **facts,
            "producers": len(self._budgets),
            "under_way": self._budgets.under_way,
            "max_demand": sum(one.max_demand for one in self._budgets),
        }

    def _tell_drop(self, child_id: object, reason: ExitReason) -> None:
        process = self._process
        if process.table.instruments.want(ChildStartFailed):
            process.table.instruments.emit(ChildStartFailed(process.pid, child_id, reason, _DROP))
