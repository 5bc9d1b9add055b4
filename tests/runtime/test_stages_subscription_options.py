"""What a subscription may be: GS-01, GS-10, GS-15."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import pytest

from runtime.stages import AlreadySubscribed, BadSubscription, SubscriptionOptions


def test_by_default_a_thousand_and_half_of_it() -> None:
    options = SubscriptionOptions()
    assert (options.max_demand, options.at_least, options.cancel) == (1000, 500, "permanent")
    assert (options.mode, options.selector, options.partition) == (None, None, msgspec.UNSET)


@pytest.mark.parametrize(("most", "least"), [(1, 0), (2, 1), (3, 1), (2**63, 2**62)])
def test_the_least_is_half_rounded_down(most: int, least: int) -> None:
    assert SubscriptionOptions(most).at_least == least


def test_the_least_that_is_given_counts() -> None:
    assert SubscriptionOptions(10, 0).at_least == 0


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"max_demand": 0}, "max_demand: got 0, allowed is 1 or more"),
        ({"max_demand": -1}, "max_demand: got -1, allowed is 1 or more"),
        ({"max_demand": True}, "max_demand: got True, allowed is 1 or more"),
        ({"max_demand": 5.0}, "max_demand: got 5.0, allowed is 1 or more"),
        ({"max_demand": None}, "max_demand: got None, allowed is 1 or more"),
        ({"min_demand": 1000}, "min_demand: got 1000, allowed is 0 to 999"),
        ({"max_demand": 5, "min_demand": 5}, "min_demand: got 5, allowed is 0 to 4"),
        ({"min_demand": -1}, "min_demand: got -1, allowed is 0 to 999"),
        ({"min_demand": False}, "min_demand: got False, allowed is 0 to 999"),
        (
            {"cancel": "always"},
            "cancel: got 'always', allowed are 'permanent', 'transient', 'temporary'",
        ),
        ({"mode": "auto"}, "mode: got 'auto', allowed are 'automatic', 'manual'"),
        ({"selector": 5}, "selector: got 5, allowed is a function of an event"),
    ],
)
def test_what_cannot_be_is_refused(options: dict[str, Any], text: str) -> None:
    with pytest.raises(BadSubscription, match=f"^{re.escape(text)}$"):
        SubscriptionOptions(**options)


def test_what_may_be() -> None:
    SubscriptionOptions(1, 0, "transient", "manual", partition=None, selector=bool)
    SubscriptionOptions(cancel="temporary", mode="automatic", partition=("a", 1))


def test_what_is_refused_is_a_value_error() -> None:
    assert issubclass(AlreadySubscribed, BadSubscription)
    assert issubclass(BadSubscription, ValueError)
