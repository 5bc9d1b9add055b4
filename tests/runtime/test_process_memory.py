"""What has ended leaves nothing behind, also with the garbage collector off."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from typing import Any, get_args

import pytest
import trio

from runtime import (
    CallExit,
    GenServer,
    MailboxFull,
    MailboxLimit,
    MailboxPolicy,
    ProcessExit,
    ReplyTo,
    StartFailed,
    exit,
    get_state,
    kill,
    monitor,
    open_node,
    receive,
    replace_state,
    send,
    spawn,
    spawn_link,
    trap_exits,
    wait_exit,
)
from runtime.process import Process
from runtime.server_body import ServerBody
from runtime.server_loop import ServerLoop
from tests.support import Ask, Do, in_process

OURS = (Process, ServerLoop, ServerBody, GenServer)


@pytest.fixture
def no_gc() -> Iterator[None]:
    """No collections but those the test asks for, and what they find is kept for a look."""
    gc.collect()
    gc.disable()
    yield
    gc.set_debug(0)
    gc.garbage.clear()
    gc.enable()


def in_cycles() -> list[object]:
    """The objects of ours that only the garbage collector would have freed, by class."""
    gc.set_debug(gc.DEBUG_SAVEALL)
    gc.collect()
    gc.set_debug(0)
    found: list[object] = [one for one in gc.garbage if isinstance(one, OURS)]
    gc.garbage.clear()
    return found


class Boom(Exception):
    """What the processes of these tests crash with."""


async def raises() -> None:
    raise Boom


async def raises_late() -> None:
    await trio.sleep(0.1)
    raise Boom


async def raises_in_nursery() -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(raises)
        await trio.sleep_forever()


async def exits() -> None:
    raise ProcessExit("out")


async def fails_in_finally() -> None:
    try:
        await trio.sleep_forever()
    finally:
        raise Boom


async def receives_and_raises() -> None:
    await receive(timeout=0.1)


class Fragile(GenServer):
    """Crashes on every call and cast; unlike ``Scripted`` it does not keep its last reason."""

    def __init__(self, fails_at_once: bool = False) -> None:
        self.fails_at_once = fails_at_once

    def init(self) -> None:
        if self.fails_at_once:
            raise Boom

    def handle_call(self, request: Ask, reply_to: ReplyTo[object]) -> object:
        return request.fn(self, reply_to)

    def handle_cast(self, message: Do) -> None:
        raise Boom


@pytest.mark.usefixtures("no_gc")
@pytest.mark.parametrize(
    "body",
    [raises, raises_late, raises_in_nursery, exits, receives_and_raises],
)
async def test_a_thousand_crashed_processes_leave_nothing_in_reference_cycles(
    body: Callable[[], Awaitable[None]],
) -> None:
    async with open_node(instruments=[]):
        for _ in range(1000):
            spawn(body)
        await trio.sleep(1)
        assert in_cycles() == []


@pytest.mark.usefixtures("no_gc")
async def test_a_thousand_stopped_and_killed_processes_leave_nothing() -> None:
    async with open_node(instruments=[]):
        pids = [spawn(fails_in_finally) for _ in range(1000)]
        await trio.sleep(1)
        for number, pid in enumerate(pids):
            if number % 2:
                kill(pid)
            else:
                exit(pid, "out")
        await trio.sleep(1)
        assert in_cycles() == []


@pytest.mark.usefixtures("no_gc")
async def test_links_monitors_and_messages_of_the_dead_leave_nothing() -> None:
    async def parent() -> None:
        trap_exits()
        for _ in range(1000):
            pid = spawn_link(raises)
            monitor(pid)
            send(pid, "never read")
        for _ in range(2000):
            await receive()

    async with open_node(instruments=[]):
        await in_process(parent)
        assert in_cycles() == []


@pytest.mark.usefixtures("no_gc")
async def test_a_thousand_crashed_servers_and_their_callers_leave_nothing() -> None:
    def crash(*_args: object) -> None:
        raise Boom

    async def crash_async(*_args: object) -> None:
        raise Boom

    async def crash_one(how: int) -> None:
        server = await Fragile.start()
        if how == 0:
            server.cast(Do(crash))
            await wait_exit(server)
            return
        with pytest.raises(CallExit):
            await server.call(Ask(crash if how == 1 else crash_async))

    async with open_node(instruments=[]):
        for number in range(1000):
            await crash_one(number % 3)
        assert in_cycles() == []


@pytest.mark.usefixtures("no_gc")
async def test_a_thousand_failed_starts_leave_nothing() -> None:
    async with open_node(instruments=[]):
        for _ in range(1000):
            with pytest.raises(StartFailed):
                await Fragile.start(True)
        assert in_cycles() == []


@pytest.mark.usefixtures("no_gc")
@pytest.mark.parametrize("policy", get_args(MailboxPolicy))
async def test_a_message_for_a_full_mailbox_leaves_nothing(policy: MailboxPolicy) -> None:
    async with open_node(instruments=[]):
        pid = spawn(trio.sleep_forever, mailbox=MailboxLimit(1, policy=policy))
        send(pid, "fits")
        with suppress(MailboxFull):
            send(pid, "one too many")
        kill(pid)
        await wait_exit(pid)
        assert in_cycles() == []


@pytest.mark.usefixtures("no_gc")
async def test_what_is_asked_of_a_server_and_raises_there_leaves_nothing() -> None:
    def fails(_state: dict[str, Any]) -> dict[str, Any]:
        raise Boom

    async with open_node(instruments=[]):
        server = await Fragile.start()
        with pytest.raises(Boom) as raised:
            await replace_state(server, fails)
        error = weakref.ref(raised.value)
        del raised
        await get_state(server)
        assert error() is None


@pytest.mark.usefixtures("no_gc")
async def test_the_collector_would_find_a_cycle_if_there_were_one() -> None:
    """This file can fail."""

    async def keeps_itself() -> None:
        server = Fragile()
        vars(server)["itself"] = server

    async with open_node(instruments=[]):
        await wait_exit(spawn(keeps_itself))
        assert [type(one) for one in in_cycles()] == [Fragile]
