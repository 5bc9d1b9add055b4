"""``console.acts``: what can be done to a process by hand."""

from __future__ import annotations

import pytest
import trio
import trio.testing

from runtime import (
    Call,
    Cast,
    GenServer,
    Node,
    Pid,
    get_state,
    get_status,
    handles,
    is_alive,
    spawn,
    start,
)  # fmt: skip
from runtime.console.acts import NotDone, NotSuspended, act, in_turn, said, server
from runtime.console.finding import process_of
from runtime.process import Process


class Get(Call[int]): ...


class Sleep(Cast): ...


class One(GenServer):
    @handles(Sleep)
    async def sleep(self, message: Sleep) -> None:
        await trio.sleep(100)

    @handles(Get)
    def get(self, request: Get) -> int:
        return 1


async def restart(process: Process) -> str:
    return f"restarted {said(process)}"


async def sleeper() -> None:
    await trio.sleep_forever()


async def test_a_server_is_suspended_and_resumed(node: Node) -> None:
    one = await start(One.child_spec().replace(name="one"))
    process = process_of("one")
    assert await act("suspend", process, restart) == "suspended one (1)"
    assert (await get_status(one)).status == "suspended"
    assert await act("resume", process, restart) == "resumed one (1)"
    assert await one.call(Get()) == 1


async def test_one_that_is_busy_is_said_to_answer_in_its_turn(node: Node) -> None:
    one = await start(One.child_spec().replace(name="one"))
    for _ in range(3):
        one.cast(Sleep())
    await trio.testing.wait_all_tasks_blocked()
    with pytest.raises(NotDone) as raised:
        await in_turn(process_of("one"), lambda: get_state(one, timeout=2.0))
    assert str(raised.value) == (
        "one (1) has not answered within 2 s: it answers in its turn, and 3 messages wait; "
        "info, mailbox and where do not ask it"
    )
    with pytest.raises(NotDone, match="it answers in its turn"):
        await act("suspend", process_of("one"), restart)


async def test_a_process_is_killed_or_stopped(node: Node) -> None:
    for action, end in (("kill", "killed"), ("stop", "stopped")):
        for pid in ((await start(One.child_spec())).pid, spawn(sleeper)):
            name = f"{pid.label} ({pid.number})"
            done = await act("kill" if action == "kill" else "stop", process_of(pid), restart)
            assert done == f"{end} {name}"
            await trio.testing.wait_all_tasks_blocked()
            assert not is_alive(pid)


async def test_a_restart_is_somebody_elses_business(node: Node) -> None:
    assert await act("restart", process_of(spawn(sleeper)), restart) == "restarted sleeper (1)"


@pytest.mark.parametrize("action", ["suspend", "resume"])
async def test_a_function_answers_nothing(node: Node, action: str) -> None:
    process = process_of(spawn(sleeper))
    with pytest.raises(NotDone, match=r"^sleeper \(1\) is no server: a function answers nothing$"):
        await act("suspend" if action == "suspend" else "resume", process, restart)
    with pytest.raises(NotDone):
        server(process)


async def test_the_console_is_not_suspended(node: Node) -> None:
    class Kept(GenServer, NotSuspended): ...

    await start(Kept.child_spec().replace(name="otp.console"))
    with pytest.raises(NotDone, match=r"^the console cannot be suspended: nobody could resume it$"):
        await act("suspend", process_of("otp.console"), restart)
    assert isinstance(process_of("otp.console").pid, Pid)
