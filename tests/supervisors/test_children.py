"""The table of a supervisor's children: plain data."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from runtime import ChildSpec, GenServer, child_spec
from supervisors import ChildInfo, ChildStatus, Supervisor
from supervisors.children import Child, Children, to_spec, to_specs
from tests.supervisors.tree_parts import Worker, worker


class Plain(GenServer):
    """A server without arguments."""


def table(tags: str) -> Children:
    rows = Children()
    for tag in tags:
        rows.add(Child(worker([], tag)))
    return rows


def test_rows_stand_in_the_order_they_were_added() -> None:
    """SUP-004."""
    rows = table("abc")
    assert rows.ids() == ["a", "b", "c"]
    assert [row.spec.id for row in rows] == ["a", "b", "c"]


def test_a_removed_row_is_gone_and_removing_it_again_is_fine() -> None:
    rows = table("abc")
    row = rows.get("b")
    assert row is not None
    rows.remove(row)
    rows.remove(row)
    assert rows.ids() == ["a", "c"]
    assert rows.get("b") is None


def test_rows_may_be_removed_while_one_goes_through_them() -> None:
    rows = table("abc")
    for row in rows:
        rows.remove(row)
    assert rows.ids() == []


def test_a_new_row_is_stopped_and_counts_as_a_spec() -> None:
    """SUP-006."""
    rows = table("ab")
    rows.add(Child(Supervisor.child_spec([])))
    counted = rows.count()
    assert (counted.specs, counted.active, counted.supervisors, counted.workers) == (3, 0, 1, 2)


def test_a_child_that_is_starting_counts_as_active() -> None:
    rows = table("abcd")
    statuses: list[ChildStatus] = ["starting", "running", "restarting", "stopped"]
    for row, status in zip(rows, statuses, strict=True):
        row.status = status
    assert rows.count().active == 2


def test_a_row_is_shown_with_what_it_is_made_of() -> None:
    """SUP-005."""
    assert Child(worker([], "a")).info() == ChildInfo("a", None, "stopped", "worker", "Worker")


@pytest.mark.parametrize(
    ("source", "behaviour"),
    [
        (Plain, "Plain"),
        (worker([], "a"), "Worker"),
        (trio.sleep_forever, "sleep_forever"),
        (partial(trio.sleep, math.inf), "sleep"),
        (child_spec(trio.sleep, 1), "sleep"),
    ],
)
def test_what_may_stand_in_a_list_of_children(source: Any, behaviour: str) -> None:
    """SUP-093."""
    spec = to_spec(source)
    assert isinstance(spec, ChildSpec)
    spec_id = "a" if behaviour == "Worker" else None
    assert (spec.id, spec.behaviour) == (spec_id or behaviour, behaviour)


@pytest.mark.parametrize("source", [None, 1, "a", object(), int, {"start": Plain}])
def test_what_may_not(source: Any) -> None:
    with pytest.raises(TypeError, match=r"children: got .*, allowed are a ChildSpec") as caught:
        to_spec(source)
    assert repr(source) in str(caught.value)


def test_a_function_that_is_not_async_is_refused() -> None:
    with pytest.raises(TypeError, match="allowed is an async function"):
        to_spec(lambda: None)


def test_a_class_that_wants_arguments_is_refused() -> None:
    with pytest.raises(TypeError, match="arguments of Worker: missing"):
        to_spec(Worker)


@pytest.mark.parametrize("children", [worker([], "a"), "ab", None, 7, Plain])
def test_a_list_of_children_is_a_list(children: Any) -> None:
    with pytest.raises(TypeError, match=r"children: got .*, allowed is a list of child specs"):
        to_specs(children)


def test_none_is_left_out() -> None:
    assert [spec.id for spec in to_specs([None, Plain, None])] == ["Plain"]
    assert to_specs([]) == ()


def test_an_id_may_be_there_only_once() -> None:
    """SUP-007."""
    with pytest.raises(ValueError, match=r"two have the id 'Plain', give one another with \.rep"):
        to_specs([Plain, Plain])
    assert len(to_specs([Plain, Plain.child_spec().replace(id="other")])) == 2


def test_a_name_is_the_id_unless_one_is_given() -> None:
    spec = Plain.child_spec().replace(name="x")
    assert spec.id == "x"
    assert spec.replace(id=5).id == 5
    with pytest.raises(ValueError, match="two have the id 'x'"):
        to_specs([spec, worker([], "x")])


@given(st.lists(st.tuples(st.sampled_from(["add", "remove"]), st.integers(0, 5)), max_size=40))
def test_it_agrees_with_a_list(steps: list[tuple[str, int]]) -> None:
    """Adding appends or, for an id that is there, replaces in place."""
    rows, model = Children(), list[Any]()
    for what, number in steps:
        if what == "add":
            rows.add(Child(worker([], "w").replace(id=number)))
            if number not in model:
                model.append(number)
        else:
            row = rows.get(number)
            assert (row is not None) is (number in model)
            if row is not None:
                rows.remove(row)
                model.remove(number)
        assert rows.ids() == model
        assert rows.count().specs == len(model)
