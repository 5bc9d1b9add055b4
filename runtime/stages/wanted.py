"""The producers that a stage is to subscribe to when it starts, checked when they are given."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import TypeAlias, TypedDict, TypeVar

import msgspec

from runtime.calls import Ref
from runtime.handle import as_ref
from runtime.pid import Pid
from runtime.stages.consuming import Consuming
from runtime.stages.subscription import Subscription
from runtime.stages.subscription_options import CancelMode, Mode, Selector, SubscriptionOptions

T = TypeVar("T")

ProducerTarget: TypeAlias = str | Pid | Ref
"""A producer: its name, its pid, or a handle of it."""


class SubscriptionKeywords(TypedDict, total=False):
    """The options of a subscription, as keywords: see ``subscribe``."""

    max_demand: int
    min_demand: int | None
    cancel: CancelMode
    mode: Mode | None
    partition: Hashable | msgspec.UnsetType
    selector: Selector | None


class Wanted:
    """Producers, each subscribed to with the same options."""

    def __init__(
        self,
        to: ProducerTarget | Iterable[ProducerTarget],
        options: SubscriptionKeywords,
        field: str = "to",
    ) -> None:
        if isinstance(to, str | Pid | Ref) or not isinstance(to, Iterable):
            to = [to]
        self._producers = [as_ref(one, field) for one in to]
        self._options = options
        for name in options:
            if name not in SubscriptionKeywords.__annotations__:
                allowed = ", ".join(SubscriptionKeywords.__annotations__)
                raise TypeError(f"options of a subscription: got {name!r}, allowed are {allowed}")
        SubscriptionOptions(**options)  # only to check them

    def __len__(self) -> int:
        return len(self._producers)

    def subscribe(self, consumer: Consuming[T]) -> list[Subscription]:
        """Subscribe to all of them, from a callback of the consumer."""
        return [consumer.subscribe(one, **self._options) for one in self._producers]
