"""OTP's ``sys`` by its names: what is asked of a server goes through its mailbox.

Not there: change_code (SYS-012, SYS-013), turning statistics on and off (SYS-014: they are always
on). The log and debug functions are ``trace``: see ``test_inspection_tracing``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import trio

from runtime import (
    CallExit,
    CallTimeout,
    Idle,
    IdleTimeout,
    Node,
    NoProcess,
    Pid,
    Ref,
    get_state,
    get_status,
    is_alive,
    named,
    open_node,
    ref,
    replace_state,
    resume,
    self_,
    spawn,
    start,
    statistics,
    suspend,
)
from supervisors import Supervisor
from tests.support import Ask, Do, Note, Scripted

Asker = Callable[..., Awaitable[object]]
QUICK = Ask(lambda server, reply_to: "reply")


async def change_nothing(target: Any, **options: Any) -> object:
    return await replace_state(target, lambda state: state, **options)


ASKERS: list[Asker] = [get_state, get_status, statistics, suspend, resume, change_nothing]


class Counter(Scripted):
    def __init__(self, count: int = 0, **script: Any) -> None:
        super().__init__(**script)
        self.count = count


async def test_the_state_by_pid_handle_and_name(node: Node) -> None:
    """SYS-001."""
    server = await start(Counter.child_spec(7).replace(name="counter"))
    for target in (server, server.pid, ref(server.pid), named("counter")):
        assert (await get_state(target))["count"] == 7


async def test_the_state_is_a_copy(node: Node) -> None:
    server = await Counter.start()
    state = await get_state(server)
    state["count"] = 100
    del state["log"]
    assert (await get_state(server))["count"] == 0
    assert "log" in await get_state(server)


async def test_the_state_is_replaced_and_returned(node: Node) -> None:
    """SYS-003."""
    server = await Counter.start()
    result = await replace_state(server, lambda state: {**state, "count": state["count"] + 5})
    assert result["count"] == 5
    result["count"] = 100
    assert await server.call(Ask(lambda one, reply_to: one.count)) == 5


async def test_an_attribute_that_the_new_state_leaves_out_is_gone(node: Node) -> None:
    server = await Counter.start()
    await replace_state(server, lambda state: {"log": state["log"]})
    assert await get_state(server) == {"log": []}


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda state: 1 / 0, ZeroDivisionError),
        (lambda state: None, TypeError),
        (lambda state: [1], TypeError),
        (5, TypeError),
    ],
)
async def test_a_change_that_fails_is_the_callers_and_the_state_stays(
    node: Node, change: Any, error: type[Exception]
) -> None:
    """SYS-004."""
    server = await Counter.start(7)
    with pytest.raises(error):
        await replace_state(server, change)
    assert (await get_state(server))["count"] == 7
    assert is_alive(server)


async def test_the_status(node: Node) -> None:
    """SYS-005. differs: no process dictionary and no debug options."""
    server = await Counter.start(7)
    status = await get_status(server)
    assert (status.pid, status.behaviour, status.status) == (server.pid, "Counter", "running")
    assert status.parent.label == "node"
    assert status.state["count"] == 7
    await suspend(server)
    assert (await get_status(server)).status == "suspended"
    await resume(server)
    assert (await get_status(server)).status == "running"


async def test_a_resumed_server_goes_on_in_order(node: Node) -> None:
    """SYS-007, GEN-034: callers that waited are served as they arrived."""
    log: list[Any] = []
    server = await start(Scripted.child_spec(log))
    await suspend(server)

    async def client(number: int) -> None:
        await trio.sleep(number)
        await server.call(Ask(lambda one, reply_to: log.append(number)), timeout=100)

    async with trio.open_nursery() as nursery:
        for number in range(5):
            nursery.start_soon(client, number)
        await trio.sleep(2.5)
        server.cast(Do(lambda one: log.append("between")))
        await trio.sleep(10)
        assert log == []
        await resume(server)
    assert log == [0, 1, 2, "between", 3, 4]


async def test_one_resume_is_enough(node: Node) -> None:
    """SYS-008."""
    server = await start(Scripted.child_spec())
    for _ in range(3):
        await suspend(server)
    await resume(server)
    assert await server.call(QUICK) == "reply"
    await resume(server)
    assert await server.call(QUICK) == "reply", "and one too many is nothing"


@pytest.mark.parametrize("ask", ASKERS)
async def test_the_dead_and_the_unknown_have_no_state(node: Node, ask: Asker) -> None:
    """SYS-009."""
    gone = await start(Scripted.child_spec())
    await gone.stop()
    targets: list[Pid | Ref] = [gone, gone.pid, named("nobody")]
    for target in targets:
        with pytest.raises(CallExit) as caught:
            await ask(target)
        assert caught.value.reason == NoProcess()


@pytest.mark.parametrize("ask", ASKERS)
async def test_a_busy_server_answers_too_late(node: Node, ask: Asker) -> None:
    """SYS-010."""
    server = await start(Scripted.child_spec())

    async def busy(one: object) -> None:
        await trio.sleep(3)

    server.cast(Do(busy))
    begun = trio.current_time()
    with pytest.raises(CallTimeout):
        await ask(server, timeout=1)
    assert trio.current_time() - begun == 1


async def test_five_seconds_is_the_default(node: Node) -> None:
    server = await start(Scripted.child_spec())

    async def busy(one: object) -> None:
        await trio.sleep(30)

    server.cast(Do(busy))
    begun = trio.current_time()
    with pytest.raises(CallTimeout):
        await get_state(server)
    assert trio.current_time() - begun == 5


async def test_a_suspended_server_can_be_stopped(node: Node) -> None:
    log: list[Any] = []
    server = await start(Scripted.child_spec(log))
    await suspend(server)
    server.send(Note(text="never"))
    async with trio.open_nursery() as nursery:

        @nursery.start_soon
        async def waits() -> None:
            with pytest.raises(CallExit) as caught:
                await server.call(QUICK, timeout=100)
            assert caught.value.reason == "asked"

        await trio.sleep(1)
        await server.stop("asked")
    assert log == [("terminate", "asked")]


async def test_statistics_count_what_came_in(node: Node) -> None:
    """SYS-014. differs: always on; messages out and reductions are not counted."""
    begun = trio.current_time()
    server = await start(Scripted.child_spec())
    await server.call(QUICK)
    server.cast(Do(lambda one: None))
    await server.call(QUICK)
    await trio.sleep(3)
    found = await statistics(server)
    assert (found.messages_in, found.mailbox_length) == (3, 0)
    assert (found.started_at, found.now) == (begun, begun + 3)
    await suspend(server)
    server.send("waits")
    found = await statistics(server)
    assert (found.messages_in, found.mailbox_length) == (3, 1)


async def test_a_supervisor_can_be_looked_into_and_goes_on(node: Node) -> None:
    """SYS-017."""
    spec = Supervisor.child_spec([Counter.child_spec(1).replace(name="counter")])
    supervisor = await start(spec)
    assert await get_state(supervisor)
    assert (await get_status(supervisor)).behaviour == "Supervisor"
    await suspend(supervisor)
    old = named("counter").pid
    await named("counter").stop("boom")
    await trio.sleep(1)
    assert named("counter").whereis() is None, "it is suspended"
    await resume(supervisor)
    await trio.sleep(1)
    assert named("counter").pid is not old


async def test_being_looked_into_does_not_call_an_idle_timeout_off(node: Node) -> None:
    """SYS-018."""
    log: list[Any] = []
    server = await start(Scripted.child_spec(log, init=lambda one: Idle(2)))
    await trio.sleep(1)
    for ask in (get_state, get_status, statistics, change_nothing):
        await ask(server)
    await trio.sleep(0.9)
    assert log == []
    await trio.sleep(0.2)
    assert log == [("info", IdleTimeout())]


async def test_a_suspended_server_is_not_idle(node: Node) -> None:
    """Its time goes on, and it is told when it is resumed."""
    log: list[Any] = []
    server = await start(Scripted.child_spec(log, init=lambda one: Idle(2)))
    await suspend(server)
    await trio.sleep(10)
    assert log == []
    await resume(server)
    await trio.sleep(1)
    assert log == [("info", IdleTimeout())]


async def test_a_server_that_suspends_itself_by_a_continue_waits_with_it(node: Node) -> None:
    """A pending Continue is the server's own work: it waits as messages do."""
    from runtime import Continue

    log: list[Any] = []
    server = await start(Scripted.child_spec(log))

    async def slow(one: object) -> Continue:
        await trio.sleep(2)
        return Continue(lambda again: log.append("second"))

    server.cast(Do(lambda one: Continue(slow)))
    await trio.sleep(1)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(suspend, server)
    assert log == ["second"], "the chain was begun before"
    await resume(server)
    assert await server.call(QUICK) == "reply"


