"""A test as a process: what it may do, and how it fails."""

from __future__ import annotations

import inspect

import pytest
import trio

from runtime import (
    Exit,
    Instrument,
    Node,
    NoProcess,
    Normal,
    ProcessCrashed,
    Shutdown,
    exit,
    is_alive,
    kill,
    monitor,
    open_node,
    processes,
    receive,
    self_,
    spawn,
    spawn_link,
    trap_exits,
    wait_exit,
)
from runtime.testing import as_process, run_as_process


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


async def test_a_signal_that_ends_it_fails_the_test(node: Node) -> None:
    async def linked() -> None:
        async def leave() -> None:
            exit(self_(), Shutdown("bye"))

        spawn_link(leave)
        await trio.sleep_forever()

    with pytest.raises(AssertionError, match=r"process was ended: Shutdown\(detail='bye'\)$"):
        await run_as_process(linked)


async def test_the_crash_of_what_it_is_linked_to_is_raised(node: Node) -> None:
    async def burn() -> None:
        raise ValueError("ash")

    async def linked() -> None:
        spawn_link(burn)
        await trio.sleep_forever()

    with pytest.raises(ValueError, match="ash"):
        await run_as_process(linked)


async def test_cancelling_ends_it(node: Node) -> None:
    pids = []

    async def test() -> None:
        pids.append(self_())
        monitor(self_())
        await trio.sleep_forever()

    with trio.move_on_after(1):
        await run_as_process(test)
    (pid,) = pids
    assert await wait_exit(pid) in (Shutdown(), NoProcess())


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

    with pytest.raises(AssertionError, match=r"Killed\(\)$"):
        await run_as_process(test)
