"""The leak check: what it names, what it lets pass."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
import trio

from runtime import (
    CallTimeout,
    Cast,
    Exit,
    ExitReason,
    GenServer,
    Node,
    Pid,
    Ref,
    Stop,
    child_spec,
    handles,
    is_alive,
    kill,
    link,
    processes,
    receive,
    send,
    set_label,
    spawn,
    start,
    trap_exits,
    wait_exit,
    whereis,
)
from runtime.testing import LeakError, crash, no_leaks, run_as_process
from supervisors import open_supervisor


class Idle(GenServer):
    """Does nothing."""

    def handle_info(self, message: object) -> None:
        pass


async def test_what_has_ended_is_no_leak(node: Node) -> None:
    async with no_leaks():
        server = await start(Idle.child_spec())
        await server.stop()


async def test_what_was_there_before_is_no_leak(node: Node) -> None:
    await start(Idle.child_spec())
    async with no_leaks():
        pass


async def test_what_is_left_is_named_with_what_is_known_of_it(node: Node) -> None:
    async def labelled() -> None:
        set_label("import of orders")
        await trio.sleep_forever()

    async def starts() -> None:
        spawn(labelled)

    with pytest.raises(LeakError) as failed:
        async with no_leaks():
            send(await start(Idle.child_spec().replace(name="db")), "tick")
            await run_as_process(starts)
            await trio.testing.wait_all_tasks_blocked()
    first, second = failed.value.left
    assert (first.pid, first.name) == (whereis("db"), "db")
    assert str(failed.value) == (
        "2 processes left running:\n"
        f"  {first.pid!r}, name 'db', parent {first.parent!r}, last message 'tick'\n"
        f"  {second.pid!r}, label 'import of orders', parent {first.parent!r}, "
        f"started by {second.ancestors[0]!r}\n"
        "stop what was started, or start it with start_supervised or in open_supervisor"
    )


async def test_what_is_about_to_end_gets_the_time_to(node: Node) -> None:
    async def slow() -> None:
        try:
            await trio.sleep_forever()
        finally:
            with trio.CancelScope(shield=True):
                await trio.sleep(0.9)

    async with no_leaks():
        pid = spawn(slow)
        await trio.testing.wait_all_tasks_blocked()
        kill(pid)


class Quit(Cast):
    """End, in your own time."""


class Slow(GenServer):
    """Takes half a second to end."""

    @handles(Quit)
    def quit(self, message: Quit) -> Stop:
        return Stop()

    async def terminate(self, reason: ExitReason) -> None:
        await trio.sleep(0.5)


class Busy(Slow):
    """And half a second with each message before that."""

    async def handle_info(self, message: object) -> None:
        await trio.sleep(0.4)


async def stop_by_hand(server: Ref) -> None:
    with trio.move_on_after(0.1):
        await server.stop()


async def stop_when_it_has_time(server: Ref) -> None:
    send(server, "work")
    with trio.move_on_after(0.1):
        await server.stop()


async def crash_and_give_up(server: Ref) -> None:
    with pytest.raises(CallTimeout):
        await crash(server, timeout=0.1)


async def quit_by_itself(server: Ref) -> None:
    server.cast(Quit())


@pytest.mark.parametrize(
    "end", [stop_by_hand, stop_when_it_has_time, crash_and_give_up, quit_by_itself]
)
async def test_what_has_been_asked_in_any_way_gets_the_time_to(
    node: Node, end: Callable[[Ref], Awaitable[None]]
) -> None:
    async with no_leaks():
        server = await start(Busy.child_spec())
        await end(server)
    assert not is_alive(server)


async def test_a_child_that_its_supervisor_is_stopping_gets_the_time_to(node: Node) -> None:
    async def reads_later() -> None:
        trap_exits()
        await trio.sleep(0.5)
        await receive(Exit)

    async with open_supervisor([]) as supervisor:
        async with no_leaks():
            await supervisor.start_child(child_spec(reads_later).replace(restart="temporary"))
            with trio.move_on_after(0.1):
                await supervisor.terminate_child("reads_later")
        assert await supervisor.which_children() == []


@pytest.mark.parametrize("seconds", [0, 0.1])
async def test_what_falls_with_it_gets_the_time_to(node: Node, seconds: float) -> None:
    async def cleans_up(seconds: float, *others: Pid) -> None:
        for other in others:
            link(other)
        try:
            await trio.sleep_forever()
        finally:
            with trio.CancelScope(shield=True):
                await trio.sleep(seconds)

    async with no_leaks():
        oldest = spawn(cleans_up, seconds)
        older = spawn(cleans_up, seconds, oldest)
        younger = spawn(cleans_up, 0.5, older)
        spawn(cleans_up, seconds, younger)
        await trio.testing.wait_all_tasks_blocked()
        kill(younger)
    assert processes() == []


async def test_the_fall_of_one_that_was_there_before_is_waited_for(node: Node) -> None:
    async def slow() -> None:
        try:
            await trio.sleep_forever()
        finally:
            with trio.CancelScope(shield=True):
                await trio.sleep(0.5)

    async def linked(other: Pid) -> None:
        link(other)
        await trio.sleep_forever()

    was_there = spawn(slow)
    async with no_leaks():
        spawn(linked, was_there)
        await trio.testing.wait_all_tasks_blocked()
        kill(was_there)
    assert processes() == []


async def test_what_ends_without_any_waiting_is_no_leak(node: Node) -> None:
    async def quick() -> None:
        for _ in range(10):
            await trio.lowlevel.checkpoint()

    async with no_leaks():
        spawn(quick)
    assert processes() == []
    assert trio.current_time() == 0


async def test_what_ends_by_itself_later_is_a_leak(node: Node) -> None:
    with pytest.raises(LeakError, match="1 process left running"):
        async with no_leaks():
            spawn(trio.sleep, 0.5)
    assert trio.current_time() == 0


async def test_one_that_never_rests_is_named_too(node: Node) -> None:
    async def spins() -> None:
        while True:
            await trio.lowlevel.checkpoint()

    with pytest.raises(LeakError, match="1 process left running") as failed:
        async with no_leaks():
            spawn(spins)
    (left,) = failed.value.left
    kill(left.pid)


async def test_where_nobody_is_left_nobody_is_waited_for(node: Node) -> None:
    async def slow() -> None:
        with trio.CancelScope(shield=True):
            await trio.sleep(0.5)

    was_there = spawn(slow)
    await trio.testing.wait_all_tasks_blocked()
    async with no_leaks():
        kill(was_there)
    assert trio.current_time() == 0
    await wait_exit(was_there)


async def test_what_does_not_end_is_a_leak(node: Node) -> None:
    async def stubborn() -> None:
        with trio.CancelScope(shield=True):
            await trio.sleep(10)

    with pytest.raises(LeakError, match="1 process left running") as failed:
        async with no_leaks():
            pid = spawn(stubborn)
            await trio.testing.wait_all_tasks_blocked()
            kill(pid)
    (left,) = failed.value.left
    await wait_exit(left.pid)


async def test_an_error_of_the_block_comes_first(node: Node) -> None:
    with pytest.raises(ValueError, match="mine"):
        async with no_leaks():
            spawn(trio.sleep_forever)
            raise ValueError("mine")
