"""Random programs that must come to the same whether calls run at once or go by the mailbox."""

from __future__ import annotations

from typing import get_args

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.runtime.dispatching import Action, Kind, Op, play

SERVERS = 3
ACTIONS: tuple[Action, ...] = get_args(Action)
KINDS: tuple[Kind, ...] = get_args(Kind)

# After these the client goes on in the very instant in which its server ends: what its next call
# finds is a race between the two.
RACING = (
    "exit itself", "kill itself", "exit itself and raise", "reply early and raise",
    "continue badly", "stop with reply", "cast on", "call on",
)  # fmt: skip

ops = st.builds(
    Op,
    do=st.sampled_from(["call"] * 8 + ["cast", "cast", "exit", "kill"]),
    server=st.integers(0, SERVERS - 1),
    other=st.integers(0, SERVERS - 1),
    action=st.sampled_from(ACTIONS),
    kind=st.sampled_from(KINDS),
    patience=st.sampled_from(["long", "long", "short", "none", "cancelled"]),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.lists(ops, max_size=6), min_size=1, max_size=3), st.integers(0, 99))
def test_programs_whose_clients_act_apart_come_to_the_same(
    clients: list[list[Op]], seed: int
) -> None:
    """Results, logs, ends and reports, each with its time."""
    at_once = play(clients, SERVERS, apart=True, seed=seed, queued=False)
    assert at_once == play(clients, SERVERS, apart=True, seed=seed, queued=True)


lonely = st.builds(
    Op,
    do=st.sampled_from(["call"] * 5 + ["cast"]),
    server=st.just(0),
    other=st.just(0),
    action=st.sampled_from([action for action in ACTIONS if action not in RACING]),
    kind=st.sampled_from(KINDS),
    patience=st.sampled_from(["long", "long", "short", "cancelled"]),  # "none" is such a race too
)


def on_its_own(client: int, op: Op) -> Op:
    return Op(op.do, client, client, op.action, op.kind, op.patience)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.lists(lonely, max_size=8), min_size=1, max_size=3), st.integers(0, 99))
def test_clients_in_a_hurry_with_a_server_each_come_to_the_same(
    given_ops: list[list[Op]], seed: int
) -> None:
    """What each client and each server sees is the same; how they interleave is not."""
    clients = [[on_its_own(at, op) for op in ops] for at, ops in enumerate(given_ops)]
    at_once = play(clients, len(clients), apart=False, seed=seed, queued=False)
    queued = play(clients, len(clients), apart=False, seed=seed, queued=True)
    assert at_once.results == queued.results
    assert at_once.logs == queued.logs
    assert sorted(at_once.ends) == sorted(queued.ends)
    assert sorted(map(str, at_once.crashes)) == sorted(map(str, queued.crashes))
