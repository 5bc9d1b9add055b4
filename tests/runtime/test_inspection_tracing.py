"""``trace``: a server followed message by message, until a limit, its end, or ``untrace``."""

from __future__ import annotations

from typing import Any

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from runtime import (
    Agent,
    AgentRef,
    CallExit,
    CallTimeout,
    Cast,
    Continue,
    GenServer,
    Idle,
    Node,
    NoReply,
    Normal,
    Registry,
    Reply,
    ReplyTo,
    Stop,
    get_state,
    kill,
    named,
    resume,
    spawn,
    start,
    suspend,
    trace,
    untrace,
)
from supervisors import DynamicSupervisor, DynamicSupervisorRef, RateLimiter, Supervisor
from tests.runtime.inspected import Add, Counter, Get, Slow, Story
from tests.support import Ask, Do, Note, Scripted


@pytest.fixture
def story() -> Story:
    return Story()


async def test_messages_go_in_and_what_came_of_them_goes_out(node: Node, story: Story) -> None:
    server = await Counter.start()
    await trace(server, story.append)
    assert await server.call(Get()) == 0
    server.cast(Add(secret="x"))
    server.send("hello")
    assert await server.call(Slow()) == 1
    assert story.steps == [
        ("call", "Get()"),
        ("reply", None),
        ("cast", "'Add(...)'"),
        ("noreply", None),
        ("info", "'hello'"),
        ("noreply", None),
        ("call", "Slow()"),
        ("reply", None),
    ]
    assert [one.seconds for one in story] == [None, 0, None, 0, None, 0, None, 3]
    assert {one.pid for one in story} == {server.pid.number}


async def test_casts_that_wait_together_are_told_one_by_one(node: Node, story: Story) -> None:
    server = await Counter.start()
    await trace(server, story.append)
    for _ in range(3):
        server.cast(Add())
    assert await server.call(Get()) == 3
    assert story.whats == ["cast", "noreply"] * 3 + ["call", "reply"]


@pytest.mark.parametrize(
    ("answer", "out"),
    [
        (lambda one, reply_to: 5, ("reply", None)),
        (lambda one, reply_to: Reply(5), ("reply", None)),
        (lambda one, reply_to: Stop(Normal(), reply=5), ("stop", "Normal()")),
        (lambda one, reply_to: reply_to.reply(5) or NoReply(), ("reply", None)),
        (lambda one, reply_to: one.log.append(reply_to) or NoReply(), ("noreply", None)),
        (
            lambda one, reply_to: reply_to.error(ValueError("no")) or NoReply(),
            ("error", "ValueError('no')"),
        ),
        (lambda one, reply_to: [].pop(), ("raise", "IndexError('pop from empty list')")),
        (lambda one, reply_to: Continue(lambda _one: None), None),
    ],
)
async def test_what_may_come_of_a_call(
    node: Node, story: Story, answer: Any, out: tuple[str, str | None] | None
) -> None:
    server = await start(Scripted.child_spec())
    await trace(server, story.append)
    with trio.move_on_after(1):
        try:
            await server.call(Ask(answer))
        except (ValueError, CallExit):
            pass
    (_, step, *_) = story.steps
    assert story.whats[0] == "call"
    assert step == out if out is not None else step[0] == "raise"


@pytest.mark.parametrize(
    ("result", "out"),
    [
        (None, ("noreply", None)),
        (Idle(5), ("noreply", None)),
        (Continue(lambda _one: None), ("noreply", None)),
        (Stop(Normal()), ("stop", "Normal()")),
    ],
)
@pytest.mark.parametrize("message", [Do, Note])
async def test_what_may_come_of_other_messages(
    node: Node, story: Story, message: Any, result: object, out: tuple[str, str | None]
) -> None:
    server = await start(Scripted.child_spec())
    await trace(server, story.append)
    server.send(message(lambda _one: result))
    await wait_all_tasks_blocked()
    assert story.steps[1] == out
    assert len(story) == (3 if out[0] == "stop" else 2)


async def test_an_async_cast_is_told_when_it_is_through(node: Node, story: Story) -> None:
    server = await start(Scripted.child_spec())
    await trace(server, story.append)

    async def work(_one: object) -> None:
        await trio.sleep(2)

    server.cast(Do(work))
    await trio.sleep(1)
    assert story.whats == ["cast"]
    await trio.sleep(2)
    assert [(one.what, one.seconds) for one in story] == [("cast", None), ("noreply", 2)]


