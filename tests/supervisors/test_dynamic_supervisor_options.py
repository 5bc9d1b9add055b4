"""The options of a dynamic supervisor: refused when the spec is made, kept for restarts."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pytest
import trio

from runtime import (
    BadResult,
    Call,
    Crashed,
    Ignore,
    Ignored,
    Node,
    Ref,
    Shutdown,
    StartFailed,
    Stop,
    child_spec,
    get_state,
    handles,
    named,
    ref,
    replace_state,
    resume,
    start,
    suspend,
)
from supervisors import (
    DynamicSupervisor,
    DynamicSupervisorRef,
    MaxChildren,
    Supervisor,
    SupervisorRef,
)
from tests.supervisors.dynamic_parts import (
    Tagged,
    counts,
    kill_and_see,
    start_dynamic,
    the_pid,
)
from tests.supervisors.tree_parts import Ping, settle, start_supervisor, worker

# ---------------------------------------------------------------------- what is refused

WRONG: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"strategy": "one_for_all"}, ValueError, "strategy: got 'one_for_all', allowed is 'one_"),
    ({"strategy": None}, ValueError, "strategy: got None, allowed is 'one_for_one'"),
    (
        {"max_children": -1},
        ValueError,
        "max_children: got -1, allowed are an int of 0 or more and None",
    ),
    ({"max_children": True}, TypeError, "max_children: got True, allowed are an int of 0 or"),
    ({"max_children": 2.0}, TypeError, "max_children: got 2.0, allowed are an int of 0 or"),
    ({"max_children": math.inf}, TypeError, "max_children: got inf, allowed are"),
    ({"max_restarts": -1}, ValueError, "max_restarts: got -1, allowed is an int of 0 or more"),
    ({"max_seconds": 0}, ValueError, "max_seconds: got 0, allowed is a number above 0"),
    ({"extra_arguments": "ab"}, TypeError, "extra_arguments: got 'ab', allowed is a list of arg"),
    ({"extra_arguments": 5}, TypeError, "extra_arguments: got 5, allowed is a list of arguments"),
    ({"backoff": 2.0}, TypeError, "backoff: got 2.0, allowed are Backoff(...) and None"),
    ({"auto_shutdown": "any_significant"}, TypeError, "arguments of DynamicSupervisor: got an un"),
    ({"children": []}, TypeError, "arguments of DynamicSupervisor: got an unexpected keyword"),
]


@pytest.mark.parametrize(("options", "error", "text"), WRONG)
def test_a_wrong_option_is_refused_when_the_spec_is_made(
    options: dict[str, Any], error: type[Exception], text: str
) -> None:
    """DYN-048, DYN-049. And by the constructor, for subclasses that compute theirs."""
    with pytest.raises(error) as caught:
        DynamicSupervisor.child_spec(**options)
    assert str(caught.value).startswith(text)
    with pytest.raises(error):
        DynamicSupervisor(**options)


def test_it_takes_no_positional_arguments() -> None:
    wrong: Any = DynamicSupervisor.child_spec
    with pytest.raises(TypeError, match="too many positional arguments"):
        wrong([])


def test_a_subclass_without_a_constructor_is_checked_too() -> None:
    class Connections(DynamicSupervisor):
        """Only has a name of its own."""

    with pytest.raises(ValueError, match="max_children: got -1"):
        Connections.child_spec(max_children=-1)
    assert Connections.child_spec(max_children=1).id == "Connections"


async def test_a_constructor_of_a_subclass_runs_at_the_start_alone(node: Node) -> None:
    made: list[int] = []

    class Connections(DynamicSupervisor):
        def __init__(self, most: int) -> None:
            made.append(most)
            super().__init__(max_children=most)

    spec = Connections.child_spec(1)
    assert made == []
    sup = DynamicSupervisorRef(await start(spec))
    assert made == [1]
    await sup.start_child(worker([], "a"))
    with pytest.raises(MaxChildren):
        await sup.start_child(worker([], "b"))
    with pytest.raises(StartFailed) as caught:
        await start(Connections.child_spec(-1))
    assert isinstance(caught.value.__cause__, ValueError)


# ---------------------------------------------------------------------- the spec


async def test_several_under_one_supervisor_need_ids(node: Node) -> None:
    """DYN-056. differs: two of one id are refused when the list is made."""
    spec = DynamicSupervisor.child_spec()
    with pytest.raises(ValueError, match="children: two have the id 'DynamicSupervisor'"):
        Supervisor.child_spec([spec, spec])
    sup = await start_supervisor([spec, spec.replace(name="second"), spec.replace(id=3)])
    assert [one.id for one in await sup.which_children()] == [3, "second", "DynamicSupervisor"]
    with pytest.raises(ValueError, match="two have the id"):
        Supervisor.child_spec([DynamicSupervisor, DynamicSupervisor])
    await SupervisorRef(sup).terminate_child(3)


async def test_its_init_may_say_ignore_or_stop(node: Node) -> None:
    """DYN-050."""

    class Choosy(DynamicSupervisor):
        result: Any = None

        def init(self) -> Any:
            return self.result

    Choosy.result = Ignore()
    with pytest.raises(Ignored):
        await Choosy.start()
    Choosy.result = Stop("no")
    with pytest.raises(StartFailed) as caught:
        await Choosy.start()
    assert caught.value.reason == "no"
    Choosy.result = "junk"
    with pytest.raises(StartFailed) as caught:
        await Choosy.start()
    reason = caught.value.reason
    assert isinstance(reason, Crashed)
    assert isinstance(reason.exception, BadResult)
    Choosy.result = None
    assert await counts(DynamicSupervisorRef(await Choosy.start())) == (0, 0, 0, 0)


async def test_a_restarted_supervisor_starts_empty_with_the_same_options(node: Node) -> None:
    """Also those that were given as an iterator."""

    def once() -> Iterator[str]:
        yield "extra"

    spec = DynamicSupervisor.child_spec(extra_arguments=once(), max_children=1)
    await start_supervisor([spec.replace(name="dyn")])
    sup = DynamicSupervisorRef("dyn")
    for _ in range(3):
        child = await sup.start_child(Tagged, "own")
        assert await child.call(Ping()) == "extra own"
        with pytest.raises(MaxChildren):
            await sup.start_child(Tagged)
        await kill_and_see(sup)
        assert await counts(sup) == (0, 0, 0, 0)


async def test_the_options_can_be_replaced_while_it_runs(node: Node) -> None:
    """DYN-057. differs: no code change; later starts get the new ones, children are kept."""
    sup = await start_dynamic(max_children=1)
    first = await sup.start_child(Tagged, "x")
    await suspend(sup)
    await replace_state(
        sup, lambda state: {**state, "max_children": 2, "extra_arguments": ("new",)}
    )
    await resume(sup)
    second = await sup.start_child(Tagged, "y")
    assert [await child.call(Ping()) for child in (first, second)] == ["x", "new y"]
    with pytest.raises(MaxChildren):
        await sup.start_child(Tagged)
    assert (await get_state(sup))["max_children"] == 2


# ---------------------------------------------------------------------- extra arguments


async def test_extra_arguments_go_before_those_of_each_child_also_on_a_restart(
    node: Node,
) -> None:
    """DYN-047. For a class and for a spec."""
    sup = await start_dynamic(extra_arguments=["e", "f"])
    assert await (await sup.start_child(Tagged, "a", key=1)).call(Ping()) == "e f a key=1"
    spec = Tagged.child_spec("b").replace(name="main")
    assert await (await sup.start_child(spec)).call(Ping()) == "e f b"
    await kill_and_see(named("main"))
    assert await named("main").call(Ping()) == "e f b"


async def test_that_holds_for_functions_too(node: Node) -> None:
    log: list[str] = []
    sup = await start_dynamic(extra_arguments=["e"])

    async def runs(*args: str, **kwargs: str) -> None:
        log.append(" ".join([*args, *kwargs]))
        await trio.sleep_forever()

    await sup.start_child(runs, "a", key="x")
    spec = child_spec(runs, "b").replace(name="main")
    await sup.start_child(spec)
    await settle()
    await kill_and_see(named("main"))
    assert sorted(log) == ["e a key", "e b", "e b"]


async def test_extra_arguments_a_child_does_not_take_are_the_requesters_error(
    node: Node,
) -> None:
    sup = await start_dynamic(extra_arguments=[1, 2, 3])

    class Plain(Tagged):
        def __init__(self, only: int) -> None:
            super().__init__(only)

    for child in (Plain, Plain.child_spec(5)):
        with pytest.raises(TypeError, match="arguments of Plain: too many positional arguments"):
            await sup.start_child(child)
    assert await counts(sup) == (0, 0, 0, 0)


async def test_missing_arguments_are_the_requesters_error(node: Node) -> None:
    sup = await start_dynamic()

    async def needs(number: int) -> None:
        """Never runs."""

    with pytest.raises(TypeError, match="arguments of needs: missing a required argument"):
        await sup.start_child(needs)
    with pytest.raises(TypeError, match="arguments of needs: got an unexpected keyword"):
        await sup.start_child(needs, 5, text="x")


# ---------------------------------------------------------------------- a subclass with more


class Newest(Call[Ref]):
    """Ask a ``Rooms`` for the child started last."""


class Rooms(DynamicSupervisor):
    """A subclass with a request of its own."""

    @handles(Newest)
    def newest(self, request: Newest) -> Ref:
        *_, last = self.children
        assert last.process is not None
        return ref(last.process.pid)


async def test_a_subclass_may_have_requests_of_its_own(node: Node) -> None:
    rooms = DynamicSupervisorRef(await Rooms.start())
    child = await rooms.start_child(worker([], "a"))
    assert await rooms.call(Newest()) == child
    assert await the_pid(rooms) is child.pid
    await rooms.stop(Shutdown())
