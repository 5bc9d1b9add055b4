"""A test as a process: what it may do, and how it fails."""

from __future__ import annotations

import inspect
import re
from collections.abc import AsyncIterator
from contextvars import ContextVar
from typing import Any

import pytest
import trio

from runtime import (
    CleanupFailed,
    Down,
    Exit,
    GenServer,
    Instrument,
    Node,
    NoNode,
    Normal,
    Pid,
    ProcessCrashed,
    ProcessEnded,
    Shutdown,
    exit,
    is_alive,
    kill,
    link,
    monitor,
    open_node,
    processes,
    receive,
    self_,
    spawn,
    spawn_link,
    start_link,
    trap_exits,
)
from runtime.testing import Reports, as_process, run_as_process


class Idle(GenServer):
    """Does nothing."""


@as_process
async def test_the_test_is_a_process(node: Node) -> None:
    pid = self_()
    assert is_alive(pid)
    assert processes() == [pid]
    assert trap_exits(False) is False


@as_process(trap=True)
async def test_it_traps_exits_if_it_is_told_to(node: Node) -> None:
    child = spawn_link(trio.sleep, 0)
    assert await receive(Exit) == Exit(child, Normal())


@pytest.mark.parametrize("number", [1, 2])
@as_process
async def test_fixtures_and_parameters_are_those_of_the_function(node: Node, number: int) -> None:
    """A docstring too."""
    assert isinstance(node, Node)
    assert number in (1, 2)


def test_the_name_and_the_signature_stay() -> None:
    test = test_fixtures_and_parameters_are_those_of_the_function
    assert test.__doc__ == "A docstring too."
    assert list(inspect.signature(test).parameters) == ["node", "number"]


async def test_it_returns_and_raises_what_the_function_does(node: Node) -> None:
    async def answer(number: int) -> int:
        return number + 1

    async def fail() -> None:
        raise AssertionError("no")

    assert await run_as_process(answer, 1) == 2
    with pytest.raises(AssertionError, match=r"^no$"):
        await run_as_process(fail)
    assert processes() == []


async def test_a_signal_over_a_link_fails_the_test_and_says_whose(node: Node) -> None:
    async def linked() -> None:
        async def leave() -> None:
            exit(self_(), Shutdown("bye"))

        spawn_link(leave)
        await trio.sleep_forever()

    with pytest.raises(AssertionError) as failed:
        await run_as_process(linked)
    assert str(failed.value) == (
        "the test's process was ended by the end of <Pid 2 leave>, to which it is linked "
        "(with @as_process(trap=True) it is told instead): Shutdown(detail='bye')"
    )


async def test_the_crash_of_what_it_is_linked_to_is_raised(node: Node) -> None:
    async def burn() -> None:
        raise ValueError("ash")

    async def linked() -> None:
        spawn_link(burn)
        await trio.sleep_forever()

    with pytest.raises(ValueError, match="ash") as failed:
        await run_as_process(linked)
    (note,) = failed.value.__notes__
    assert note == (
        "the test's process was ended by the end of <Pid 2 burn>, to which it is linked "
        "(with @as_process(trap=True) it is told instead)"
    )


@pytest.mark.parametrize("trap", [False, True])
async def test_ends_that_did_not_end_it_are_not_blamed(node: Node, trap: bool) -> None:
    async def test() -> None:
        spawn(trio.sleep, 1)
        spawn_link(trio.sleep, 1)
        kill(spawn(trio.sleep_forever))
        if trap:
            kill(spawn_link(trio.sleep_forever))
        await trio.sleep(2)
        raise ValueError("mine")

    with pytest.raises(ValueError, match="mine") as failed:
        await run_as_process(test, trap=trap)
    assert not hasattr(failed.value, "__notes__")


async def test_of_two_ends_over_links_the_first_is_blamed(node: Node) -> None:
    async def test() -> None:
        first, second = spawn_link(trio.sleep_forever), spawn_link(trio.sleep_forever)
        exit(first, "one")
        await trio.sleep(1)
        exit(second, "two")

    with pytest.raises(AssertionError, match=r"the end of <Pid 2 sleep_forever>, .*: 'one'$"):
        await run_as_process(test)


@pytest.mark.parametrize("times", [1, 2])
async def test_nothing_of_it_watches_the_node_any_more(
    node: Node, events: Reports, times: int
) -> None:
    for _ in range(times):
        await run_as_process(trio.sleep, 0)
    assert len(events.of(ProcessEnded)) == times


@pytest.mark.parametrize("trap", [False, True])
async def test_cancelling_ends_it(node: Node, trap: bool) -> None:
    watching: list[object] = []
    over: list[float] = []

    async def watch(pid: Pid) -> None:
        monitor(pid)
        watching.append(await receive(Down))

    async def test() -> None:
        spawn(watch, self_())
        try:
            await trio.sleep_forever()
        finally:
            with trio.CancelScope(shield=True):
                await trio.sleep(2)
            over.append(trio.current_time())

    with trio.move_on_after(1) as scope:
        await run_as_process(test, trap=trap)
    assert scope.cancelled_caught
    assert over == [3]
    await trio.testing.wait_all_tasks_blocked()
    (down,) = watching
    assert isinstance(down, Down)
    assert down.reason == Shutdown()
    assert processes() == []


