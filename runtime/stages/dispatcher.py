"""Who gets which events: what a producer asks its dispatcher. GenStage: ``GenStage.Dispatcher``.

A dispatcher only decides. It keeps who has asked for how many, and says what is to be delivered to
whom; the producer delivers.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Generic, TypeAlias, TypeVar

from runtime.stages.subscription import Subscription

T = TypeVar("T")

Delivery: TypeAlias = tuple[Subscription, list[T]]
"""A message of events for one consumer."""


class Dispatcher(ABC, Generic[T]):
    """The rules by which a producer shares its events out. One instance serves one producer."""

    _serves = False

    @property
    @abstractmethod
    def demand(self) -> int:
        """How many events are wanted now; what the producer was asked for before is in it."""

    @abstractmethod
    def subscribe(self, subscription: Subscription) -> None:
        """A new consumer, which has asked for nothing yet; ``BadSubscription`` to refuse it."""

    @abstractmethod
    def cancel(self, subscription: Subscription) -> None:
        """Forget a consumer; nothing happens for one it does not know."""

    @abstractmethod
    def ask(self, subscription: Subscription, count: int) -> Sequence[Delivery[T]]:
        """A consumer wants so many more. What is kept here for it is delivered."""

    @abstractmethod
    def dispatch(self, events: list[T]) -> tuple[Sequence[Delivery[T]], list[T]]:
        """Share events out in order: who gets which, and those nobody has asked for yet."""

    def mark(self, message: object) -> bool:
        """An info for when all events before it have gone: whether none of them is kept here."""
        return True

    def released(self) -> Sequence[object]:
        """The infos kept by ``mark`` whose turn has come."""
        return ()

    @property
    def queued(self) -> int:
        """How many events are kept here because their consumer has not asked for them yet."""
        return 0
