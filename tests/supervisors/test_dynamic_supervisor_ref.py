"""The handle of a dynamic supervisor: how it starts a child."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from runtime import ChildSpec, Node, named, ref
from supervisors.dynamic_supervisor_ref import DynamicSupervisorRef, spec_maker
from tests.supervisors.dynamic_parts import Tagged, start_dynamic
from tests.supervisors.tree_parts import Ping, worker


async def work(number: int, *, text: str = "") -> None:
    """A plain async function."""


class AsyncCallable:
    async def __call__(self, number: int) -> None:
        """An object that can be a child."""


def made(child: object, *args: object, extra: tuple[object, ...] = (), **kwargs: object) -> Any:
    """The spec the supervisor would start."""
    return spec_maker(child, args, kwargs)(*extra)


def test_a_spec_is_started_as_it_is() -> None:
    spec = worker([], "a")
    assert made(spec) is spec


def test_a_spec_gets_the_extra_arguments_before_its_own() -> None:
    spec = Tagged.child_spec("a", key=1).replace(name="main", restart="transient")
    with_extra: ChildSpec = made(spec, extra=("e", "f"))
    assert (with_extra.args, with_extra.kwargs) == (("e", "f", "a"), {"key": 1})
    assert (with_extra.name, with_extra.restart) == ("main", "transient")
    assert spec.args == ("a",)


def test_a_class_and_a_function_become_specs_with_all_arguments() -> None:
    spec: ChildSpec = made(Tagged, "a", extra=("e",), key=1)
    assert (spec.id, spec.args, spec.kwargs) == ("Tagged", ("e", "a"), {"key": 1})
    spec = made(work, extra=(5,), text="x")
    assert (spec.id, spec.args, spec.kwargs) == ("work", (5,), {"text": "x"})
    assert made(partial(work, 5), text="x").id == "work"
    assert made(AsyncCallable(), 5).id == "AsyncCallable"


@pytest.mark.parametrize("junk", [None, 5, "Tagged", object(), int, len, [Tagged], Tagged()])
def test_what_cannot_be_a_child_is_refused(junk: object) -> None:
    """DYN-016."""
    with pytest.raises(TypeError, match=r"child: got .*, allowed (are a ChildSpec|is an async)"):
        made(junk)


async def test_it_is_made_of_a_name_a_pid_or_a_ref(node: Node) -> None:
    sup = await start_dynamic()
    for target in (sup.pid, ref(sup.pid), sup):
        handle = DynamicSupervisorRef(target)
        child = await handle.start_child(Tagged, "x")
        assert await child.call(Ping()) == "x"
    assert repr(DynamicSupervisorRef("dyn")) == "DynamicSupervisorRef(named('dyn'))"
    assert DynamicSupervisorRef("dyn") == DynamicSupervisorRef(named("dyn"))
    with pytest.raises(TypeError, match="target: got 5"):
        DynamicSupervisorRef(5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
