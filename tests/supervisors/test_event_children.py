"""Which child an event gets, and what is refused before there is any event."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from runtime import ChildSpec, child_spec
from supervisors.event_children import EventTemplate
from tests.supervisors.dynamic_parts import Tagged
from tests.support import Scripted


async def work(before: object, event: object) -> None:
    """An async function of an event."""


class Strict(Scripted):
    """A server that takes exactly one argument."""

    def __init__(self, event: object) -> None:
        super().__init__()
        self.event = event


def spec(child: Any, *extra: object, restart: Any = None) -> ChildSpec:
    """The spec of the child of ``"e"``."""
    return EventTemplate(child, extra, restart).spec("e")


def test_the_event_goes_behind_the_arguments_of_a_spec_and_extra_ones_before() -> None:
    made = spec(Tagged.child_spec(1, 2, key=3).replace(restart="transient", id="x"), "first")
    assert (made.args, dict(made.kwargs)) == (("first", 1, 2, "e"), {"key": 3})
    assert (made.id, made.restart) == ("x", "transient")


def test_a_class_and_an_async_function_get_it_as_their_last_argument() -> None:
    made = spec(Tagged, "first")
    assert (made.args, made.restart, made.behaviour) == (("first", "e"), "temporary", "Tagged")
    made = spec(work, "first")
    assert (made.args, made.restart, made.behaviour) == (("first", "e"), "temporary", "work")
    made = spec(partial(work, "mine"))
    assert (made.args, made.restart, made.behaviour) == (("e",), "temporary", "work")


def test_a_plain_function_makes_a_spec_of_it() -> None:
    def make(before: object, event: object) -> ChildSpec:
        return child_spec(work, before, event).replace(restart="transient", id=event)

    made = spec(make, "first")
    assert (made.args, made.restart, made.id) == (("first", "e"), "transient", "e")


@pytest.mark.parametrize("restart", ["temporary", "transient"])
def test_restart_says_it_for_all_of_them(restart: Any) -> None:
    for child in (Tagged, Tagged.child_spec(), lambda event: Tagged.child_spec(event)):
        assert spec(child, restart=restart).restart == restart


def test_a_permanent_child_is_refused() -> None:
    """GS-108."""
    says = "got 'permanent': the child of an event is done when it ends, and one that is always"
    with pytest.raises(ValueError, match=f"restart of child 'Tagged': {says}"):
        EventTemplate(Tagged.child_spec(), (), None)
    with pytest.raises(ValueError, match=f"restart: {says}"):
        EventTemplate(Tagged, (), "permanent")
    template = EventTemplate(lambda event: Tagged.child_spec(event), (), None)
    with pytest.raises(ValueError, match=f"restart of child 'Tagged': {says}"):
        template.spec("e")


def test_what_takes_no_event_is_refused() -> None:
    with pytest.raises(TypeError, match=r"arguments of Strict: .*; allowed are"):
        EventTemplate(Strict, ("too", "many"), None)
    with pytest.raises(TypeError, match="arguments of work: missing a required argument"):
        EventTemplate(work, (), None)
    with pytest.raises(TypeError, match="arguments of Strict: too many positional arguments"):
        EventTemplate(Strict.child_spec(1).replace(restart="temporary"), (), None)
    with pytest.raises(TypeError, match="arguments of <lambda>: too many positional arguments"):
        EventTemplate(lambda: Tagged.child_spec(), (), None)


@pytest.mark.parametrize("child", [7, int, "Job", None])
def test_what_is_no_child_is_refused(child: Any) -> None:
    with pytest.raises(TypeError, match=r"child: got .*, allowed are a ChildSpec"):
        EventTemplate(child, (), None)


def test_what_is_significant_is_refused() -> None:
    significant = Tagged.child_spec().replace(restart="temporary", significant=True)
    with pytest.raises(ValueError, match="significant of child 'Tagged': got True"):
        EventTemplate(significant, (), None)
    with pytest.raises(ValueError, match="significant of child 'Tagged': got True"):
        spec(lambda event: significant)


def test_a_function_that_returns_no_spec_is_told_so() -> None:
    with pytest.raises(TypeError, match="child: <lambda> returned None for an event, allowed is a"):
        spec(lambda event: None)
