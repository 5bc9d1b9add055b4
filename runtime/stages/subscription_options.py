"""What a consumer wants of a subscription, and how it is refused. GenStage: its options."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, Final, Literal, TypeAlias, get_args

import msgspec

from runtime.containment import short_repr

DEFAULT_MAX_DEMAND: Final = 1000

CancelMode: TypeAlias = Literal["permanent", "transient", "temporary"]
"""What the end of a subscription is to its consumer: its own end; that, unless it was a clean one;
nothing."""
Mode: TypeAlias = Literal["automatic", "manual"]
"""Who asks for events: the stage, as they are used up; or the user's code, by ``ask``."""
Selector: TypeAlias = Callable[[Any], object]
"""Says by its truth whether a consumer of a broadcast wants an event."""


class BadSubscription(ValueError):
    """A subscription that cannot be: its options are wrong, or the producer refuses it."""


class AlreadySubscribed(BadSubscription):
    """A second subscription where only one is allowed; the consumer lives on with the first."""


class SubscriptionOptions(msgspec.Struct, frozen=True):
    """What a consumer wants of a subscription; checked when made (``BadSubscription``).

    ``min_demand`` is by default half of ``max_demand``, rounded down. At most ``max_demand`` events
    are under way; more are asked for once ``min_demand`` are left, and a handler gets at most
    ``max_demand - min_demand`` at a time.
    """

    max_demand: int = DEFAULT_MAX_DEMAND
    min_demand: int | None = None
    cancel: CancelMode = "permanent"
    mode: Mode | None = None
    partition: Hashable | msgspec.UnsetType = msgspec.UNSET
    selector: Selector | None = None

    def __post_init__(self) -> None:
        _check_number("max_demand", self.max_demand, "1 or more", 1, None)
        if self.min_demand is not None:
            most = self.max_demand - 1
            _check_number("min_demand", self.min_demand, f"0 to {most}", 0, most)
        _check_choice("cancel", self.cancel, get_args(CancelMode))
        if self.mode is not None:
            _check_choice("mode", self.mode, get_args(Mode))
        if self.selector is not None and not callable(self.selector):
            raise BadSubscription(
                f"selector: got {short_repr(self.selector)}, allowed is a function of an event"
            )

    @property
    def at_least(self) -> int:
        """``min_demand``, or what it is by default."""
        return self.max_demand // 2 if self.min_demand is None else self.min_demand


def _check_number(field: str, value: object, allowed: str, least: int, most: int | None) -> None:
    if not isinstance(value, int) or isinstance(value, bool):
        raise BadSubscription(f"{field}: got {short_repr(value)}, allowed is {allowed}")
    if value < least or (most is not None and value > most):
        raise BadSubscription(f"{field}: got {short_repr(value)}, allowed is {allowed}")


def _check_choice(field: str, value: object, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        names = ", ".join(map(repr, allowed))
        raise BadSubscription(f"{field}: got {short_repr(value)}, allowed are {names}")
