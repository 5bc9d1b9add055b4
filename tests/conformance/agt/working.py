"""Rows of AGT about what an agent does: functions on its state, in time and late."""

from __future__ import annotations

import operator

import pytest
import trio

from runtime import (
    Agent,
    AgentRef,
    CallExit,
    CallTimeout,
    NoProcess,
    Pid,
    is_alive,
    process_info,
    resume,
    self_,
    suspend,
)
from tests.conformance.agt.parts import add, in_a_minute, never, number, same
from tests.conformance.scenarios import row
from tests.support import in_process


@row("AGT-001")
async def the_state_is_read_replaced_and_both_at_once() -> None:
    agent = await Agent.start(lambda: 10)
    assert await agent.get(lambda state: state * 2) == 20
    assert await agent.update(lambda state: state + 1) is None  # type: ignore[func-returns-value]
    assert await agent.get(same) == 11
    assert await agent.get_and_update(lambda state: (f"was {state}", 20)) == "was 11"
    assert await agent.get(same) == 20
    assert agent.cast_update(lambda state: state + 2) is None  # type: ignore[func-returns-value]
    assert await agent.get(same) == 22


@row("AGT-002")
async def functions_run_inside_the_agent() -> None:
    where: list[Pid] = []

    def here(state: int = 0) -> int:
        where.append(self_())
        return state

    agent = await Agent.start(here)
    await agent.get(here)
    await agent.update(here)
    await agent.get_and_update(lambda state: (None, here(state)))
    agent.cast_update(here)
    await agent.get(same)
    assert where == [agent.pid] * 5


@row("AGT-010")
async def functions_get_the_state_before_their_arguments() -> None:
    agent = await Agent.start(operator.sub, 30, 10)
    assert await agent.get(operator.sub, 1) == 19
    await agent.update(operator.sub, 3)
    assert await agent.get_and_update(divmod, 5) == 3
    assert await agent.get(same) == 2
    agent.cast_update(operator.sub, 7)
    assert await agent.get(same) == -5


@row("AGT-011")
async def where_nobody_is_a_cast_vanishes_and_a_get_exits() -> None:
    agent = AgentRef[int]("nobody")
    agent.cast_update(never)
    for ask in (agent.get, agent.update):
        with pytest.raises(CallExit) as caught:
            await ask(never)
        assert caught.value.reason == NoProcess()


@row("AGT-012")
async def a_stray_message_is_ignored() -> None:
    agent = await Agent.start(number, 5)
    agent.send("stray")
    assert await agent.get(same) == 5
    assert is_alive(agent)
    info = process_info(agent)
    assert info is not None
    assert info.mailbox_length == 0


# ---------------------------------------------------------------------- late


@row("AGT-007")
async def a_get_that_waits_too_long_gives_up() -> None:
    """differs: it is the wait in the queue that times out; a running function is atomic."""

    async def caller() -> None:
        agent = AgentRef[int](await Agent.start(number, 5), timeout=2.0)
        began = trio.current_time()
        assert await agent.get(in_a_minute(same)) == 5
        assert trio.current_time() - began == 60
        await suspend(agent)
        with pytest.raises(CallTimeout):
            await agent.get(same)
        assert trio.current_time() - began == 62
        await resume(agent)
        assert await agent.get(add) == 6
        me = process_info(self_())
        assert me is not None
        assert me.mailbox_length == 0

    await in_process(caller)


@row("AGT-008")
async def an_update_whose_caller_gave_up_is_made_all_the_same() -> None:
    """differs: it is the wait in the queue that times out; a running function is atomic."""
    agent = AgentRef[int](await Agent.start(number), timeout=2.0)
    began = trio.current_time()
    await agent.update(in_a_minute(add))
    assert trio.current_time() - began == 60
    await suspend(agent)
    with pytest.raises(CallTimeout):
        await agent.update(add, 10)
    assert trio.current_time() - began == 62
    await resume(agent)
    assert await agent.get(same) == 11