async def test_cancelled_before_it_has_begun_it_does_not_begin(node: Node) -> None:
    begun: list[bool] = []

    async def test() -> None:
        begun.append(True)

    with trio.CancelScope() as scope:
        scope.cancel()
        await run_as_process(test)
    assert scope.cancelled_caught
    assert (begun, processes()) == ([], [])


async def test_what_is_linked_to_it_ends_with_it(node: Node, events: Reports) -> None:
    async def test() -> tuple[Pid, Pid]:
        link(older)
        younger = await start_link(Idle.child_spec())
        return self_(), younger.pid

    older = spawn(trio.sleep_forever)
    me, younger = await run_as_process(test)
    await trio.testing.wait_all_tasks_blocked()
    assert processes() == []
    first, *others = events.of(ProcessEnded)
    assert first == ProcessEnded(me, None, Shutdown())
    assert {one.pid for one in others} == {older, younger}
    assert [one.reason for one in others] == [Shutdown(), Shutdown()]
    assert events.of(ProcessCrashed) == []


async def test_a_signal_in_its_last_step_is_nothing_to_report(node: Node, events: Reports) -> None:
    async def test() -> int:
        exit(self_(), Shutdown("late"))
        return 1

    assert await run_as_process(test) == 1
    assert [one.reason for one in events.of(ProcessEnded)] == [Shutdown("late")]
    assert events.of(CleanupFailed) == []
    assert events.of(ProcessCrashed) == []


tenant = ContextVar("tenant", default="nobody")


@pytest.fixture
async def as_alice(node: Node) -> None:
    tenant.set("alice")


@as_process
async def test_it_sees_the_context_variables_of_its_fixtures(as_alice: None) -> None:
    assert tenant.get() == "alice"
    me = self_()

    async def inner() -> None:
        assert tenant.get() == "bob"
        assert self_() is not me
        tenant.set("carol")

    tenant.set("bob")
    await run_as_process(inner)
    assert (tenant.get(), self_()) == ("bob", me)


async def test_a_test_that_fails_does_not_take_what_it_is_linked_to_for_a_shutdown() -> None:
    crashed: list[object] = []
    watching = Instrument(crashed.append, (ProcessCrashed,))

    async def test() -> None:
        spawn_link(trio.sleep_forever)
        raise OSError("disk")

    async with open_node(instruments=[watching]):
        with pytest.raises(OSError, match="disk"):
            await run_as_process(test)
        await trio.testing.wait_all_tasks_blocked()
        assert processes() == []
    assert len(crashed) == 2


async def test_a_process_that_is_killed_from_outside_says_so(node: Node) -> None:
    async def test() -> None:
        me = self_()

        async def shoot() -> None:
            kill(me)

        spawn(shoot)
        await trio.sleep_forever()

    with pytest.raises(AssertionError, match=r"^the test's process was ended: Killed\(\)$"):
        await run_as_process(test)


# ---------------------------------------------------------------------- what is refused


def plain() -> None: ...


async def generator() -> AsyncIterator[None]:
    yield


@pytest.mark.parametrize("fn", [plain, generator, 3])
def test_only_an_async_function_is_decorated(fn: Any) -> None:
    said = rf"^fn: got {re.escape(repr(fn))}, allowed is an async function, not called"
    with pytest.raises(TypeError, match=said):
        as_process(fn)
    with pytest.raises(TypeError, match=said):
        as_process(trap=True)(fn)


@pytest.mark.parametrize("trap", [3, None])
async def test_trap_is_a_bool(node: Node, trap: Any) -> None:
    with pytest.raises(TypeError, match=rf"^trap: got {trap}, allowed are True and False$"):
        as_process(trap=trap)
    with pytest.raises(TypeError, match=rf"^trap: got {trap}, allowed are True and False$"):
        await run_as_process(trio.sleep, 0, trap=trap)
    assert processes() == []


async def test_what_cannot_be_called_so_is_refused_before_anything_starts(
    node: Node, events: Reports
) -> None:
    async def nothing() -> None: ...

    coroutine = nothing()
    wrong: Any = coroutine
    with pytest.raises(TypeError, match=r"^fn: got <coroutine .*, allowed is an async function"):
        await run_as_process(wrong)
    coroutine.close()
    with pytest.raises(TypeError, match=r"^arguments of sleep: .*; allowed are \(seconds\)$"):
        await run_as_process(trio.sleep)
    assert events == []


async def test_whatever_returns_an_awaitable_can_be_run(node: Node) -> None:
    async def answer(number: int) -> int:
        return number + 1

    assert await run_as_process(lambda number: answer(number), 1) == 2


async def test_it_needs_a_node() -> None:
    with pytest.raises(NoNode, match="take the fixture `node` or `start_supervised`"):
        await run_as_process(trio.sleep, 0)


@pytest.mark.parametrize("trap", [True, False])
def test_trap_is_given_by_its_name(trap: bool) -> None:
    said = rf"^as_process: got {trap}, allowed is @as_process\(trap={trap}\)$"
    with pytest.raises(TypeError, match=said):
        as_process(trap)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