async def test_the_parents_end_reaches_a_suspended_server_that_traps_exits(node: Node) -> None:
    from runtime import exit, start_link, trap_exits, wait_exit

    log: list[Any] = []
    started: list[Ref] = []

    async def parent() -> None:
        started.append(await start_link(Scripted.child_spec(log, init=lambda one: _trap())))
        await trio.sleep_forever()

    def _trap() -> None:
        trap_exits()

    pid = spawn(parent)
    await trio.sleep(1)
    await suspend(started[0])
    exit(pid, "boom")
    assert await wait_exit(started[0]) == "boom"
    assert log == [("terminate", "boom")]


async def test_a_plain_process_is_no_server(node: Node) -> None:
    pid = spawn(trio.sleep_forever)
    for ask in ASKERS:
        with pytest.raises(TypeError, match="is no server and does not answer"):
            await ask(pid)
    assert is_alive(pid)


@pytest.mark.parametrize("ask", ASKERS)
@pytest.mark.parametrize("junk", [None, "counter", 5, Scripted])
async def test_what_is_no_target_is_refused(node: Node, ask: Asker, junk: Any) -> None:
    """DESIGN 3.9."""
    with pytest.raises(TypeError, match="allowed"):
        await ask(junk)


async def test_a_wrong_timeout_is_refused(node: Node) -> None:
    server = await start(Scripted.child_spec())
    for ask in ASKERS:
        with pytest.raises(ValueError, match="timeout: got -1"):
            await ask(server, timeout=-1)


async def test_the_error_says_what_was_asked() -> None:
    async with open_node(instruments=[]):
        server = await start(Scripted.child_spec())

        async def busy(one: object) -> None:
            await trio.sleep(3)

        server.cast(Do(busy))
        with pytest.raises(CallTimeout) as caught:
            await get_state(server, timeout=1)
        assert repr(caught.value.request) == "get_state()"


async def test_a_server_can_look_into_another(node: Node) -> None:
    other = await Counter.start(7)
    server = await start(Scripted.child_spec())

    async def look(one: object, reply_to: object) -> object:
        assert self_() is server.pid
        return (await get_state(other))["count"]

    assert await server.call(Ask(look)) == 7
