"""Rows of DYN about the supervisor's own options, spec and init."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import pytest
import trio

from runtime import (
    AlreadyStarted,
    BadResult,
    Crashed,
    Ignore,
    Ignored,
    StartFailed,
    is_alive,
    replace_state,
    resume,
    start,
    suspend,
    via,
)
from supervisors import ChildCounts, DynamicSupervisor, DynamicSupervisorRef, MaxChildren
from tests.conformance.dyn.parts import down_reason, lines_of_giving_up
from tests.conformance.scenarios import row
from tests.supervisors.dynamic_parts import ended, pids, start_dynamic
from tests.supervisors.tree_parts import start_supervisor, worker


class WithoutOptions(DynamicSupervisor):
    """Computes its options, and gives none."""

    def __init__(self) -> None:
        super().__init__()


async def crashes(supervisor: DynamicSupervisorRef, times: int) -> None:
    """So many new children end with the reason ``boom``."""
    for _ in range(times):
        await ended(await supervisor.start_child(worker([], "a")), "boom")


@row("DYN-034")
async def the_restarts_that_are_allowed_unless_said() -> None:
    """differs: 3 in 5 s also where an init gives no options, which is 1 in 5 s in OTP."""
    for spec in (DynamicSupervisor.child_spec(), WithoutOptions.child_spec()):
        sup = DynamicSupervisorRef(await start(spec))
        await crashes(sup, 3)
        await trio.sleep(5.1)
        await crashes(sup, 3)
        assert is_alive(sup)
        await trio.sleep(4.9)
        reason = await down_reason(sup, partial(crashes, sup, 1))
        assert lines_of_giving_up(reason) == 3 + 3 + 1


WRONG: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"strategy": "one_for_all"}, ValueError, "strategy: got 'one_for_all', allowed is 'one_for_"),
    ({"max_restarts": -1}, ValueError, "max_restarts: got -1, allowed is an int of 0 or more"),
    ({"max_seconds": 0}, ValueError, "max_seconds: got 0, allowed is a number above 0"),
    ({"max_children": -1}, ValueError, "max_children: got -1, allowed are an int of 0 or more an"),
    ({"extra_arguments": 5}, TypeError, "extra_arguments: got 5, allowed is a list of arguments"),
]


async def start_is_refused(options: dict[str, Any], error: type[Exception], text: str) -> None:
    """A start with these options raises that in its caller."""
    with pytest.raises(error) as caught:
        await DynamicSupervisor.start(**options)
    assert str(caught.value).startswith(text)


@row("DYN-048")
async def a_wrong_option_fails_the_start_by_its_name() -> None:
    for options, error, text in WRONG:
        await start_is_refused(options, error, text)


@row("DYN-049")
async def auto_shutdown_fails_the_start() -> None:
    text = "arguments of DynamicSupervisor: got an unexpected keyword argument 'auto_shutdown'"
    for value in ("any_significant", "all_significant"):
        await start_is_refused({"auto_shutdown": value}, TypeError, text)


class Choosy(DynamicSupervisor):
    """Has an ``init`` that says something."""

    def __init__(self, result: Any) -> None:
        super().__init__()
        self.result = result

    def init(self) -> Any:
        return self.result


@row("DYN-050")
async def its_init_may_say_ignore_and_no_junk() -> None:
    with pytest.raises(Ignored):
        await Choosy.start(Ignore())
    with pytest.raises(StartFailed) as caught:
        await Choosy.start("junk")
    assert isinstance(caught.value.reason, Crashed)
    assert isinstance(caught.value.reason.exception, BadResult)
    assert caught.value.reason.exception.value == "junk"


@row("DYN-055")
async def its_spec_has_its_name_or_key_or_class_as_id_and_is_a_supervisors() -> None:
    spec = DynamicSupervisor.child_spec()
    named, keyed = spec.replace(name="rooms"), spec.replace(name=via("names", ("room", 7)))
    assert [one.id for one in (named, keyed, spec)] == ["rooms", ("room", 7), "DynamicSupervisor"]
    assert [one.type for one in (named, keyed, spec)] == ["supervisor"] * 3
    assert spec.shutdown == math.inf


@row("DYN-056")
async def two_without_a_name_under_one_supervisor_have_one_id() -> None:
    above = await start_supervisor([])
    first = await above.start_child(DynamicSupervisor)
    with pytest.raises(AlreadyStarted) as caught:
        await above.start_child(DynamicSupervisor)
    assert caught.value.pid is first.pid
    assert await above.count_children() == ChildCounts(1, 1, 1, 0)
    await above.start_child(DynamicSupervisor.child_spec().replace(name="second"))
    assert [one.id for one in await above.which_children()] == ["second", "DynamicSupervisor"]


@row("DYN-057")
async def other_options_while_it_is_suspended() -> None:
    """differs: replace_state changes them, there is no code change; it does not check them."""
    sup = await start_dynamic(max_children=1)
    children = [await sup.start_child(worker([], "a"))]

    async def replace(max_children: int) -> None:
        await suspend(sup)
        await replace_state(sup, lambda state: {**state, "max_children": max_children})
        await resume(sup)

    await replace(2)
    children.append(await sup.start_child(worker([], "b")))
    for limit in (2, -1):
        await replace(limit)
        with pytest.raises(MaxChildren) as caught:
            await sup.start_child(worker([], "c"))
        assert caught.value.limit == limit
    assert await pids(sup) == [child.pid for child in children]
