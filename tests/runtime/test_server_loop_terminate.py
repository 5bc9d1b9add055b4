"""When ``terminate`` runs, and what parents, links and signals mean to a server.

DESIGN 4, one rule: it runs on every end but a kill signal aimed at the process itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import trio

from runtime import (
    CleanupFailed,
    Crashed,
    Exit,
    ExitReason,
    Killed,
    Node,
    Normal,
    Pid,
    ProcessEnded,
    ProcessExit,
    Ref,
    Shutdown,
    ShutdownBudget,
    StartFailed,
    exit,
    is_alive,
    kill,
    link,
    named,
    open_node,
    self_,
    spawn,
    spawn_link,
    start,
    start_link,
    trap_exits,
    wait_exit,
)
from tests.conftest import Recorder
from tests.support import Do, Note, Scripted, end_of, in_process

BOOM = ValueError("boom")
STYLES = pytest.mark.parametrize("style", ["def", "async"])


class AsyncScripted(Scripted):
    """The same with ``async def`` callbacks."""

    async def handle_info(self, message: object) -> Any:
        result = super().handle_info(message)
        return await result if hasattr(result, "__await__") else result

    async def terminate(self, reason: ExitReason) -> None:
        await trio.sleep(1)
        self.log.append(("terminate", reason))


def trapping(server: object) -> None:
    trap_exits()


def spec_of(style: str, log: list[Any], *, trap: bool = False) -> Any:
    script = {"init": trapping} if trap else {}
    if style == "def":
        return Scripted.child_spec(log, **script)
    return AsyncScripted.child_spec(log, **script)


async def raised_by(parent_ends: Callable[[], Any], spec: Any) -> Ref:
    """Start ``spec`` linked to a parent, which then ends as it is told."""
    started: list[Ref] = []

    async def parent() -> None:
        started.append(await start_link(spec))
        await trio.sleep(1)
        await parent_ends()

    spawn(parent)
    await trio.sleep(0.5)
    return started[0]


async def leave_boom() -> None:
    raise ProcessExit("boom")


async def crash() -> None:
    raise BOOM


async def leave_normally() -> None:
    return


@STYLES
@pytest.mark.parametrize(("leave", "reason"), [(leave_boom, "boom"), (crash, Crashed(BOOM))])
@pytest.mark.parametrize("trap", [True, False])
async def test_the_abnormal_end_of_the_parent_ends_the_server(
    node: Node, events: Recorder, style: str, leave: Any, reason: ExitReason, trap: bool
) -> None:
    """GEN-022, GEN-023. differs: ``terminate`` also runs when exits are not trapped."""
    log: list[Any] = []
    server = await raised_by(leave, spec_of(style, log, trap=trap))
    await trio.sleep(5)
    assert log == [("terminate", reason)]
    assert end_of(events, server.pid) == reason


@STYLES
async def test_the_normal_end_of_the_parent_ends_a_trapping_server(
    node: Node, events: Recorder, style: str
) -> None:
    """GEN-024."""
    log: list[Any] = []
    server = await raised_by(leave_normally, spec_of(style, log, trap=True))
    await trio.sleep(5)
    assert log == [("terminate", Normal())]
    assert end_of(events, server.pid) == Normal()


@STYLES
async def test_the_normal_end_of_the_parent_is_nothing_to_one_that_does_not_trap(
    node: Node, style: str
) -> None:
    """GEN-025."""
    log: list[Any] = []
    server = await raised_by(leave_normally, spec_of(style, log))
    await trio.sleep(5)
    assert log == []
    assert is_alive(server)


async def test_a_trapping_server_handles_what_was_queued_before_its_parents_end(
    node: Node,
) -> None:
    """GEN-026. What came after it is not handled."""
    log: list[Any] = []

    async def busy(server: object) -> None:
        await trio.sleep(2)
        log.append("finished")

    server = await raised_by(leave_boom, spec_of("def", log, trap=True))
    server.cast(Do(busy))
    server.send("before")
    await trio.sleep(1)  # the parent has ended
    server.send("after")
    await trio.sleep(5)
    assert log == ["finished", ("info", "before"), ("terminate", "boom")]


async def test_a_server_that_does_not_trap_is_interrupted(node: Node) -> None:
    """At the next checkpoint of the handler in hand; nothing queued runs."""
    log: list[Any] = []

    async def busy(server: object) -> None:
        try:
            await trio.sleep(100)
            log.append("finished")
        finally:
            log.append("cleaned up")

    server = await raised_by(leave_boom, spec_of("def", log))
    server.cast(Do(busy))
    server.send("queued")
    await trio.sleep(5)
    assert log == ["cleaned up", ("terminate", "boom")]


@pytest.mark.parametrize("reason", [Normal(), Shutdown(), "boom", Killed()])
async def test_an_exit_from_somebody_else_is_a_message_to_a_trapping_server(
    node: Node, reason: ExitReason
) -> None:
    """GEN-028: also a normal one."""
    log: list[Any] = []
    server = await start(spec_of("def", log, trap=True))

    async def other() -> None:
        exit(server, reason)
        log.append(self_())

    await wait_exit(spawn(other))
    await trio.sleep(1)
    assert log[1] == ("info", Exit(log[0], reason))
    assert is_alive(server)


@STYLES
@pytest.mark.parametrize("trap", [True, False])
async def test_a_linked_worker_that_crashes(
    node: Node, events: Recorder, style: str, trap: bool
) -> None:
    """GEN-029, GEN-030. differs: ``terminate`` runs in the latter too."""
    log: list[Any] = []
    server = await start(spec_of(style, log, trap=trap))
    workers: list[Any] = []
    server.send(Note(lambda one: workers.append(spawn_link(crash))))
    await trio.sleep(5)
    if trap:
        assert log == [("info", Exit(workers[0], Crashed(BOOM)))]
        assert is_alive(server)
    else:
        assert log == [("terminate", Crashed(BOOM))]
        assert end_of(events, server.pid) == Crashed(BOOM)


@STYLES
@pytest.mark.parametrize("trap", [True, False])
async def test_a_kill_has_no_last_words(
    node: Node, events: Recorder, style: str, trap: bool
) -> None:
    """GEN-031."""
    log: list[Any] = []
    server = await start(spec_of(style, log, trap=trap))
    await trio.sleep(1)
    kill(server)
    assert await wait_exit(server) == Killed()
    await trio.sleep(5)
    assert log == []


@STYLES
async def test_a_killed_that_comes_through_a_link_is_a_reason_like_any_other(
    node: Node, events: Recorder, style: str
) -> None:
    """The kill was aimed at another: this server still has its last words."""
    log: list[Any] = []
    server = await start(spec_of(style, log))

    async def other() -> None:
        link(server)
        await trio.sleep_forever()

    pid = spawn(other)
    await trio.sleep(1)
    kill(pid)
    await trio.sleep(5)
    assert log == [("terminate", Killed())]
    assert end_of(events, server.pid) == Killed()


async def test_a_kill_ends_the_last_words_that_a_killed_link_began(node: Node) -> None:
    """The reason is the same, the two are not."""
    log: list[Any] = []

    async def last_words(server: object, reason: object) -> None:
        log.append("begun")
        await trio.sleep_forever()

    server = await start(Scripted.child_spec(terminate=last_words))
    exit(server, Killed())
    await trio.sleep(1)
    assert log == ["begun"]
    kill(server)
    assert await wait_exit(server) == Killed()


@STYLES
async def test_an_exit_signal_while_it_waits(node: Node, events: Recorder, style: str) -> None:
    """GEN-047, for a server with nothing to do."""
    log: list[Any] = []
    server = await start(spec_of(style, log))
    await trio.sleep(1)
    exit(server, Shutdown("now"))
    await trio.sleep(5)
    assert log == [("terminate", Shutdown("now"))]
    assert end_of(events, server.pid) == Shutdown("now")


@STYLES
async def test_a_normal_exit_signal_from_another_is_ignored(node: Node, style: str) -> None:
    server = await start(spec_of(style, []))
    exit(server, Normal())
    await trio.sleep(5)
    assert is_alive(server)


async def test_terminate_does_not_run_for_a_server_that_was_never_up(node: Node) -> None:
    """A signal during init."""
    log: list[Any] = []

    async def init(server: object) -> None:
        await trio.sleep(5)

    spec = Scripted.child_spec(log, init=init).replace(name="late")
    async with trio.open_nursery() as nursery:

        @nursery.start_soon
        async def starter() -> None:
            with pytest.raises(StartFailed) as caught:
                await start(spec)
            assert caught.value.reason == "boom"

        await trio.sleep(1)
        exit(named("late"), "boom")
    assert log == []


async def test_terminate_is_shielded_and_a_second_signal_changes_nothing(
    node: Node, events: Recorder
) -> None:
    log: list[Any] = []

    async def last_words(server: object, reason: object) -> None:
        await trio.sleep(3)
        log.append("finished")

    server = await start(Scripted.child_spec(log, terminate=last_words))
    pid = server.pid
    exit(server, "first")
    await trio.sleep(1)
    exit(server, "second")
    await trio.sleep(5)
    assert log == [("terminate", "first"), "finished"]
    assert end_of(events, pid) == "first"


async def test_a_signal_in_terminate_changes_nothing(node: Node, events: Recorder) -> None:
    """A server that has decided to end keeps its own reason."""

    async def last_words(server: object, reason: object) -> None:
        await trio.sleep(3)

    server = await start(Scripted.child_spec(terminate=last_words))
    pid = server.pid
    async with trio.open_nursery() as nursery:
        nursery.start_soon(server.stop, "own")
        await trio.sleep(1)
        exit(server, "late")
    assert end_of(events, pid) == "own"


async def test_the_crash_of_terminate_replaces_the_reason_unless_a_signal_gave_it(
    node: Node, events: Recorder
) -> None:
    """PROC-019: the signal's reason wins, and the error is told as a failed clean-up."""

    errors: list[ValueError] = []

    def fail(server: object, reason: object) -> None:
        errors.append(ValueError("in terminate"))
        raise errors[-1]

    signalled = await start(Scripted.child_spec(terminate=fail))
    crashed = await start(Scripted.child_spec(terminate=fail))
    pids = signalled.pid, crashed.pid
    exit(signalled, "boom")
    await trio.sleep(1)

    def other_crash(server: object) -> None:
        raise KeyError("first")

    crashed.cast(Do(other_crash))
    await trio.sleep(1)
    assert end_of(events, pids[0]) == "boom"
    assert end_of(events, pids[1]) == Crashed(errors[1])
    assert [(event.pid, event.exception) for event in events.of(CleanupFailed)] == [
        (pids[0], errors[0])
    ]
    assert isinstance(errors[1].__context__, KeyError), "the first crash is not lost"


