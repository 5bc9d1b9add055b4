"""How a trace ends: by its limit, by ``untrace``, with the server, by a raise of its own."""

from __future__ import annotations

from typing import Any

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from runtime import (
    CallExit,
    Crashed,
    Node,
    TraceEvent,
    exit,
    kill,
    start,
    trace,
    untrace,
    wait_exit,
)
from runtime.current import find_process
from tests.runtime.inspected import Add, Counter, Get, Slow, Story, is_as_before
from tests.support import Ask, Do, Scripted, captured_logs


@pytest.fixture
def story() -> Story:
    return Story()


async def test_the_end_is_told_last(node: Node, story: Story) -> None:
    server = await Counter.start()
    await trace(server, story.append)
    exit(server, "enough")
    await wait_exit(server)
    assert story.steps == [("ended", "'enough'")]


async def test_a_crash_is_a_raise_and_then_the_end(node: Node, story: Story) -> None:
    server = await start(Scripted.child_spec())
    await trace(server, story.append)
    error = ValueError("boom")

    def crash(_one: object) -> None:
        raise error

    server.cast(Do(crash))
    assert await wait_exit(server) == Crashed(error)
    assert story.whats == ["cast", "raise", "ended"]
    assert story[-1].text == "Crashed(exception=ValueError('boom'))"


async def test_a_handler_that_is_interrupted_is_told_as_such(node: Node, story: Story) -> None:
    server = await Counter.start()
    await trace(server, story.append)

    async def ask() -> None:
        with pytest.raises(CallExit):
            await server.call(Slow())

    async with trio.open_nursery() as nursery:
        nursery.start_soon(ask)
        await trio.sleep(1)
        kill(server)
    assert story.whats == ["call", "raise", "ended"]
    assert story[1].seconds == 1
    assert story[1].text is not None
    assert story[1].text.startswith("Cancelled")


async def test_after_the_limit_it_removes_itself(node: Node, story: Story) -> None:
    server = await Counter.start()
    await trace(server, story.append, limit=3)
    for _ in range(4):
        await server.call(Get())
    assert story.steps == [
        ("call", "Get()"),
        ("reply", None),
        ("call", "Get()"),
        ("limit", "3 events were told, which is the limit"),
    ]
    assert is_as_before(server)


async def test_untrace_ends_it_and_calls_run_at_once_again(node: Node, story: Story) -> None:
    server = await Counter.start()
    tasks: list[trio.lowlevel.Task] = []

    async def where(target: Any) -> bool:
        await target.call(Ask(lambda one, reply_to: tasks.append(trio.lowlevel.current_task())))
        return tasks[-1] is trio.lowlevel.current_task()

    scripted = await start(Scripted.child_spec())
    await wait_all_tasks_blocked()
    inline = await where(scripted)
    await trace(scripted, story.append)
    assert not await where(scripted)
    await untrace(scripted)
    await wait_all_tasks_blocked()
    assert await where(scripted) == inline
    assert story.whats == ["call", "reply"]
    assert is_as_before(scripted)
    await untrace(server)
    assert is_as_before(server)


async def test_a_server_that_sleeps_when_untraced_wakes_as_ever(node: Node, story: Story) -> None:
    server = await Counter.start()
    await trace(server, story.append)
    await untrace(server)
    await wait_all_tasks_blocked()
    assert is_as_before(server)
    server.cast(Add())
    assert await server.call(Get()) == 1
    assert story == []


async def test_what_waits_behind_an_untrace_is_not_told(node: Node, story: Story) -> None:
    server = await Counter.start()
    await trace(server, story.append)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(server.call, Slow())
        await trio.sleep(1)
        nursery.start_soon(untrace, server)
        await wait_all_tasks_blocked()
        for _ in range(3):
            server.cast(Add())
    assert await server.call(Get()) == 3
    assert story.whats == ["call", "reply"]
    await wait_all_tasks_blocked()
    assert is_as_before(server)


async def test_several_may_trace_one_server(node: Node) -> None:
    server = await Counter.start()
    first, second = Story(), Story()
    tell_first = first.append
    await trace(server, tell_first)
    await trace(server, second.append, limit=3)
    await server.call(Get())
    await untrace(server, tell_first)
    await server.call(Get())
    assert first.whats == ["call", "reply"]
    assert second.whats == ["call", "reply", "call", "limit"]
    assert is_as_before(server)


async def test_one_that_raises_is_removed_and_hurts_nobody(
    node: Node, story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[BaseException] = []
    monkeypatch.setattr("sys.excepthook", lambda kind, exc, trace: told.append(exc))
    server = await Counter.start()
    error = ValueError("no terminal")

    def tell(event: TraceEvent) -> None:
        raise error

    await trace(server, tell)
    await trace(server, story.append)
    assert await server.call(Get()) == 0
    assert await server.call(Get()) == 0
    assert told == [error]
    assert story.whats == ["call", "reply"] * 2


async def test_a_trace_keeps_nothing_of_the_dead(node: Node, story: Story) -> None:
    server = await Counter.start()
    process = find_process(server)
    assert process is not None
    table = process.table
    await trace(server, story.append)
    kill(server)
    await wait_exit(server)
    assert table.traces == {}


async def test_the_last_word_of_a_trace_may_raise_too(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[BaseException] = []
    monkeypatch.setattr("sys.excepthook", lambda kind, exc, trace: told.append(exc))
    server = await Counter.start()
    error = ValueError("gone")

    def tell(event: TraceEvent) -> None:
        raise error

    await trace(server, tell)
    with captured_logs():
        kill(server)
        await wait_exit(server)
    assert told == [error]
