"""Exit signals: ``exit``, ``kill``, ``trap_exits``."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import trio

from runtime import (
    Crashed,
    ExitReason,
    Killed,
    Node,
    NoNode,
    NoProcess,
    Normal,
    OutsideProcess,
    ProcessExit,
    ReceiveTimeout,
    Shutdown,
    exit,
    is_alive,
    kill,
    named,
    receive,
    ref,
    self_,
    send,
    spawn,
    trap_exits,
    wait_exit,
)
from runtime.messages import Exit
from runtime.pid import Pid
from tests.support import in_process, reason_of, stop_all

REASONS: list[ExitReason] = [
    Shutdown(),
    Shutdown("x"),
    Killed(),
    NoProcess(),
    Crashed(ValueError("x")),
    "boom",
    0,
    False,
    (),
]


async def nothing() -> None: ...


async def dead() -> Pid:
    pid = spawn(nothing)
    await wait_exit(pid)
    return pid


async def test_a_foreign_normal_is_ignored_by_a_process_that_does_not_trap(node: Node) -> None:
    """PROC-015."""
    pid = spawn(trio.sleep_forever)
    await trio.sleep(1)

    async def sender() -> None:
        exit(pid, Normal())

    await in_process(sender)
    exit(pid, Normal())
    await trio.sleep(1)
    assert is_alive(pid)
    await stop_all(pid)


@pytest.mark.parametrize("reason", [Normal(), *REASONS])
async def test_a_process_that_traps_gets_a_message_with_the_signals_sender(
    node: Node, reason: ExitReason
) -> None:
    """PROC-016, PROC-020."""

    async def body() -> None:
        me = self_()
        sender = spawn(sends, me)
        assert await receive() == Exit(sender, reason)

    async def sends(to: Pid) -> None:
        exit(to, reason)

    await in_process(body, trap=True)


async def test_a_signal_from_a_plain_task_has_no_sender(node: Node) -> None:
    async def body() -> Exit:
        return await receive(Exit)

    got: list[Exit] = []

    async def trapping() -> None:
        trap_exits()
        got.append(await body())

    pid = spawn(trapping)
    await trio.sleep(1)
    exit(pid, "boom")
    await wait_exit(pid)
    assert got == [Exit(None, "boom")]


@pytest.mark.parametrize("trap", [False, True])
async def test_a_kill_cannot_be_trapped_and_is_seen_as_killed(node: Node, trap: bool) -> None:
    """PROC-021."""

    async def body() -> None:
        trap_exits(trap)
        await receive()

    pid = spawn(body)
    await trio.sleep(1)
    kill(pid)
    assert await wait_exit(pid) == Killed()


async def test_an_exit_signal_with_the_reason_killed_can_be_trapped(node: Node) -> None:
    """PROC-024 and the trap: the kill signal and the reason kill are two things."""

    async def body() -> None:
        exit(self_(), Killed())
        assert await receive() == Exit(self_(), Killed())

    await in_process(body, trap=True)


@pytest.mark.parametrize("send_signal", [kill, lambda target: exit(target, "boom")])
async def test_a_signal_to_the_dead_is_no_error(
    node: Node, send_signal: Callable[[object], None]
) -> None:
    """PROC-028."""
    pid = await dead()
    for target in (pid, ref(pid), named("nobody")):
        send_signal(target)


async def test_setting_the_flag_after_the_signal_is_too_late(node: Node) -> None:
    """PROC-029, and the trap: the flag is read when the signal is processed."""

    async def body() -> None:
        exit(self_(), "boom")
        trap_exits()
        await receive()

    assert await reason_of(body) == "boom"


async def test_the_flag_counts_when_the_signal_arrives_not_before(node: Node) -> None:
    async def body() -> None:
        trap_exits()
        exit(self_(), "trapped")
        trap_exits(False)
        exit(self_(), "accepted")
        await trio.sleep_forever()

    assert await reason_of(body) == "accepted"


async def test_each_setting_of_the_flag_returns_the_one_before(node: Node) -> None:
    """PROC-030."""

    async def body() -> list[bool]:
        return [trap_exits(True), trap_exits(), trap_exits(False), trap_exits(False)]

    assert await in_process(body) == [False, True, True, False]


async def test_a_trapped_signal_leaves_the_work_in_hand_alone(node: Node) -> None:
    async def body() -> None:
        pid = spawn(sends, self_())
        await trio.sleep(5)
        assert await receive(timeout=0) == Exit(pid, "boom")

    async def sends(to: Pid) -> None:
        await trio.sleep(1)
        exit(to, "boom")

    await in_process(body, trap=True)


async def test_self_is_the_process_in_its_helper_tasks_too(node: Node) -> None:
    async def body() -> None:
        mine = self_()
        seen: list[Pid] = []

        async def helper() -> None:
            seen.append(self_())

        async with trio.open_nursery() as nursery:
            nursery.start_soon(helper)
        assert seen == [mine]

    await in_process(body)


async def test_outside_a_process_what_needs_one_is_refused(node: Node) -> None:
    for needs_one in (self_, trap_exits):
        with pytest.raises(OutsideProcess, match="needs a process"):
            needs_one()
    with pytest.raises(OutsideProcess, match="receive needs a process"):
        await receive()


@pytest.mark.parametrize("garbage", [None, 7, "name", object()])
async def test_a_target_that_is_none_is_refused(node: Node, garbage: object) -> None:
    calls: list[Callable[[], object]] = [
        lambda: exit(garbage, "boom"),  # type: ignore[arg-type]
        lambda: kill(garbage),  # type: ignore[arg-type]
        lambda: is_alive(garbage),  # type: ignore[arg-type]
        lambda: send(garbage, "message"),  # type: ignore[arg-type]
    ]
    for call in calls:
        with pytest.raises(TypeError, match=r"^target: got .* allowed are a Pid and a Ref"):
            call()
    with pytest.raises(TypeError, match=r"^target: got "):
        await wait_exit(garbage)  # type: ignore[arg-type]


@pytest.mark.parametrize("slip", [None, ValueError("x"), Normal])
async def test_a_slip_of_a_reason_is_refused_before_anything_happens(
    node: Node, slip: object
) -> None:
    pid = spawn(trio.sleep_forever)
    with pytest.raises(TypeError, match=r"^reason: got "):
        exit(pid, slip)
    assert is_alive(pid)
    await stop_all(pid)


@pytest.mark.parametrize("garbage", [None, 1, "yes"])
async def test_a_flag_that_is_no_bool_is_refused(node: Node, garbage: object) -> None:
    async def body() -> None:
        with pytest.raises(TypeError, match=r"^trap: got "):
            trap_exits(garbage)  # type: ignore[arg-type]

    await in_process(body)


async def test_without_a_node_every_function_says_so() -> None:
    pid = Pid(1, "nowhere")
    for call in (lambda: kill(pid), lambda: exit(pid, "x"), lambda: is_alive(pid)):
        with pytest.raises(NoNode, match="no node is open"):
            call()


async def test_a_process_that_traps_may_end_by_a_trapped_reason_of_its_choice(node: Node) -> None:
    async def body() -> None:
        exit(self_(), "boom")
        got = await receive(Exit)
        raise ProcessExit(got.reason)

    assert await reason_of(body, trap=True) == "boom"


async def test_trapping_does_not_make_exit_messages_of_what_was_never_sent(node: Node) -> None:
    async def body() -> None:
        with pytest.raises(ReceiveTimeout):
            await receive(timeout=5)

    await in_process(body, trap=True)
