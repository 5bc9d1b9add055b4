"""What an annotation that is only a string means."""

from __future__ import annotations

import pydoc
from types import ModuleType

import pytest

import runtime
import supervisors
from runtime.annotations import UNKNOWN, resolve

NAMES = {"Thing": int, "number": 5}


@pytest.mark.parametrize(
    ("text", "meaning"),
    [("Thing", int), ("str", str), ("Thing | None", int | None), ("list[Thing]", list[int])],
)
def test_it_means_what_it_means_in_its_module(text: str, meaning: object) -> None:
    assert resolve(text, NAMES) == meaning


@pytest.mark.parametrize(
    "text", ["Local", "Thing.inner", "Thing |", "number[0]", "", "Thing | number | 'x'"]
)
def test_what_cannot_be_found_out_is_unknown(text: str) -> None:
    """A local class, a name for checkers only, what is no annotation."""
    assert resolve(text, NAMES) is UNKNOWN


def test_the_namespace_stays_as_it_is() -> None:
    names = dict(NAMES)
    resolve("Thing", names)
    assert names == NAMES


@pytest.mark.parametrize("package", [runtime, supervisors], ids=["runtime", "supervisors"])
def test_help_can_be_asked_for_everything_public(package: ModuleType) -> None:
    """msgspec looks for the names in annotations where a class says it is from."""
    for name in package.__all__:
        assert pydoc.render_doc(getattr(package, name))
