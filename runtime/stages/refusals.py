"""What dispatchers refuse, in the same words. GenStage: ``bad_opts`` and what it ignores."""

from __future__ import annotations

import msgspec

from runtime.containment import short_repr
from runtime.stages.subscription import Subscription
from runtime.stages.subscription_options import BadSubscription


def refuse_partition(subscription: Subscription, dispatcher: object) -> None:
    """``BadSubscription`` if it names a partition where there are none."""
    partition = subscription.options.partition
    if partition is not msgspec.UNSET:
        raise BadSubscription(
            f"partition: got {short_repr(partition)}, only a PartitionDispatcher has partitions; "
            f"the producer has a {type(dispatcher).__name__}"
        )


def refuse_selector(subscription: Subscription, dispatcher: object) -> None:
    """``BadSubscription`` if it has a selector where none is asked."""
    if subscription.options.selector is not None:
        raise BadSubscription(
            "selector: only a BroadcastDispatcher takes one; the producer has a "
            f"{type(dispatcher).__name__}"
        )


def check_limit(field: str, count: object, least: int) -> int | None:
    """A whole number or ``None``, which means none; ``ValueError``."""
    if count is None or (isinstance(count, int) and not isinstance(count, bool) and count >= least):
        return count
    raise ValueError(f"{field}: got {short_repr(count)}, allowed is {least} or more, or None")