BUDGETS: list[ShutdownBudget] = [5, 2, "brutal_kill"]


async def test_the_shutdown_of_the_node_runs_terminate_within_the_budget(
    events: Recorder,
) -> None:
    """Then it is killed."""
    log: list[Any] = []
    pids: list[Pid] = []

    async def last_words(server: Any, reason: object) -> None:
        log.append(reason)
        await trio.sleep(3)
        log.append("finished")

    async with open_node(instruments=[events.instrument]):
        spec = Scripted.child_spec(terminate=last_words)
        pids += [(await start(spec.replace(shutdown=budget))).pid for budget in BUDGETS]
    assert log == [Shutdown(), Shutdown(), "finished"]
    ended = {event.pid: event.reason for event in events.of(ProcessEnded)}
    assert [ended[pid] for pid in pids] == [Shutdown(), Killed(), Killed()]


async def test_a_trapping_server_is_ended_by_its_parents_request(node: Node) -> None:
    """The exit of its parent is no message: ``exit(server, reason)`` from the parent."""
    log: list[Any] = []

    async def parent() -> None:
        server = await start_link(spec_of("def", log, trap=True))
        exit(server, Shutdown("from the parent"))
        assert await wait_exit(server) == Shutdown("from the parent")

    await in_process(parent, trap=True)
    assert log == [("terminate", Shutdown("from the parent"))]
