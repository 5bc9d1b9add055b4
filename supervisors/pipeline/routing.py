"""Which processor gets which message: by demand, or by partition; every group gets each."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import cast

from runtime.containment import attempt
from runtime.stages.demand_dispatcher import DemandDispatcher
from runtime.stages.dispatcher import Delivery, Dispatcher
from runtime.stages.partition_dispatcher import Hash, PartitionDispatcher, Routed, partition_of
from runtime.stages.subscription import Subscription
from runtime.stages.subscription_options import BadSubscription
from supervisors.pipeline.declaration import PartitionBy, Processors
from supervisors.pipeline.message import AnyMessage


def dispatcher_of(
    groups: Mapping[str, Processors], group_of: Callable[[Subscription], str]
) -> Dispatcher[AnyMessage]:
    """The dispatcher of a producer whose messages go to each of these groups."""
    made = {name: _within_group(processors) for name, processors in groups.items()}
    if len(made) == 1:
        return next(iter(made.values()))
    return GroupsDispatcher(made, group_of)


def _within_group(processors: Processors) -> Dispatcher[AnyMessage]:
    if processors.partition_by is None:
        return DemandDispatcher()
    count = processors.concurrency or 1
    return PartitionDispatcher(
        count, hash=partitioned(processors.partition_by, count), max_queued=processors.max_demand
    )


def partitioned(partition_by: PartitionBy, partitions: int) -> Hash[AnyMessage]:
    """As a dispatcher asks it; a message for which it fails goes to the first one, failed."""

    def route(message: AnyMessage) -> Hashable:
        index, error = attempt(_index_of, partition_by, message, partitions)
        return index if error is None else Routed(message.fail(error), 0)

    return cast("Hash[AnyMessage]", route)


def _index_of(partition_by: PartitionBy, message: AnyMessage, partitions: int) -> int:
    return partition_of(partition_by(message), partitions)


class GroupsDispatcher(Dispatcher[AnyMessage]):
    """Every message to each of several groups, and in each group as a dispatcher of its own says.

    As many are asked for as the group wants that wants fewest: one that is full, or not there,
    holds up the others, since it is to miss nothing.
    """

    def __init__(
        self,
        groups: Mapping[str, Dispatcher[AnyMessage]],
        group_of: Callable[[Subscription], str],
    ) -> None:
        self._groups = dict(groups)
        self._group_of = group_of
        self._of: dict[Subscription, Dispatcher[AnyMessage]] = {}

    @property
    def demand(self) -> int:
        """What the most modest group wants."""
        return min(group.demand for group in self._groups.values())

    def subscribe(self, subscription: Subscription) -> None:
        """A processor of one of the groups; ``BadSubscription`` for a stranger."""
        group = self._groups.get(self._group_of(subscription))
        if group is None:
            raise BadSubscription("the producers of a pipeline with groups serve only those")
        group.subscribe(subscription)
        self._of[subscription] = group

    def cancel(self, subscription: Subscription) -> None:
        """Forget a processor."""
        group = self._of.pop(subscription, None)
        if group is not None:
            group.cancel(subscription)

    def ask(self, subscription: Subscription, count: int) -> Sequence[Delivery[AnyMessage]]:
        """A processor wants so many more."""
        return self._of[subscription].ask(subscription, count)

    def dispatch(
        self, events: list[AnyMessage]
    ) -> tuple[list[Delivery[AnyMessage]], list[AnyMessage]]:
        """As many as all groups want, to all of them."""
        count = min(self.demand, len(events))
        deliveries: list[Delivery[AnyMessage]] = []
        if count:
            for group in self._groups.values():
                given, left = group.dispatch(events[:count])
                assert not left, "it has asked for them"
                deliveries += given
        return deliveries, events[count:]

    def mark(self, message: object) -> bool:
        """Keep an info until every group has passed this point; whether all have."""
        mark = _Mark(message)
        mark.left = sum(not group.mark(mark) for group in self._groups.values())
        return not mark.left

    def released(self) -> list[object]:
        """The infos that every group has passed since this was last asked."""
        released: list[object] = []
        for group in self._groups.values():
            for mark in group.released():
                assert isinstance(mark, _Mark), "nothing else is kept there"
                mark.left -= 1
                if not mark.left:
                    released.append(mark.message)
        return released

    @property
    def queued(self) -> int:
        """How many are kept for processors that have not asked for them yet."""
        return sum(group.queued for group in self._groups.values())


class _Mark:
    """An info, and how many groups have not passed it."""

    __slots__ = ("left", "message")

    def __init__(self, message: object) -> None:
        self.message, self.left = message, 0
