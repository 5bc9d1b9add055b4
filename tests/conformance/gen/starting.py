"""Rows of GEN about starting: what the starter gets, what it waits for, how a start fails."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any

import pytest
import trio

from runtime import (
    BadResult,
    ChildSpec,
    Continue,
    Crashed,
    Exit,
    ExitReason,
    Ignore,
    Ignored,
    Killed,
    Normal,
    Pid,
    ProcessCrashed,
    ProcessExit,
    StartFailed,
    StartTimeout,
    Stop,
    is_alive,
    processes,
    self_,
    start,
    start_link,
)
from tests.conformance.gen.parts import left_in_mailbox, links_of, refused_throw, throws
from tests.conformance.scenarios import row
from tests.conftest import Recorder
from tests.runtime.starting import slow
from tests.support import Scripted, end_of, in_process, reason_of


async def failure_of(spec: ChildSpec) -> StartFailed:
    """The error of a start that fails, of which nothing is left."""
    with pytest.raises(StartFailed) as failed:
        await start(spec)
    assert processes() == []
    return failed.value


@row("GEN-001")
async def start_link_gives_a_server_that_is_linked_to_its_starter() -> None:
    async def starter() -> None:
        server = await Scripted.start_link()
        assert is_alive(server)
        assert links_of(server) == (self_(),)
        assert links_of(self_()) == (server.pid,)

    await in_process(starter)


@row("GEN-002")
async def start_gives_a_server_that_is_linked_to_nobody() -> None:
    async def starter() -> None:
        server = await Scripted.start()
        assert is_alive(server)
        assert links_of(server) == links_of(self_()) == ()

    await in_process(starter)


@row("GEN-003")
async def the_start_waits_for_an_init_that_takes_long() -> None:
    log: list[Any] = []

    async def starter() -> float:
        begun = trio.current_time()
        await start_link(Scripted.child_spec(log, init=slow(3)))
        log.append("started")
        return trio.current_time() - begun

    assert await in_process(starter) == 3
    assert log == ["init begins", "init ends", "started"]


@row("GEN-004")
async def the_start_does_not_wait_for_the_continue() -> None:
    log: list[Any] = []

    async def work(server: Scripted) -> None:
        await trio.sleep(3)
        log.append("continued")

    async def starter() -> None:
        await start_link(Scripted.child_spec(log, init=lambda server: Continue(work)))
        log.append("started")

    await in_process(starter)
    assert log == ["started"]
    await trio.sleep(4)
    assert log == ["started", "continued"]


async def refused_to_a_trapping_starter(
    result: object, error: type[Exception]
) -> tuple[Exception, list[object], list[Any]]:
    """The error of ``start_link``, the starter's mailbox, and what the server wrote down."""
    log: list[Any] = []

    def init(server: Scripted) -> object:
        log.append(self_())
        return result

    async def starter() -> tuple[Exception, list[object]]:
        with pytest.raises(error) as refused:
            await start_link(Scripted.child_spec(log, init=init))
        return refused.value, await left_in_mailbox()

    return (*await in_process(starter, trap=True), log)


@row("GEN-005")
async def a_trapping_starter_gets_the_error_of_a_stop_in_init_and_a_message() -> None:
    refused, mailbox, (pid,) = await refused_to_a_trapping_starter(Stop("no disk"), StartFailed)
    assert isinstance(refused, StartFailed)
    assert refused.reason == "no disk"
    assert mailbox == [Exit(pid, "no disk")]


@row("GEN-006")
async def a_starter_that_does_not_trap_ends_with_the_reason_of_a_stop_in_init() -> None:
    log: list[str] = []

    async def starter() -> None:
        try:
            await start_link(Scripted.child_spec(init=lambda server: Stop("no disk")))
        except StartFailed:
            log.append("was told")
        log.append("went on")

    assert await reason_of(starter) == "no disk"
    assert log == []


