"""How many events each producer may have under way: the account of a consumer supervisor. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from runtime.stages.subscription import Subscription


class EventBudgets:
    """One budget for each subscription: what is under way, and what is to be asked for again.

    An event is under way from its arrival until its child is done with it. What is done is asked
    for again once it is ``min_demand`` of them, which is not the rule of other consumers: those ask
    as soon as no more than that many are left.
    """

    def __init__(self) -> None:
        self._budgets: dict[Subscription, _Budget] = {}

    def __len__(self) -> int:
        return len(self._budgets)

    def __iter__(self) -> Iterator[Subscription]:
        return iter(tuple(self._budgets))

    @property
    def under_way(self) -> int:
        """The events that children work at, those of ended subscriptions not among them."""
        return sum(budget.under_way for budget in self._budgets.values())

    def open(self, subscription: Subscription) -> int:
        """A new subscription; how many events to ask it for."""
        self._budgets[subscription] = _Budget()
        return subscription.max_demand

    def close(self, subscription: Subscription) -> None:
        """It has ended: what its children finish is nobody's any more."""
        self._budgets.pop(subscription, None)

    def arrived(self, subscription: Subscription, count: int) -> int:
        """So many events have come; how many of them are more than was asked for."""
        budget = self._budgets.get(subscription)
        if budget is None:
            return 0
        budget.under_way += count
        return min(count, max(0, budget.under_way - subscription.max_demand))

    def done(self, subscription: Subscription, count: int = 1) -> int:
        """So many are done with, however; how many to ask for now, which may be none."""
        budget = self._budgets.get(subscription)
        if budget is None:
            return 0
        budget.under_way -= count
        budget.owed += count
        if budget.owed < subscription.min_demand:
            return 0
        owed, budget.owed = budget.owed, 0
        return owed


class _Budget:
    """What is under way for one subscription, and what it is owed."""

    __slots__ = ("owed", "under_way")

    def __init__(self) -> None:
        self.under_way = self.owed = 0
