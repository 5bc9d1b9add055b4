"""How a row becomes a test: a scenario says which row it is, a group runs its rows by their ids."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from types import ModuleType
from typing import TypeAlias, TypeVar

import pytest

from runtime import Node
from tests.conformance.rows import ROWS
from tests.conformance.verdicts import NOT_APPLICABLE
from tests.conftest import Recorder, in_both_modes

Scenario: TypeAlias = Callable[..., Awaitable[None]]
"""``async def scenario()``, or ``async def scenario(events)`` if it looks at the node's events."""

S = TypeVar("S", bound=Scenario)


def row(*ids: str) -> Callable[[S], S]:
    """The decorated scenario shows these rows of the catalogue."""
    unknown = [one for one in ids if one not in ROWS]
    assert not unknown, f"no such row: {unknown}"

    def mark(scenario: S) -> S:
        vars(scenario)["rows"] = ids
        return scenario

    return mark


def scenarios_in(*modules: ModuleType) -> dict[str, Scenario]:
    """The scenarios of these modules, each by the id of its row; no row has two."""
    found: dict[str, Scenario] = {}
    for module in modules:
        for scenario in vars(module).values():
            if getattr(scenario, "__module__", None) == module.__name__:
                for one in getattr(scenario, "rows", ()):
                    assert one not in found, f"{one} has two scenarios"
                    found[one] = scenario
    return found


def every_row(group: str, scenarios: dict[str, Scenario]) -> Callable[..., Awaitable[None]]:
    """The test of a group: each row that applies, under its id, in an open node, in both modes."""
    ids = [one.id for one in ROWS.values() if one.group == group and one.id not in NOT_APPLICABLE]
    foreign = set(scenarios) - set(ids)
    assert not foreign, f"not applicable, or of another group: {sorted(foreign)}"

    @pytest.mark.parametrize(("row_id", "dispatch"), in_both_modes(*ids), indirect=["dispatch"])
    async def test_row(row_id: str, dispatch: str, node: Node, events: Recorder) -> None:
        assert row_id in scenarios, f"no scenario shows {ROWS[row_id]}"
        scenario = scenarios[row_id]
        await (scenario(events) if inspect.signature(scenario).parameters else scenario())

    return test_row