@row("GEN-007")
async def a_starter_that_does_not_trap_survives_a_normal_stop_in_init() -> None:
    async def starter() -> ExitReason:
        with pytest.raises(StartFailed) as failed:
            await start_link(Scripted.child_spec(init=lambda server: Stop(Normal())))
        assert await left_in_mailbox() == []
        return failed.value.reason

    assert await in_process(starter) == Normal()


@row("GEN-008")
async def a_stop_in_init_fails_the_start_without_last_words() -> None:
    log: list[Any] = []
    spec = Scripted.child_spec(log, init=lambda server: Stop("no disk"))
    assert (await failure_of(spec)).reason == "no disk"
    assert log == []


@row("GEN-009")
async def an_init_that_declines_is_said_to_the_starter_and_ends_normally() -> None:
    _, mailbox, log = await refused_to_a_trapping_starter(Ignore(), Ignored)
    (pid,) = log  # and no last words
    assert mailbox == [Exit(pid, Normal())]


@row("GEN-010")
async def a_raise_in_init_fails_the_start_with_it_and_without_last_words() -> None:
    log: list[Any] = []
    error = ValueError("no disk")

    def init(server: object) -> None:
        raise error

    failed = await failure_of(Scripted.child_spec(log, init=init))
    assert failed.reason == Crashed(error)
    assert failed.__cause__ is error
    assert traceback.extract_tb(error.__traceback__)[-1].name == "init"
    assert log == []


@row("GEN-011")
async def an_exit_in_init_fails_the_start_with_its_reason() -> None:
    def exits(reason: ExitReason) -> Callable[[object], None]:
        def init(server: object) -> None:
            raise ProcessExit(reason)

        return init

    for reason in ("no disk", Normal()):
        assert (await failure_of(Scripted.child_spec(init=exits(reason)))).reason == reason


@row("GEN-012")
async def init_cannot_throw_what_it_may_return(events: Recorder) -> None:
    """differs: a throw is no return value: the attempt is itself the crash, a ``TypeError``."""
    for outcome in (Ignore(), Stop("no disk"), Continue(None)):
        failed = await failure_of(Scripted.child_spec(init=throws(outcome)))
        assert refused_throw(failed.reason)
        assert events.of(ProcessCrashed)[-1].reason == failed.reason


@row("GEN-013")
async def junk_from_init_is_a_bad_result() -> None:
    """differs: what is returned is; what is no exception cannot be thrown, with a ``TypeError``."""
    failed = await failure_of(Scripted.child_spec(init=lambda server: "junk"))
    assert failed.reason == Crashed(bad := cause_of(failed))
    assert bad.value == "junk"
    thrown = await failure_of(Scripted.child_spec(init=throws("junk")))
    assert refused_throw(thrown.reason)


def cause_of(failed: StartFailed) -> BadResult:
    assert isinstance(failed.__cause__, BadResult)
    return failed.__cause__


@row("GEN-014")
async def an_error_tuple_from_init_is_junk(events: Recorder) -> None:
    """differs: from OTP 26 on it is a quiet refusal; here it is a bad result, as in OTP 25."""
    failed = await failure_of(Scripted.child_spec(init=lambda server: ("error", "no disk")))
    assert failed.reason == Crashed(bad := cause_of(failed))
    assert bad.value == ("error", "no disk")
    assert [crash.reason for crash in events.of(ProcessCrashed)] == [Crashed(bad)]


@row("GEN-015")
async def an_init_that_exceeds_the_timeout_is_killed_and_leaves_no_message(
    events: Recorder,
) -> None:
    tried: list[Pid] = []

    async def init(server: object) -> None:
        tried.append(self_())
        await trio.sleep(300)

    async def starter() -> list[object]:
        begun = trio.current_time()
        with pytest.raises(StartTimeout):
            await start_link(Scripted.child_spec(init=init), timeout=20)
        assert trio.current_time() - begun == 20
        assert not is_alive(tried[0])
        return await left_in_mailbox()

    assert await in_process(starter, trap=True) == []
    assert end_of(events, tried[0]) == Killed()
