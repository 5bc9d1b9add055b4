"""Agents: functions that are run on a state, one after the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import trio
import trio.testing

from runtime import (
    BadResult,
    CallExit,
    Continue,
    Idle,
    Ignore,
    MessageUnexpected,
    Node,
    NoReply,
    Normal,
    OutsideProcess,
    Pid,
    ProcessCrashed,
    Ref,
    Reply,
    StartFailed,
    Stop,
    UnhandledMessage,
    exit,
    is_alive,
    kill,
    named,
    self_,
    start,
    wait_exit,
)
from runtime.agent import Agent, AgentRef
from supervisors import open_supervisor
from tests.conftest import Recorder
from tests.support import Ask, reason_of

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


# ---------------------------------------------------------------------- get, update


async def test_functions_run_inside_the_agent(node: Node) -> None:
    """AGT-002."""
    where: list[Pid] = []

    def here(*state: object) -> Any:
        where.append(self_())
        return (None, None) if state else None

    agent = await Agent.start(here)
    await agent.get(here)
    await agent.update(here)
    await agent.get_and_update(here)
    agent.cast_update(here)
    await agent.get(here)
    assert where == [agent.pid] * 6


async def test_functions_get_the_state_and_then_their_arguments(node: Node) -> None:
    """AGT-010."""

    def pair(state: int, word: str, *, times: int) -> tuple[str, int]:
        return word * times, state + times

    agent = await Agent.start(count_from, first=1)
    assert await agent.get(pair, "a", times=2) == ("aa", 3)
    assert await agent.get_and_update(pair, "b", times=3) == "bbb"
    await agent.update(add, number=10)
    agent.cast_update(add, 100)
    assert await agent.get(same) == 114


async def test_an_argument_may_be_called_like_one_of_the_agent(node: Node) -> None:
    def take(state: int, /, fn: int, self: int) -> int:
        return state + fn + self

    agent = await Agent.start(count_from, 1)
    assert await agent.get(take, fn=2, self=3) == 6


@pytest.mark.parametrize(
    "value",
    [
        None, Normal(), BOOM, (1, 2),
        Reply(1), NoReply(), Stop("x"), Continue(1), Idle(1.0), Ignore(),
    ],
)  # fmt: skip
async def test_no_value_is_taken_for_an_instruction(node: Node, value: object) -> None:
    """What an agent holds is data, also if it is something a server's callback may return."""
    agent = await Agent.start(lambda: value)
    assert await agent.get(same) is value
    assert await agent.get_and_update(lambda state: (state, state)) is value
    await agent.update(same)
    agent.cast_update(same)
    assert await agent.get(same) is value


async def test_requests_of_one_sender_are_done_in_order(node: Node) -> None:
    agent = await Agent.start(list[int])
    for number in range(5):
        agent.cast_update(lambda state, number: [*state, number], number)
    assert await agent.get(same) == [0, 1, 2, 3, 4]


async def test_nothing_comes_between_the_old_state_and_the_new(node: Node) -> None:
    """However many ask at once, by whatever request."""
    agent = await Agent.start(count_from)
    async with trio.open_nursery() as nursery:
        for _ in range(50):
            nursery.start_soon(agent.update, add)
            nursery.start_soon(agent.get_and_update, lambda state: (None, state + 1))
            agent.cast_update(add)
    assert await agent.get(same) == 150


async def test_what_is_returned_is_not_copied(node: Node) -> None:
    agent = await Agent.start(dict[str, int])
    (await agent.get(same))["x"] = 1
    assert await agent.get(dict.copy) == {"x": 1}


# ---------------------------------------------------------------------- start and end


async def test_a_first_function_that_returns_a_coroutine_fails_the_start(node: Node) -> None:
    with pytest.raises(StartFailed) as caught:
        await Agent.start(lambda: later())
    assert isinstance(caught.value.__cause__, BadResult)


async def test_the_first_function_runs_in_the_agent_and_not_when_the_spec_is_made(
    node: Node,
) -> None:
    made: list[Pid] = []
    spec = Agent.child_spec(lambda: made.append(self_()))
    assert made == []
    ref = await start(spec)
    assert made == [ref.pid]


