"""Agents: what becomes of functions that raise, return nonsense, or come too late."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import pytest
import trio

from runtime import (
    BadResult,
    CallExit,
    CallTimeout,
    Crashed,
    ExitReason,
    Node,
    ProcessCrashed,
    ProcessExit,
    resume,
    suspend,
    wait_exit,
)
from runtime.agent import Agent, AgentRef
from tests.conftest import Recorder
from tests.support import end_of

BOOM = ValueError("boom")


def boom(*_: object) -> Any:
    raise BOOM


def count_from(first: int = 0) -> int:
    return first


def add(state: int, number: int = 1) -> int:
    return state + number


def same(state: Any) -> Any:
    return state


async def later(*_: object) -> int:
    return 1


def crash_of(reason: ExitReason) -> BaseException:
    assert isinstance(reason, Crashed)
    return reason.exception


# ---------------------------------------------------------------------- what goes wrong


@pytest.mark.parametrize("result", [None, 5, (), (1,), (1, 2, 3), [1, 2], "ab"])
async def test_what_is_no_pair_crashes_the_agent(
    node: Node, events: Recorder, result: object
) -> None:
    """AGT-003."""
    agent = await Agent.start(count_from)
    with pytest.raises(CallExit, match="GetAndUpdate to") as caught:
        await agent.get_and_update(lambda _: result)  # type: ignore[arg-type, return-value]
    error = caught.value.__cause__
    assert isinstance(error, BadResult)
    assert error.value is result
    assert str(error) == (
        f"<lambda> returned no pair but a {type(result).__name__}, "
        "allowed is a tuple: (reply, new state)"
    )
    assert crash_of(end_of(events, agent.pid)) is error


@pytest.mark.parametrize("operation", ["get", "update", "get_and_update"])
async def test_a_function_that_raises_crashes_the_agent_and_its_caller_hears_why(
    node: Node, events: Recorder, operation: str
) -> None:
    """AGT-004."""
    agent = await Agent.start(count_from)
    with pytest.raises(CallExit) as caught:
        await getattr(agent, operation)(boom)
    assert caught.value.__cause__ is BOOM
    assert crash_of(end_of(events, agent.pid)) is BOOM


async def test_a_function_may_end_the_agent_with_a_reason(node: Node, events: Recorder) -> None:
    """AGT-005 differs: there is no throw, and ``ProcessExit`` is what says a reason."""

    def leave(_: int) -> int:
        raise ProcessExit("enough")

    agent = await Agent.start(count_from)
    with pytest.raises(CallExit) as caught:
        await agent.get(leave)
    assert caught.value.reason == "enough"
    assert end_of(events, agent.pid) == "enough"


@pytest.mark.parametrize("operation", ["get", "update", "get_and_update", "cast_update"])
async def test_a_function_that_returns_a_coroutine_crashes_the_agent(
    node: Node, events: Recorder, operation: str
) -> None:
    """It is closed, so nothing complains that it was never awaited."""
    agent = await Agent.start(count_from)
    if operation == "cast_update":
        agent.cast_update(lambda _: later())  # type: ignore[arg-type, return-value]
    else:
        with pytest.raises(CallExit):
            await getattr(agent, operation)(lambda _: later())
    await wait_exit(agent.pid)
    error = crash_of(end_of(events, agent.pid))
    assert isinstance(error, BadResult)
    assert str(error) == (
        "<lambda> returned a coroutine; an agent's functions are plain def; use a GenServer"
    )


@pytest.mark.parametrize("operation", ["get", "update", "get_and_update"])
@pytest.mark.parametrize("fn", [later, partial(later, 1), None, 5])
async def test_what_is_no_plain_function_is_refused_before_it_is_sent(
    node: Node, operation: str, fn: object
) -> None:
    agent = await Agent.start(count_from)
    with pytest.raises(TypeError, match=r"^fn: got "):
        await getattr(agent, operation)(fn)
    with pytest.raises(TypeError, match=r"^fn: got "):
        agent.cast_update(fn)  # type: ignore[arg-type]
    assert await agent.get(same) == 0


async def test_an_async_function_is_refused_with_what_to_use_instead(node: Node) -> None:
    agent = await Agent.start(count_from)
    with pytest.raises(TypeError, match="an agent's functions are plain def; use a GenServer"):
        await agent.get(later)  # type: ignore[unused-coroutine]
    with pytest.raises(TypeError, match="an agent's functions are plain def; use a GenServer"):
        Agent.child_spec(later)


# ---------------------------------------------------------------------- time-outs


async def test_a_get_that_waits_too_long_gives_up_and_its_result_is_dropped(node: Node) -> None:
    """AGT-007."""
    agent = AgentRef[int](await Agent.start(count_from), timeout=2.0)
    await suspend(agent)
    before = trio.current_time()
    with pytest.raises(CallTimeout, match=r"^Get to AgentRef\(.*\): no reply within 2 s$"):
        await agent.get(same)
    assert trio.current_time() - before == 2.0
    await resume(agent)
    assert await agent.get(same) == 0


async def test_an_update_whose_caller_gave_up_is_made_all_the_same(node: Node) -> None:
    """AGT-008."""
    agent = AgentRef[int](await Agent.start(count_from), timeout=1.0)
    await suspend(agent)
    with pytest.raises(CallTimeout):
        await agent.update(add)
    with pytest.raises(CallTimeout):
        await agent.get_and_update(lambda state: (state, state + 10))
    await resume(agent)
    assert await agent.get(same) == 11


async def test_an_update_whose_caller_was_cancelled_is_made_all_the_same(node: Node) -> None:
    agent = await Agent.start(count_from)
    await suspend(agent)
    with trio.move_on_after(1) as scope:
        await agent.update(add)
    assert scope.cancelled_caught
    await resume(agent)
    assert await agent.get(same) == 1


async def test_a_handle_without_a_limit_waits(node: Node) -> None:
    agent = AgentRef[int](await Agent.start(count_from), timeout=math.inf)
    await suspend(agent)
    with trio.move_on_after(1e6) as scope:
        await agent.get(same)
    assert scope.cancelled_caught


@pytest.mark.parametrize(
    ("timeout", "error"), [("1", TypeError), (True, TypeError), (-1, ValueError)]
)
def test_a_wrong_time_out_is_refused(timeout: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match=r"^timeout: got "):
        AgentRef[int]("count", timeout=timeout)


# ---------------------------------------------------------------------- reports


async def test_a_report_names_the_request_and_shows_neither_arguments_nor_state(
    node: Node, events: Recorder
) -> None:
    agent = await Agent.start(dict[str, str], password="secret")
    agent.cast_update(boom, "secret", ["secret"])
    await wait_exit(agent.pid)
    (event,) = events.of(ProcessCrashed)
    assert event.last_message == "CastUpdate(work=boom)"
    assert event.state is None


async def test_an_error_names_the_request_by_its_class(node: Node) -> None:
    agent = await Agent.start(dict[str, str])
    with pytest.raises(CallExit, match=r"^Update to AgentRef\(ref\(.*\)\): the server ended: "):
        await agent.update(boom, "secret")