class Nudge(Cast):
    """A cast that an ``async def`` takes."""


class Nudged(GenServer):
    """Takes a cast in its own time."""

    def handle_cast(self, message: Nudge) -> Any:
        return self.nudged()

    async def nudged(self) -> None:
        await trio.sleep(2)


async def test_a_def_that_returns_a_coroutine_is_awaited(node: Node, story: Story) -> None:
    server = await Nudged.start()
    await trace(server, story.append)
    server.cast(Nudge())
    await trio.sleep(3)
    assert [(one.what, one.seconds) for one in story] == [("cast", None), ("noreply", 2)]


async def test_a_look_into_it_is_no_message(node: Node, story: Story) -> None:
    server = await Counter.start()
    await trace(server, story.append)
    assert await get_state(server) == {"count": 0}
    await suspend(server)
    server.cast(Add())
    await wait_all_tasks_blocked()
    assert story == []
    await resume(server)
    await wait_all_tasks_blocked()
    assert story.whats == ["cast", "noreply"]


async def test_a_suspended_server_can_be_traced(node: Node, story: Story) -> None:
    server = await Counter.start()
    await suspend(server)
    await trace(server, story.append)
    server.cast(Add())
    await untrace(server)
    await resume(server)
    assert await server.call(Get()) == 1
    assert story == []


async def test_an_idle_time_runs_on(node: Node, story: Story) -> None:
    server = await start(Scripted.child_spec(init=lambda _one: Idle(3)))
    await trace(server, story.append)
    await trio.sleep(4)
    assert story.steps == [("info", "IdleTimeout()"), ("noreply", None)]


async def test_every_kind_of_server_can_be_traced(node: Node, story: Story) -> None:
    child = Counter.child_spec().replace(name="child")
    kinds = {
        "agent": Agent.child_spec(dict),
        "registry": Registry.child_spec(),
        "limiter": RateLimiter.child_spec(1),
        "dynamic": DynamicSupervisor.child_spec(),
        "supervisor": Supervisor.child_spec([child]),
    }
    for name, spec in kinds.items():
        await start(spec.replace(name=name))
        await trace(named(name), story.append)
        named(name).send("hello")
    await DynamicSupervisorRef("dynamic").start_child(Counter.child_spec())
    await AgentRef[dict[str, int]]("agent").get(len)
    kill(named("child"))
    await wait_all_tasks_blocked()
    assert named("child").whereis() is not None
    taken = [one.text or "" for one in story if one.what in ("call", "cast", "info")]
    assert taken.count("'hello'") == len(kinds)
    assert any("ChildDown" in text for text in taken)
    assert any("StartDynamicChild" in text for text in taken)
    for name in kinds:
        await untrace(named(name))
        await named(name).stop()


async def test_what_is_wrong_is_refused(node: Node) -> None:
    server = await Counter.start()
    junk: Any = 5
    with pytest.raises(TypeError, match="tell: got 5, allowed is a function of a TraceEvent"):
        await trace(server, junk)
    for limit in (True, 1.5, None):
        wrong: Any = limit
        with pytest.raises(TypeError, match=r"limit: got .*, allowed is an int of 1 or more"):
            await trace(server, print, limit=wrong)
    with pytest.raises(ValueError, match="limit: got 0, allowed is an int of 1 or more"):
        await trace(server, print, limit=0)


async def test_only_a_living_server_can_be_traced(node: Node) -> None:
    with pytest.raises(CallExit):
        await trace(named("nobody"), print)
    plain = spawn(trio.sleep_forever)
    with pytest.raises(TypeError, match="is no server"):
        await trace(plain, print)
    busy = await Counter.start()
    with trio.CancelScope():
        async with trio.open_nursery() as nursery:
            nursery.start_soon(busy.call, Slow())
            await wait_all_tasks_blocked()
            with pytest.raises(CallTimeout):
                await trace(busy, print, timeout=1)


class Answering(GenServer):
    """Answers later."""

    def handle_call(self, request: Get, reply_to: ReplyTo[int]) -> NoReply:
        self.reply_to = reply_to
        return NoReply()

    def handle_info(self, message: object) -> None:
        self.reply_to.reply(7)


async def test_a_reply_put_off_is_none_when_the_handler_is_through(
    node: Node, story: Story
) -> None:
    server = await Answering.start()
    await trace(server, story.append)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(server.call, Get())
        await wait_all_tasks_blocked()
        server.send("now")
    assert story.whats == ["call", "noreply", "info", "noreply"]
