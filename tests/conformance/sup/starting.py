"""Rows of SUP about the start: its order, a child that does not start, what is listed."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
import trio

from runtime import (
    AlreadyStarted,
    BadResult,
    ChildSpec,
    Crashed,
    Exit,
    Ignore,
    Ignored,
    Normal,
    ProcessStarted,
    Shutdown,
    StartFailed,
    Stop,
    kill,
    receive,
    start,
)
from supervisors import ChildCounts, ChildInfo, FailedToStartChild, Supervisor
from tests.conformance.scenarios import row
from tests.conformance.sup.parts import (
    FailsOnce,
    failed_start,
    inits,
    pids,
    refusal,
    stops,
    trapping,
    trapping_ones,
)
from tests.conftest import Recorder
from tests.supervisors.tree_parts import (
    crash,
    drain,
    kids,
    pid_of,
    settle,
    start_supervisor,
    worker,
    workers,
)
from tests.support import in_process, reason_of


@row("SUP-001")
async def children_start_in_order_each_after_the_init_of_the_one_before() -> None:
    log: list[str] = []

    def slow(tag: str) -> ChildSpec:
        async def begin() -> None:
            await trio.sleep(1)
            log.append(f"up {tag}")

        return worker(log, tag, begin=begin)

    began = trio.current_time()
    await start_supervisor([slow("a"), slow("b"), slow("c")])
    assert log == ["init a", "up a", "init b", "up b", "init c", "up c"]
    assert trio.current_time() - began == 3


@row("SUP-002")
async def children_stop_in_reverse_each_awaited_before_the_next_is_signalled() -> None:
    log: list[str] = []
    sup = await start_supervisor([trapping(log, tag, nap=1) for tag in "abc"])
    drain(log)
    await sup.stop()
    assert log == [
        "terminate c shutdown", "rested c",
        "terminate b shutdown", "rested b",
        "terminate a shutdown", "rested a",
    ]  # fmt: skip


@row("SUP-003")
async def the_times_of_slow_terminates_add_up() -> None:
    sup = await start_supervisor([trapping([], tag, nap=0.06) for tag in "abc"])
    began = trio.current_time()
    await sup.stop()
    assert trio.current_time() - began == pytest.approx(0.18)


@row("SUP-004")
async def a_child_that_is_added_counts_as_the_last() -> None:
    log: list[str] = []
    sup = await start_supervisor(trapping_ones(log, "ab"), strategy="rest_for_one")
    await sup.start_child(trapping(log, "c"))
    drain(log)
    await crash(sup, "b")
    assert drain(log) == ["terminate b boom", *stops("c"), *inits("bc")]
    await crash(sup, "c")
    assert drain(log) == ["terminate c boom", *inits("c")]
    await sup.stop()
    assert drain(log) == stops("cba")


@row("SUP-005")
async def children_are_listed_with_the_newest_first() -> None:
    sup = await start_supervisor([worker([], "a"), worker([], "b", begin=FailsOnce())])
    c = await sup.start_child(Supervisor.child_spec([]).replace(id="c"))
    a, b = await pid_of(sup, "a"), await pid_of(sup, "b")
    newest = ChildInfo("c", c.pid, "running", "supervisor", "Supervisor")
    assert await sup.which_children() == [
        newest,
        ChildInfo("b", b, "running", "worker", "Worker"),
        ChildInfo("a", a, "running", "worker", "Worker"),
    ]
    await sup.terminate_child("a")
    kill(b)
    await settle()
    assert await sup.which_children() == [
        newest,
        ChildInfo("b", None, "restarting", "worker", "Worker"),
        ChildInfo("a", None, "stopped", "worker", "Worker"),
    ]


@row("SUP-006")
async def stopped_children_are_specs_and_workers_but_not_active() -> None:
    sup = await start_supervisor([*workers([], "ab"), Supervisor.child_spec([]).replace(id="s")])
    assert await sup.count_children() == ChildCounts(specs=3, active=3, supervisors=1, workers=2)
    await sup.terminate_child("a")
    assert await sup.count_children() == ChildCounts(specs=3, active=2, supervisors=1, workers=2)
    await sup.terminate_child("s")
    assert await sup.count_children() == ChildCounts(specs=3, active=1, supervisors=1, workers=2)


@row("SUP-007")
async def two_children_of_one_id_are_refused_and_nothing_starts(events: Recorder) -> None:
    log: list[str] = []
    said = await refusal(workers(log, "aba"))
    assert said == "children: two have the id 'a', give one another with .replace(id=...)"
    assert log == []
    (_only_the_caller,) = events.of(ProcessStarted)


@row("SUP-008")
async def a_child_that_fails_undoes_those_before_it_and_the_start() -> None:
    log: list[str] = []
    error = ValueError("no luck")

    def fail() -> None:
        raise error

    failed, message = await failed_start(
        [*trapping_ones(log, "ab"), trapping(log, "c", begin=fail), trapping(log, "d")]
    )
    assert log == [*inits("abc"), *stops("ba")]
    assert failed.reason == Shutdown(FailedToStartChild("c", Crashed(error)))
    assert message.reason == failed.reason


@row("SUP-009")
async def a_caller_that_does_not_trap_exits_dies_of_a_failed_start() -> None:
    async def caller() -> None:
        with suppress(StartFailed):  # so what ends it is the exit signal
            await Supervisor.start_link([worker([], "a", begin=lambda: Stop("no luck"))])
        await trio.sleep_forever()

    assert await reason_of(caller) == Shutdown(FailedToStartChild("a", "no luck"))


@row("SUP-010")
async def the_pid_that_holds_a_childs_name_is_in_the_reason() -> None:
    holder = await start(worker([], "x").replace(name="clerk"))
    failed, message = await failed_start([worker([], "a").replace(name="clerk", id="a")])
    assert isinstance(failed.reason, Shutdown)
    detail = failed.reason.detail
    assert isinstance(detail, FailedToStartChild)
    assert detail.child_id == "a"
    assert isinstance(detail.reason, AlreadyStarted)
    assert detail.reason.pid is holder.pid
    assert message.reason == failed.reason


@row("SUP-011")
async def an_ignored_child_keeps_its_spec_but_a_temporary_one_does_not() -> None:
    log: list[str] = []
    sup = await start_supervisor(
        [
            worker(log, "a", begin=Ignore),
            worker(log, "t", begin=Ignore).replace(restart="temporary"),
            worker(log, "b"),
        ]
    )
    assert log == inits("atb")
    assert await kids(sup) == "b=up a=undefined"
    assert (await pids(sup))["a"] is None


class Shop(Supervisor):
    """A supervisor of a module of its own, with what its ``init`` says."""

    def __init__(self, said: object) -> None:
        super().__init__([])
        self.said = said

    async def init(self) -> Any:
        return self.said


@row("SUP-012")
async def a_supervisors_own_init_may_ignore_the_start_but_not_return_junk() -> None:
    async def ignored() -> Exit:
        with pytest.raises(Ignored):
            await Shop.start_link(Ignore())
        return await receive(Exit)

    async def junk() -> tuple[StartFailed, Exit]:
        with pytest.raises(StartFailed) as caught:
            await Shop.start_link("junk")
        return caught.value, await receive(Exit)

    assert (await in_process(ignored, trap=True)).reason == Normal()
    failed, message = await in_process(junk, trap=True)
    assert isinstance(failed.reason, Crashed)
    assert message.reason == failed.reason
    error = failed.reason.exception
    assert isinstance(error, BadResult)
    assert error.value == "junk"
    assert str(error).startswith("init of Shop returned 'junk', allowed are None, ")


@row("SUP-019")
async def a_name_taken_by_another_supervisor_is_refused_with_its_pid() -> None:
    log: list[str] = []
    first = await start(Supervisor.child_spec([]).replace(name="shop"))
    with pytest.raises(AlreadyStarted) as caught:
        await start(Supervisor.child_spec(workers(log, "a")).replace(name="shop"))
    assert (caught.value.name, caught.value.pid) == ("shop", first.pid)
    assert log == []
