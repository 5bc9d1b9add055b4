"""The leak check: what it names, what it lets pass."""

from __future__ import annotations

import pytest
import trio

from runtime import GenServer, Node, kill, send, set_label, spawn, start, wait_exit, whereis
from runtime.testing import LeakError, no_leaks, run_as_process


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
