"""A spec with other arguments, and a spec whose name is a ``via``."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import pytest
import trio

from runtime import Call, GenServer, Node, child_spec, handles, start, wait_exit
from runtime.child_spec import check_child_id, check_shutdown
from runtime.via import via


class Get(Call[tuple[object, ...]]):
    """The arguments."""


class Keeper(GenServer):
    def __init__(self, one: object, two: object = "default", *, key: object = None) -> None:
        self.arguments = (one, two, key)

    @handles(Get)
    def get(self, request: Get) -> tuple[object, ...]:
        return self.arguments


async def work(number: int, *, text: str = "") -> None:
    """A plain async function."""


async def service(
    number: int, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
) -> None:
    """One that says when it is up."""


class Doubling(GenServer):
    """A behaviour that prepares its arguments."""

    def __init__(self, number: int) -> None:
        self.number = number

    @classmethod
    def _prepare(
        cls, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        (number,) = args
        if number < 0:
            raise ValueError(f"number: got {number}, allowed is 0 or more")
        return (2 * number,), kwargs


async def test_it_starts_with_the_new_arguments_and_keeps_its_options(node: Node) -> None:
    spec = Keeper.child_spec(1, key="x").replace(name="main", restart="transient", shutdown=2)
    other = spec.with_arguments("one", "two", key="three")
    assert (other.name, other.restart, other.shutdown) == ("main", "transient", 2)
    assert (other.id, other.behaviour, other.type) == (spec.id, spec.behaviour, spec.type)
    assert await (await start(other)).call(Get()) == ("one", "two", "three")


async def test_the_first_spec_is_as_it_was(node: Node) -> None:
    spec = Keeper.child_spec(1, key="x")
    spec.with_arguments(5)
    assert (spec.args, spec.kwargs) == ((1,), {"key": "x"})
    assert await (await start(spec)).call(Get()) == (1, "default", "x")


def test_what_is_not_given_is_not_kept() -> None:
    spec = Keeper.child_spec(1, 2, key="x").with_arguments(5)
    assert (spec.args, spec.kwargs) == ((5,), {})


@pytest.mark.parametrize(
    ("args", "kwargs", "text"),
    [
        ((), {}, "arguments of Keeper: missing a required argument: 'one'"),
        ((1, 2, 3), {}, "arguments of Keeper: too many positional arguments"),
        ((1,), {"text": 5}, "arguments of Keeper: got an unexpected keyword argument 'text'"),
    ],
)
def test_the_new_arguments_of_a_server_are_checked_at_once(
    args: tuple[object, ...], kwargs: dict[str, object], text: str
) -> None:
    with pytest.raises(TypeError) as caught:
        Keeper.child_spec(1).with_arguments(*args, **kwargs)
    assert str(caught.value).startswith(f"{text}; allowed are (")


@pytest.mark.parametrize(
    ("fn", "args", "kwargs", "text"),
    [
        (work, (), {}, "arguments of work: missing a required argument: 'number'"),
        (work, (1, 2), {}, "arguments of work: too many positional arguments"),
        (service, (1,), {"txt": ""}, "arguments of service: got an unexpected keyword"),
    ],
)
def test_those_of_a_function_too(
    fn: Any, args: tuple[object, ...], kwargs: dict[str, object], text: str
) -> None:
    with pytest.raises(TypeError) as caught:
        child_spec(fn, 1).with_arguments(*args, **kwargs)
    assert str(caught.value).startswith(text)


def test_a_behaviour_prepares_the_new_ones_as_it_did_the_first() -> None:
    spec = Doubling.child_spec(3)
    assert spec.args == (6,)
    assert spec.with_arguments(5).args == (10,)
    with pytest.raises(ValueError, match="number: got -1, allowed is 0 or more"):
        spec.with_arguments(-1)


async def test_a_function_runs_with_the_new_ones(node: Node) -> None:
    got: list[object] = []

    async def record(*args: object, **kwargs: object) -> None:
        got.append((args, kwargs))

    for spec in (child_spec(record, 1), child_spec(partial(record, "bound"), 1)):
        await wait_exit(await start(spec.with_arguments(2, text="x")))
    assert got == [((2,), {"text": "x"}), (("bound", 2), {"text": "x"})]


@pytest.mark.parametrize("key", [1, "order", ("order", 7), None, False])
def test_the_id_of_a_spec_named_by_a_registry_is_the_key(key: Any) -> None:
    """DYN-055, PAR-020."""
    spec = Keeper.child_spec(1).replace(name=via("names", key))
    assert spec.id == key
    assert spec.replace(id="mine").id == "mine"
    assert spec.replace(name=None).id == "Keeper"


@pytest.mark.parametrize("name", [5, "", b"x", ("names", 1), Keeper])
def test_any_other_name_is_refused(name: Any) -> None:
    with pytest.raises(TypeError, match=r"name: got .*, allowed is a non-empty string"):
        Keeper.child_spec(1).replace(name=name)


@pytest.mark.parametrize("budget", [0, 0.5, 30, math.inf, "brutal_kill"])
def test_a_shutdown_budget_is_seconds_or_a_kill(budget: object) -> None:
    check_shutdown("shutdown", budget)


@pytest.mark.parametrize("budget", ["kill", -1, None, True, math.nan, []])
def test_any_other_budget_is_refused_by_the_name_of_its_field(budget: object) -> None:
    with pytest.raises((TypeError, ValueError), match=r"^budget of it: got .*, allowed"):
        check_shutdown("budget of it", budget)


def test_what_cannot_be_hashed_is_no_id() -> None:
    check_child_id(("any", "key"))
    with pytest.raises(TypeError, match=r"id: got \[\], allowed is anything hashable"):
        check_child_id([])
