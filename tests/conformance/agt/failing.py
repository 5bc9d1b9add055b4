"""Rows of AGT about functions that fail: in a request, in a cast, at the start."""

from __future__ import annotations

from typing import Any

import pytest

from runtime import (
    Agent,
    BadResult,
    CallExit,
    Crashed,
    ProcessExit,
    StartFailed,
    is_alive,
    self_,
    wait_exit,
)
from tests.conformance.agt.parts import BOOM, boom, number
from tests.conformance.scenarios import row
from tests.conftest import Recorder
from tests.support import end_of, in_process


def leave(*_: object) -> Any:
    """What comes nearest to a throw: an end by the function's own will."""
    raise ProcessExit("enough")


def give(_state: int, result: Any) -> Any:
    """A function that returns what it is told to."""
    return result


@row("AGT-003")
async def what_is_no_pair_is_a_bad_result_for_agent_and_caller(events: Recorder) -> None:
    no_pairs: tuple[Any, ...] = (5, None, (1, 2, 3), [1, 2])
    for result in no_pairs:
        agent = await Agent.start(number)
        pid = agent.pid
        with pytest.raises(CallExit) as caught:
            await agent.get_and_update(give, result)
        reason = caught.value.reason
        assert isinstance(reason, Crashed)
        assert isinstance(reason.exception, BadResult)
        assert reason.exception.value is result
        assert end_of(events, pid) is reason


@row("AGT-004")
async def a_function_that_raises_is_the_end_of_the_agent_and_an_exit_of_its_caller(
    events: Recorder,
) -> None:
    for operation in ("get", "update"):
        agent = await Agent.start(number)
        pid = agent.pid
        with pytest.raises(CallExit) as caught:
            await getattr(agent, operation)(boom)
        assert caught.value.reason == Crashed(BOOM)
        assert caught.value.__cause__ is BOOM
        assert caught.value.target == agent
        assert type(caught.value.request).__name__.lower() == operation
        assert end_of(events, pid) == Crashed(BOOM)


@row("AGT-005")
async def a_function_that_leaves_ends_the_agent(events: Recorder) -> None:
    """differs: there is no throw to be a bad result; ``ProcessExit`` is the reason it gives."""
    agent = await Agent.start(number)
    pid = agent.pid
    with pytest.raises(CallExit) as caught:
        await agent.get(leave)
    assert caught.value.reason == "enough"
    assert end_of(events, pid) == "enough"


@row("AGT-006")
async def a_cast_whose_function_raises_is_the_end_of_the_agent_alone() -> None:
    agent = await Agent.start(number)
    pid = agent.pid

    async def caller() -> None:
        agent.cast_update(boom)
        assert is_alive(pid)
        assert await wait_exit(pid) == Crashed(BOOM)
        assert is_alive(self_())

    await in_process(caller)


@row("AGT-009")
async def a_first_function_that_raises_fails_the_start() -> None:
    """differs: there is no throw to be a bad result; ``ProcessExit`` is the reason it gives."""
    with pytest.raises(StartFailed) as caught:
        await Agent.start(boom)
    assert caught.value.reason == Crashed(BOOM)
    assert caught.value.__cause__ is BOOM
    with pytest.raises(StartFailed) as left:
        await Agent.start(leave)
    assert left.value.reason == "enough"
