"""``Sampler``: rates and ages from counters alone, never too high."""

from __future__ import annotations

import gc

import trio
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import MockClock, wait_all_tasks_blocked

from runtime import (
    MailboxLimit,
    Node,
    Ref,
    get_state,
    kill,
    open_node,
    receive,
    resume,
    send,
    spawn,
    start,
    suspend,
    wait_exit,
)
from runtime.current import current_table, find_process
from runtime.inspection.sampling import MIN_INTERVAL, Sampler, sampler_of
from runtime.process import Process
from tests.support import Do, Note, Scripted


def process_of(server: Ref) -> Process:
    process = find_process(server)
    assert process is not None
    return process


async def stopped(mailbox: MailboxLimit | None = None) -> Ref:
    """A server that handles nothing until it is resumed."""
    server = await start(Scripted.child_spec().replace(mailbox=mailbox))
    await suspend(server)
    return server


def busy_for(server: Ref, seconds: float) -> None:
    async def work(_one: object) -> None:
        await trio.sleep(seconds)

    server.cast(Do(work))


# ---------------------------------------------------------------------- rates


async def test_there_is_no_rate_before_somebody_has_looked(node: Node) -> None:
    server = process_of(await start(Scripted.child_spec()))
    sampler = sampler_of()
    assert (sampler.rate(server), sampler.busy(server), sampler.oldest(server)) == (None,) * 3
    sampler.sample()
    assert sampler.rate(server) is sampler.cpu(server) is None
    await trio.sleep(MIN_INTERVAL)
    assert sampler.rate(server) == 0


async def test_a_rate_is_counted_from_the_last_look(node: Node) -> None:
    server = await start(Scripted.child_spec())
    sampler = sampler_of()
    for handled, seconds, rate in ((4, 2, 2), (9, 3, 3), (0, 1, 0)):
        sampler.sample()
        for _ in range(handled):
            server.send(Note())
        await trio.sleep(seconds)
        assert sampler.rate(process_of(server)) == rate


async def test_who_looks_right_after_another_sees_what_that_one_saw(node: Node) -> None:
    server = await start(Scripted.child_spec())
    sampler = sampler_of()
    sampler.sample()
    for _ in range(8):
        server.send(Note())
    await trio.sleep(2)
    sampler.sample()
    await trio.sleep(0.25)
    sampler.sample()
    assert sampler.rate(process_of(server)) == 8 / 2.25
    await trio.sleep(0.25)
    assert sampler.rate(process_of(server)) == 0


async def test_who_came_after_the_look_has_handled_nothing_by_then(node: Node) -> None:
    sampler = sampler_of()
    sampler.sample()
    await trio.sleep(1)
    server = await start(Scripted.child_spec())
    for _ in range(4):
        server.send(Note())
    await trio.sleep(1)
    assert sampler.rate(process_of(server)) == 2


async def test_there_is_one_for_each_node() -> None:
    found: list[Sampler] = []
    for _ in range(2):
        async with open_node(instruments=[]):
            found.append(sampler_of())
            assert sampler_of() is sampler_of(current_table()) is found[-1]
    assert found[0] is not found[1]


# ---------------------------------------------------------------------- messages in hand


async def test_how_long_a_message_is_in_hand(node: Node) -> None:
    server = await start(Scripted.child_spec())
    process, sampler = process_of(server), sampler_of()
    sampler.sample()
    busy_for(server, 5)
    assert sampler.busy(process) is None
    await trio.sleep(1)
    assert sampler.busy(process) == 0
    sampler.sample()
    await trio.sleep(1)
    assert sampler.busy(process) == 1
    sampler.sample()
    await trio.sleep(2)
    assert sampler.busy(process) == 3
    await trio.sleep(2)
    assert sampler.busy(process) is None


async def test_the_next_message_begins_anew(node: Node) -> None:
    server = await start(Scripted.child_spec())
    process, sampler = process_of(server), sampler_of()
    busy_for(server, 2)
    busy_for(server, 9)
    await trio.sleep(1)
    sampler.sample()
    await trio.sleep(2)
    assert sampler.busy(process) == 0
    sampler.sample()
    await trio.sleep(1)
    assert sampler.busy(process) == 1