async def test_a_stray_message_is_reported_and_ignored(node: Node, events: Recorder) -> None:
    """AGT-012."""
    agent = await Agent.start(count_from)
    agent.send("stray")
    assert await agent.get(same) == 0
    (event,) = events.of(MessageUnexpected)
    assert event.message == "'stray'"


async def test_a_stray_call_crashes_it_like_every_server(node: Node) -> None:
    agent = await Agent.start(count_from)
    with pytest.raises(CallExit) as caught:
        await agent.call(Ask(lambda *_: None))
    assert isinstance(caught.value.__cause__, UnhandledMessage)


async def test_start_link_ties_it_to_the_calling_process(node: Node) -> None:
    agents: list[AgentRef[int]] = []

    async def owner() -> None:
        agents.append(await Agent.start_link(count_from, 3))
        assert await agents[0].get(same) == 3
        exit(self_(), "over")
        await trio.sleep_forever()

    assert await reason_of(owner) == "over"
    await wait_exit(agents[0].pid)
    assert not is_alive(agents[0].pid)
    with pytest.raises(OutsideProcess):
        await Agent.start_link(count_from)


async def test_under_a_supervisor_it_starts_anew_and_the_state_is_lost() -> None:
    """AGT-015."""
    spec = Agent.child_spec(count_from, 5)
    assert (spec.id, spec.restart, spec.type) == ("Agent", "permanent", "worker")
    async with open_supervisor([spec.replace(name="count")]):
        agent = AgentRef[int]("count")
        await agent.update(add)
        before = agent.pid
        kill(agent)
        await wait_exit(before)
        await trio.testing.wait_all_tasks_blocked()
        assert agent.pid is not before
        assert await agent.get(same) == 5


# ---------------------------------------------------------------------- specs and handles


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Agent.child_spec(), "missing 1 required positional argument: 'fn'"),  # type: ignore[call-arg]
        (lambda: Agent.child_spec(5), "^fn: got 5, allowed is a plain function"),  # type: ignore[arg-type]
        (lambda: Agent.child_spec(count_from, 1, 2), "^arguments of count_from: too many"),  # type: ignore[call-arg]
        (lambda: Agent.child_spec(count_from, last=2), "^arguments of count_from: got an unexp"),  # type: ignore[call-arg]
        (lambda: Agent.child_spec(add), "^arguments of add: missing a required argument: 'state'"),  # type: ignore[call-arg]
        (lambda: Agent.child_spec(count_from).with_arguments(add), "^arguments of add: missing"),
    ],
)
def test_wrong_arguments_are_refused_when_the_spec_is_made(
    make: Callable[[], object], message: str
) -> None:
    with pytest.raises(TypeError, match=message):
        make()


async def test_a_function_that_does_not_say_what_it_takes_is_fine(node: Node) -> None:
    assert await (await Agent.start(dict, x=1)).get(same) == {"x": 1}
    assert await (await Agent.start(list, "ab")).get(same) == ["a", "b"]


async def test_a_handle_leads_there_by_pid_by_ref_and_by_name(node: Node) -> None:
    ref = await start(Agent.child_spec(count_from, 7).replace(name="count"))
    for target in ("count", ref.pid, ref, named("count")):
        assert await AgentRef[int](target).get(same) == 7
    assert repr(AgentRef[int]("count")) == "AgentRef(named('count'))"
    assert AgentRef[int]("count") == AgentRef[int](named("count"))
    assert isinstance(AgentRef[int]("count"), Ref)


class Quiet(Agent[dict[str, str]]):
    """Shows how much it holds, not what."""

    def redact(self, what: str, value: Any) -> object:
        return f"{len(value.state)} entries" if what == "state" else value


async def test_a_subclass_has_a_name_and_callbacks_of_its_own(node: Node, events: Recorder) -> None:
    assert Quiet.child_spec(dict).id == "Quiet"
    agent = await Quiet.start(dict[str, str], password="secret")
    agent.cast_update(boom)
    await wait_exit(agent.pid)
    (event,) = events.of(ProcessCrashed)
    assert event.state == "'1 entries'"
