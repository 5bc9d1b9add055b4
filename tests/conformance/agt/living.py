"""Rows of AGT about an agent's life: its name, its spec, its end, another state for it."""

from __future__ import annotations

from typing import Any

import pytest
import trio.testing

from runtime import (
    Agent,
    AgentRef,
    AlreadyStarted,
    Normal,
    get_state,
    kill,
    replace_state,
    resume,
    start,
    suspend,
    wait_exit,
)
from supervisors import open_supervisor
from tests.conformance.agt.parts import BOOM, add, boom, number, same
from tests.conformance.scenarios import row
from tests.conftest import Recorder
from tests.support import end_of


@row("AGT-013")
async def stop_ends_it_normally_or_with_the_reason_that_is_given(events: Recorder) -> None:
    plainly, on_purpose = await Agent.start(number), await Agent.start(number)
    pids = plainly.pid, on_purpose.pid
    await plainly.stop()
    await on_purpose.stop("done")
    assert [end_of(events, pid) for pid in pids] == [Normal(), "done"]


@row("AGT-014")
async def a_name_that_is_taken_starts_nothing() -> None:
    firsts: list[int] = []
    spec = Agent.child_spec(lambda: firsts.append(1)).replace(name="agent")
    holder = await start(spec)
    with pytest.raises(AlreadyStarted) as caught:
        await start(spec)
    assert (caught.value.name, caught.value.pid) == ("agent", holder.pid)
    assert firsts == [1]


@row("AGT-015")
async def a_restart_begins_with_the_first_function() -> None:
    firsts: list[int] = []

    def first(state: int) -> int:
        firsts.append(state)
        return state

    spec = Agent.child_spec(first, 5)
    assert (spec.id, spec.restart) == ("Agent", "permanent")
    async with open_supervisor([spec.replace(name="agent")]):
        agent = AgentRef[int]("agent")
        await agent.update(add)
        assert await agent.get(same) == 6
        before = agent.pid
        kill(agent)
        await wait_exit(before)
        await trio.testing.wait_all_tasks_blocked()
        assert agent.pid is not before
        assert await agent.get(same) == 5
        assert firsts == [5, 5]


@row("AGT-016")
async def a_suspended_agent_can_be_given_another_state() -> None:
    """differs: there is no code change; ``replace_state`` does what it would do for the state."""

    def change(attributes: dict[str, Any]) -> dict[str, Any]:
        return {**attributes, "state": attributes["state"] + 4}

    agent = await Agent.start(number, 1)
    await suspend(agent)
    await replace_state(agent, change)
    with pytest.raises(ValueError, match=r"^boom$") as caught:
        await replace_state(agent, boom)
    assert caught.value is BOOM
    assert (await get_state(agent))["state"] == 5
    await resume(agent)
    assert await agent.get(same) == 5
