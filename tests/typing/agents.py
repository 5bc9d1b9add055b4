"""What the checkers know about agents: their functions, and the state these get."""

from __future__ import annotations

from typing import assert_type

from runtime import ChildSpec, Pid, Ref, named
from runtime.agent import Agent, AgentRef


class Scores(Agent[dict[str, int]]):
    """An agent with a name of its own."""


def load(path: str, *, limit: int = 10) -> dict[str, int]:
    return {path: limit}


def put(state: dict[str, int], key: str, value: int = 0) -> dict[str, int]:
    return {**state, key: value}


def pop(state: dict[str, int], key: str) -> tuple[int, dict[str, int]]:
    return state[key], state


def pop_float(state: dict[str, float], key: str) -> tuple[float, dict[str, float]]:
    return state[key], state


async def load_later(path: str) -> dict[str, int]:
    return {}


def the_arguments_of_the_first_function_are_checked() -> None:
    assert_type(Agent.child_spec(dict), ChildSpec)
    Agent.child_spec(load, "scores.json")
    Agent.child_spec(load, "scores.json", limit=5)
    Agent.child_spec(lambda: 5)
    Agent[int].child_spec(lambda: 5)
    Scores.child_spec(load, "scores.json").replace(name="scores")
    Agent.child_spec()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    Agent.child_spec(load)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    Agent.child_spec(load, 5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Agent.child_spec(load, "x", most=5)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    Agent.child_spec(5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
    Agent[int].child_spec(load, "x")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Scores.child_spec(int)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
    Scores.child_spec(load_later, "x")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def a_start_knows_the_state() -> None:
    assert_type(await Agent.start(load, "x"), AgentRef[dict[str, int]])
    assert_type(await Agent.start_link(load, "x", limit=5), AgentRef[dict[str, int]])
    await Agent.start(load, 5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await Agent.start_link(load)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


def a_handle_is_made_of_what_leads_there(pid: Pid, ref: Ref) -> None:
    assert_type(AgentRef[int]("count"), AgentRef[int])
    AgentRef[int](pid)
    AgentRef[int](named("count"), timeout=1)
    ref = AgentRef[int](ref)
    AgentRef[int](5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    AgentRef[int]("count", timeout="1")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    AgentRef[int]("count", 1)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


async def a_function_gets_the_state_and_then_its_arguments(
    agent: AgentRef[dict[str, int]],
) -> None:
    assert_type(await agent.get(len), int)
    assert_type(await agent.get(lambda state: state["x"]), int)
    assert_type(await agent.get(lambda state: list(state)), list[str])
    assert_type(await agent.get(put, "x", value=1), dict[str, int])
    await agent.get(put)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    await agent.get(put, 5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await agent.get(put, "x", size=5)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    await agent.get(int.bit_length)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await agent.get("x")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]


async def an_update_returns_the_new_state(agent: AgentRef[dict[str, int]]) -> None:
    assert_type(await agent.update(put, "x", 5), None)
    assert_type(agent.cast_update(put, "x", value=5), None)
    await agent.update(lambda state: {**state, "x": 1})
    await agent.update(put)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    await agent.update(len)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await agent.update(dict.clear)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    agent.cast_update(put, 5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    agent.cast_update(len)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    agent.cast(put)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def a_pair_is_a_reply_and_the_new_state(agent: AgentRef[dict[str, int]]) -> None:
    assert_type(await agent.get_and_update(pop, "x"), int)
    assert_type(await agent.get_and_update(lambda state: (str(state), state)), str)
    await agent.get_and_update(pop)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    await agent.get_and_update(len)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await agent.get_and_update(put, "x")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await agent.get_and_update(pop_float, "x")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
