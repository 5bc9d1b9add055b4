"""A wait for an end is an edge of a call cycle too, and it may be the one that closes it."""

from __future__ import annotations

import pytest
import trio

from runtime import CallCycle, CallTimeout, Node, Ref, start, wait_exit
from tests.support import Ask, Do, Scripted, in_process

HELLO = Ask(lambda server, reply_to: "hello")


async def servers(*names: str) -> list[Ref]:
    return [await start(Scripted.child_spec().replace(name=name)) for name in names]


def waits_for_the_end_of(other: Ref) -> Do:
    async def wait(one: object) -> None:
        with trio.move_on_after(3):
            await wait_exit(other)

    return Do(wait)


async def test_a_cycle_among_others_is_not_ours(node: Node) -> None:
    """Who calls one of two that wait for each other simply waits for it."""
    a, b = await servers("a", "b")
    a.cast(waits_for_the_end_of(b))
    b.cast(waits_for_the_end_of(a))
    await trio.sleep(1)
    with pytest.raises(CallTimeout):
        await in_process(lambda: a.call(HELLO, timeout=1))
    assert await in_process(lambda: b.call(HELLO)) == "hello"


async def test_a_wait_that_closes_a_cycle_refuses_the_call_on_the_way(node: Node) -> None:
    """The call was there first, in the mailbox; the wait for its caller's end came later."""
    a, b = await servers("a", "b")
    seen: list[object] = []

    async def wait_for_b(one: object) -> None:
        await trio.sleep(1)
        with trio.move_on_after(3):
            await wait_exit(b)

    async def call_a(one: object) -> None:
        try:
            await a.call(HELLO)
        except CallCycle as exc:
            seen.append((trio.current_time(), exc.cycle))

    began = trio.current_time()
    a.cast(Do(wait_for_b))
    b.cast(Do(call_a))
    await trio.sleep(2)
    assert seen == [(began + 1, (b.pid, a.pid, b.pid))]


async def test_who_waits_for_one_of_two_that_wait_for_each_other_refuses_nothing(
    node: Node,
) -> None:
    a, b = await servers("a", "b")
    a.cast(waits_for_the_end_of(b))
    b.cast(waits_for_the_end_of(a))
    await trio.sleep(1)

    async def outsider() -> str:
        with trio.move_on_after(1) as patience:
            await wait_exit(a)
        return "waited" if patience.cancelled_caught else "a has ended"

    assert await in_process(outsider) == "waited"
