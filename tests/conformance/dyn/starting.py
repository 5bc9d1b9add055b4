"""Rows of DYN about starting a child: what it gives, how it fails, what other requests see."""

from __future__ import annotations

from typing import Any

import pytest
import trio

from runtime import AlreadyStarted, BadResult, Crashed, Ignore, Ignored, ProcessExit, Ref, Stop, ref
from supervisors import ChildCounts, ChildInfo, DynamicSupervisor
from tests.conformance.dyn.parts import failed_start, with_info
from tests.conformance.scenarios import row
from tests.supervisors.dynamic_parts import (
    Tagged,
    counts,
    kill_and_see,
    pids,
    rows,
    slow,
    start_dynamic,
    the_pid,
)
from tests.supervisors.tree_parts import Ping, settle, worker


@row("DYN-001")
async def a_fresh_one_has_no_children() -> None:
    sup = await start_dynamic()
    assert await sup.which_children() == []
    assert await sup.count_children() == ChildCounts(specs=0, active=0, supervisors=0, workers=0)


@row("DYN-002")
async def a_start_gives_the_child_and_an_entry_of_it() -> None:
    """differs: the entry shows the id of the spec, where OTP shows undefined."""
    sup, log = await start_dynamic(), list[str]()
    child = await sup.start_child(worker(log, "a"))
    assert log == ["init a"]
    assert await child.call(Ping()) == "a"
    assert await sup.which_children() == [ChildInfo("a", child.pid, "running", "worker", "Worker")]


@row("DYN-003")
async def one_id_may_be_there_twice() -> None:
    sup, spec = await start_dynamic(), worker([], "a")
    one, two = await sup.start_child(spec), await sup.start_child(spec)
    assert one.pid is not two.pid
    assert await pids(sup) == [one.pid, two.pid]


@row("DYN-004")
async def a_name_that_is_taken_is_refused_and_not_counted() -> None:
    sup, log = await start_dynamic(), list[str]()
    first = await sup.start_child(worker(log, "a").replace(name="main"))
    with pytest.raises(AlreadyStarted) as caught:
        await sup.start_child(worker(log, "b").replace(name="main"))
    assert caught.value.pid is first.pid
    assert log == ["init a"]
    assert await counts(sup) == (1, 1, 0, 1)


@row("DYN-011")
async def a_start_that_says_more_gives_the_child_alone() -> None:
    """differs: the value given to ``started`` is dropped, OTP's is a part of the answer."""
    sup = await start_dynamic()
    child = await sup.start_child(with_info)
    assert isinstance(child, Ref)
    assert await pids(sup) == [child.pid]


@row("DYN-012")
async def a_child_that_says_ignore_is_not_stored_and_takes_no_place() -> None:
    sup = await start_dynamic(max_children=1)
    with pytest.raises(Ignored):
        await sup.start_child(worker([], "a", begin=Ignore))
    assert await sup.which_children() == []
    await sup.start_child(worker([], "b"))
    assert await rows(sup) == [("b", "running")]


@row("DYN-013")
async def a_start_that_fails_gives_the_bare_reason() -> None:
    sup = await start_dynamic()
    assert await failed_start(sup, lambda: Stop("R")) == "R"


@row("DYN-014")
async def a_start_that_returns_junk_gives_the_junk() -> None:
    sup = await start_dynamic()
    reason = await failed_start(sup, lambda: "X")
    assert isinstance(reason, Crashed)
    assert isinstance(reason.exception, BadResult)
    assert reason.exception.value == "X"


@row("DYN-015")
async def a_start_that_raises_gives_what_it_raised() -> None:
    """differs: what is no exception cannot be thrown, so trying to is the crash."""
    sup, error = await start_dynamic(), RuntimeError("no luck")

    def throws(thrown: Any) -> None:
        raise thrown

    thrown = await failed_start(sup, lambda: throws("X"))
    assert isinstance(thrown, Crashed)
    assert repr(thrown.exception) == "TypeError('exceptions must derive from BaseException')"
    assert await failed_start(sup, lambda: throws(error)) == Crashed(error)
    assert await failed_start(sup, lambda: throws(ProcessExit("R"))) == "R"


@row("DYN-047")
async def extra_arguments_go_first_also_on_a_restart() -> None:
    sup = await start_dynamic(extra_arguments=["e"])
    child = await sup.start_child(Tagged.child_spec("a"))
    assert await child.call(Ping()) == "e a"
    await kill_and_see(child)
    again = ref(await the_pid(sup))
    assert again.pid is not child.pid
    assert await again.call(Ping()) == "e a"


@row("DYN-051")
async def a_child_starts_another_from_its_body() -> None:
    sup, log = await start_dynamic(), list[str]()

    async def starter() -> None:
        sibling = await sup.start_child(worker(log, "sibling"))
        log.append(await sibling.call(Ping()))
        await trio.sleep_forever()

    await sup.start_child(starter)
    await settle()
    assert log == ["init sibling", "sibling"]
    assert await rows(sup) == [("starter", "running"), ("sibling", "running")]


@row("DYN-052")
async def a_slow_init_and_the_requests_of_others() -> None:
    """differs: they are answered at once, OTP's would wait until the init returns."""
    sup, began, done = await start_dynamic(), trio.current_time(), list[tuple[str, float]]()

    async def start_slowly() -> None:
        await sup.start_child(slow([], "slow", 60))
        done.append(("slow", trio.current_time() - began))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(start_slowly)
        await settle()
        await sup.start_child(worker([], "quick"))
        assert await rows(sup) == [("slow", "starting"), ("quick", "running")]
        done.append(("quick", trio.current_time() - began))
    assert done == [("quick", 0), ("slow", 60)]


@row("DYN-053")
async def a_supervisor_as_a_child_is_counted_as_one() -> None:
    sup = await start_dynamic()
    await sup.start_child(DynamicSupervisor)
    assert await counts(sup) == (1, 1, 1, 0)
    await sup.start_child(worker([], "a"))
    assert await counts(sup) == (2, 2, 1, 1)