async def test_a_plain_process_has_in_hand_what_it_received(node: Node) -> None:
    async def body() -> None:
        await trio.sleep(1)
        await receive()
        await trio.sleep(3)
        await receive()

    pid = spawn(body)
    process, sampler = current_table().by_pid[pid], sampler_of()
    sampler.sample()
    await wait_all_tasks_blocked()
    assert sampler.busy(process) is None
    await trio.sleep(1)
    send(pid, "hello")
    await trio.sleep(1)
    sampler.sample()
    await trio.sleep(1)
    assert sampler.busy(process) == 1
    await trio.sleep(2)
    assert sampler.busy(process) is None


# ---------------------------------------------------------------------- messages that wait


async def test_the_age_of_the_oldest_message(node: Node) -> None:
    server = await stopped()
    process, sampler = process_of(server), sampler_of()
    sampler.sample()
    assert sampler.oldest(process) is None
    server.send("first")
    assert sampler.oldest(process) == 0
    await trio.sleep(1)
    sampler.sample()
    await trio.sleep(1)
    server.send("second")
    sampler.sample()
    await trio.sleep(1)
    assert sampler.oldest(process) == 2
    sampler.sample()  # nothing has come meanwhile
    await trio.sleep(1)
    assert sampler.oldest(process) == 3
    await resume(server)
    await wait_all_tasks_blocked()
    assert sampler.oldest(process) is None


async def test_when_the_oldest_is_handled_the_next_one_is(node: Node) -> None:
    server = await start(Scripted.child_spec())
    process, sampler = process_of(server), sampler_of()
    for _ in range(4):  # each for two seconds, one a second comes
        busy_for(server, 2)
        sampler.sample()
        await trio.sleep(1)
    # At 4 seconds the third is in hand, and the fourth has waited since 3.
    await wait_all_tasks_blocked()
    assert process.handled == 3
    assert sampler.oldest(process) == 1


async def test_a_look_into_a_server_counts_for_no_message(node: Node) -> None:
    server = await start(Scripted.child_spec())
    process, sampler = process_of(server), sampler_of()
    busy_for(server, 2)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(get_state, server)
        await trio.sleep(1)
        sampler.sample()
        await trio.sleep(1.5)
        busy_for(server, 9)
        server.send("waits")
        await wait_all_tasks_blocked()
        assert sampler.oldest(process) == 0


async def test_what_a_full_mailbox_throws_out_has_left(node: Node) -> None:
    server = await stopped(MailboxLimit(2, "drop_oldest"))
    process, sampler = process_of(server), sampler_of()
    for text in "abc":  # a goes
        server.send(text)
        sampler.sample()
        await trio.sleep(1)
    assert sampler.oldest(process) == 2
    server.send("d")
    assert sampler.oldest(process) == 1


async def test_a_long_backlog_keeps_its_age(node: Node) -> None:
    server = await stopped()
    process, sampler = process_of(server), sampler_of()
    for _ in range(1_000):
        server.send(Note())
        sampler.sample()
        await trio.sleep(1)
    assert sampler.oldest(process) == 1_000
    assert len(sampler._marks[process.pid]) <= 65


@given(
    st.lists(st.sampled_from(["put", "handle", "sample", "look", "wait"]), min_size=1, max_size=200)
)
def test_an_age_is_never_too_high(steps: list[str]) -> None:
    """Whatever comes and goes, and whenever somebody looks."""

    async def main() -> None:
        async with open_node(instruments=[]):
            server = await stopped()
            process, sampler = process_of(server), sampler_of()
            came: list[float] = []
            for step in steps:
                if step == "put":
                    server.send(Note())
                    came.append(trio.current_time())
                elif step == "handle" and came:
                    await resume(server)
                    await wait_all_tasks_blocked()
                    await suspend(server)
                    came.clear()
                elif step == "sample":
                    sampler.sample()
                elif step == "look":
                    await get_state(server)
                else:
                    await trio.sleep(1)
                age = sampler.oldest(process)
                assert (age is None) <= (not came or sampler._last is None)
                assert age is None or age <= trio.current_time() - came[0]

    trio.run(main, clock=MockClock(autojump_threshold=0))


async def test_it_keeps_nobody_alive() -> None:
    async with open_node(instruments=[]):
        server = await start(Scripted.child_spec())
        pid = server.pid
        busy_for(server, 9)
        server.send("waits")
        await wait_all_tasks_blocked()
        sampler_of().sample()
        kill(server)
        await wait_exit(server)
        del server
        gc.collect()
        kept = [one for one in gc.get_objects() if isinstance(one, Process) and one.pid is pid]
        assert kept == []
        await trio.sleep(1)
        sampler_of().sample()
        assert (sampler_of()._marks, sampler_of()._in_hand) == ({}, {})
