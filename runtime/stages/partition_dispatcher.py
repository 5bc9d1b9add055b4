"""Each event to the consumer of its partition. GenStage: ``GenStage.PartitionDispatcher``."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterable
from typing import Final, Generic, TypeAlias, TypeVar, cast

import msgspec

from runtime.containment import short_repr
from runtime.keys import stable_hash
from runtime.stages.dispatcher import Delivery, Dispatcher
from runtime.stages.refusals import check_limit, refuse_selector
from runtime.stages.subscription import Subscription
from runtime.stages.subscription_options import BadSubscription
from runtime.user_code import call_user

T = TypeVar("T")


class NoPartition(msgspec.Struct, frozen=True):
    """The type of ``NO_PARTITION``."""


NO_PARTITION: Final = NoPartition()
"""What ``hash=`` returns for an event that nobody is to get."""


class Routed(msgspec.Struct, Generic[T], frozen=True):
    """What ``hash=`` returns to put another ``event`` in the place of the one it was given."""

    event: T
    partition: Hashable


Partition: TypeAlias = Hashable
Hash: TypeAlias = Callable[[T], "Partition | Routed[T] | NoPartition"]
"""Says to which partition an event belongs."""


class _Mark:
    """An info, and how many queues have not passed it."""

    __slots__ = ("left", "message")

    def __init__(self, message: object, left: int) -> None:
        self.message, self.left = message, left


class _Partition:
    """A partition, its consumer and what waits for that.

    While something waits nothing is pending, since the one is given to the other at once.
    """

    __slots__ = ("events", "name", "pending", "queue", "subscription")

    def __init__(self, name: Partition) -> None:
        self.name = name
        self.subscription: Subscription | None = None
        self.pending = 0
        self.queue: deque[object] = deque()  # events and marks
        self.events = 0  # in the queue


class PartitionDispatcher(Dispatcher[T]):
    """Gives each event to the consumer of its partition, in order within the partition.

    - ``partitions``: their names, or how many, which are then called 0, 1, 2 ... Each has one
      consumer, which subscribes with ``partition=``.
    - ``hash(event)``: the partition of an event; or ``NO_PARTITION``, and the event vanishes and
      another one is asked for; or ``Routed(other, partition)``, and the consumer gets the other.
      Without it ``partition_of`` the event itself, which needs numbered partitions. It runs in the
      producer: what it raises ends that, and so does a partition that it makes up (``ValueError``).
    - ``max_queued``: how many events may wait for one consumer; no limit by default.

    The producer makes as many events as all consumers have asked for together, whichever partition
    they turn out to belong to. What a consumer has not asked for waits here, also for one that is
    yet to subscribe, and for the successor of one that is gone; meanwhile the others get fewer, and
    in the end nothing. With ``max_queued`` no event is asked for or taken that could be one too
    many for a partition.

    A missing, unknown or taken partition is refused with ``BadSubscription``.
    """

    def __init__(
        self,
        partitions: int | Iterable[Partition],
        *,
        hash: Hash[T] | None = None,
        max_queued: int | None = None,
    ) -> None:
        names = _check_partitions(partitions)
        if hash is None and names != list(range(len(names))):
            raise ValueError(
                f"hash: not given, but the partitions are {_listed(names)}; allowed is to leave it "
                f"out for partitions={len(names)} only"
            )
        self._hash: Hash[T] = hash or (lambda event: partition_of(event, len(names)))
        self._max_queued = check_limit("max_queued", max_queued, 1)
        self._partitions = {name: _Partition(name) for name in names}
        self._of: dict[Subscription, _Partition] = {}
        self._pending = 0
        self._queued = 0
        self._released: list[object] = []

    @property
    def demand(self) -> int:
        """What the consumers want together, less what waits here already."""
        wanted = max(self._pending - self._queued, 0)
        if self._max_queued is None or not wanted:
            return wanted
        return min(wanted, *map(self._room_of, self._partitions.values()))

    def _room_of(self, partition: _Partition) -> int:
        assert self._max_queued is not None, "asked for only then"
        return self._max_queued - partition.events + partition.pending

    @property
    def queued(self) -> int:
        """How many events wait here for a consumer."""
        return self._queued

    def subscribe(self, subscription: Subscription) -> None:
        """A consumer for a partition that has none; ``BadSubscription``."""
        refuse_selector(subscription, self)
        name = subscription.options.partition
        partition = None if name is msgspec.UNSET else self._find(name)
        if partition is None:
            given = "not given" if name is msgspec.UNSET else f"got {short_repr(name)}"
            raise BadSubscription(f"partition: {given}, allowed are {_listed(self._partitions)}")
        if partition.subscription is not None:
            raise BadSubscription(
                f"partition: {short_repr(partition.name)} is taken by "
                f"{short_repr(partition.subscription.consumer)}"
            )
        partition.subscription = subscription
        self._of[subscription] = partition

    def cancel(self, subscription: Subscription) -> None:
        """Forget a consumer; what waits for it is for the next one of its partition."""
        partition = self._of.pop(subscription, None)
        if partition is not None:
            self._pending -= partition.pending
            partition.subscription, partition.pending = None, 0

    def ask(self, subscription: Subscription, count: int) -> list[Delivery[T]]:
        """A consumer wants so many more: first those that wait for it."""
        partition = self._of[subscription]
        given = min(count, partition.events)
        partition.pending += count - given
        self._pending += count - given
        if not given:
            return []
        partition.events -= given
        self._queued -= given
        return [(subscription, self._take(partition.queue, given))]

    def _take(self, queue: deque[object], count: int) -> list[T]:
        """So many events from the front of a queue, and the marks between and behind them."""
        events: list[T] = []
        while queue and (len(events) < count or type(queue[0]) is _Mark):
            item = queue.popleft()
            if type(item) is _Mark:
                item.left -= 1
                if not item.left:
                    self._released.append(item.message)
            else:
                events.append(cast("T", item))
        return events

    def dispatch(self, events: list[T]) -> tuple[list[Delivery[T]], list[T]]:
        """To consumers that want them, or into their queues, as many as are asked for."""
        routes, used = self._route(events)
        chosen: dict[_Partition, list[T]] = {}
        for partition, event in routes:
            if partition.pending:
                partition.pending -= 1
                self._pending -= 1
                chosen.setdefault(partition, []).append(event)
            else:
                partition.queue.append(event)
                partition.events += 1
                self._queued += 1
        deliveries = [
            (partition.subscription, chosen[partition])
            for partition in self._partitions.values()
            if partition in chosen and partition.subscription is not None
        ]
        return deliveries, events[used:]

    def _route(self, events: list[T]) -> tuple[list[tuple[_Partition, T]], int]:
        """Where events go, until no more are wanted, and how many that were.

        Nothing has changed if ``hash`` raises.
        """
        routes: list[tuple[_Partition, T]] = []
        wanted, used, room = self._pending - self._queued, 0, self._rooms()
        if room and not min(room.values()):
            return routes, 0
        for event in events:
            if len(routes) >= wanted:
                break
            used += 1
            place = self._place(event)
            if place is None:
                continue
            routes.append(place)
            if room:
                room[place[0]] -= 1
                if not room[place[0]]:
                    break
        return routes, used

    def _rooms(self) -> dict[_Partition, int]:
        """How many events each partition may still get, if that is limited."""
        if self._max_queued is None:
            return {}
        return {partition: self._room_of(partition) for partition in self._partitions.values()}

    def _place(self, event: T) -> tuple[_Partition, T] | None:
        """The partition of an event, and what its consumer gets."""
        given, name = event, call_user(self._hash, event)
        if name is NO_PARTITION:
            return None
        if isinstance(name, Routed):
            routed = cast("Routed[T]", name)
            given, name = routed.event, routed.partition
        partition = self._find(name)
        if partition is None:
            raise ValueError(
                f"hash: got {short_repr(name)} for the event {short_repr(event)}, allowed are "
                f"{_listed(self._partitions)}, and NO_PARTITION"
            )
        return partition, given

    def _find(self, name: Partition) -> _Partition | None:
        try:
            return self._partitions.get(name)
        except TypeError:  # not hashable
            return None

    def mark(self, message: object) -> bool:
        """Keep an info until every queue has passed this point; whether all are empty."""
        waiting = [partition.queue for partition in self._partitions.values() if partition.queue]
        if not waiting and not self._released:
            return True
        mark = _Mark(message, len(waiting))
        for queue in waiting:
            queue.append(mark)
        if not waiting:
            self._released.append(message)
        return False

    def released(self) -> list[object]:
        """The infos that every queue has passed since this was last asked."""
        released, self._released = self._released, []
        return released


def partition_of(key: Hashable, partitions: int) -> int:
    """The partition of a key out of so many: of as many always the same one, in every run.

    The remainder of the absolute value of an ``int``, and of the stable hash of any other key, as
    in a ``PartitionSupervisor``. ``TypeError`` for a key that has none: see there.
    """
    if isinstance(key, int) and not isinstance(key, bool):
        return abs(key) % partitions
    return stable_hash(key) % partitions


def _listed(names: Iterable[Partition]) -> str:
    return ", ".join(map(short_repr, names))


def _check_partitions(partitions: int | Iterable[Partition]) -> list[Partition]:
    allowed = "allowed is how many, 1 or more, or their names, each once"
    if isinstance(partitions, int) and not isinstance(partitions, bool) and partitions > 0:
        return list(range(partitions))
    if isinstance(partitions, str) or not isinstance(partitions, Iterable):
        raise ValueError(f"partitions: got {short_repr(partitions)}, {allowed}")
    names = list(partitions)
    if not names or len(set(names)) < len(names) or NO_PARTITION in names:
        raise ValueError(f"partitions: got {short_repr(names)}, {allowed}")
    return names
