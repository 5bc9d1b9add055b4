"""``assert_receive`` and ``refute_receive``: what a mailbox holds, asserted."""

from __future__ import annotations

import pytest
import trio

from runtime import Call, Node, OutsideProcess, Request, receive, ref, self_, send, send_after
from runtime.testing import as_process, assert_receive, refute_receive


class Get(Call[int]):
    """Ask this process for a number."""


@as_process
async def test_it_takes_the_first_that_matches_and_leaves_the_others(node: Node) -> None:
    for message in ("a", 1, 2, "b"):
        send(self_(), message)
    assert await assert_receive(int) == 1
    assert await assert_receive("b") == "b"
    assert await assert_receive(lambda message: message == 2) == 2
    assert await assert_receive((str, int)) == "a"
    await refute_receive()


@as_process
async def test_it_waits_for_what_comes_in_time(node: Node) -> None:
    send_after(self_(), "late", 0.9)
    began = trio.current_time()
    await assert_receive("late")
    assert trio.current_time() - began == pytest.approx(0.9)


@as_process
async def test_what_comes_at_the_very_end_is_late(node: Node) -> None:
    send_after(self_(), "late", 1)
    with pytest.raises(AssertionError, match=r"^no str came before the timeout of 1 s; "):
        await assert_receive(str)
    assert await assert_receive(str) == "late"
    send_after(self_(), "late", 1)
    await refute_receive(timeout=1)
    assert await assert_receive(str) == "late"


@as_process
async def test_it_fails_with_what_the_mailbox_holds_instead(node: Node) -> None:
    send(self_(), "hello")
    send(self_(), 2)
    with pytest.raises(AssertionError) as failed:
        await assert_receive(float, timeout=3)
    assert (
        str(failed.value) == "no float came before the timeout of 3 s; the mailbox holds 'hello', 2"
    )
    assert [await receive(), await receive()] == ["hello", 2]  # they are still there


@as_process
async def test_it_shows_ten_messages_at_most(node: Node) -> None:
    for number in range(12):
        send(self_(), number)
    with pytest.raises(AssertionError, match=r"holds 0, 1, .*, 8, 9, and 2 more$"):
        await assert_receive(str, timeout=0)


@as_process
async def test_it_says_when_the_mailbox_is_empty(node: Node) -> None:
    with pytest.raises(AssertionError) as failed:
        await assert_receive(Call)
    assert str(failed.value) == "no Call came before the timeout of 1 s; the mailbox is empty"


@as_process
async def test_a_call_is_shown_as_the_request_that_it_comes_as(node: Node) -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(ref(self_()).call, Get())
        await trio.testing.wait_all_tasks_blocked()
        with pytest.raises(AssertionError) as failed:
            await assert_receive(Get)
        held = "the mailbox holds Request(Get())"
        assert str(failed.value) == f"no Get came before the timeout of 1 s; {held}"
        (await assert_receive(Request)).reply_to.reply(1)


@as_process
async def test_a_union_is_several_classes(node: Node) -> None:
    for message in (1.5, "a", 1):
        send(self_(), message)
    assert await assert_receive(int | str) == "a"
    with pytest.raises(AssertionError, match=r"^no int or str was to come .*, but this did: 1$"):
        await refute_receive(int | str, timeout=0)
    await refute_receive(int | str, timeout=0)


async def never(message: object) -> bool:
    return False


@as_process
async def test_a_pattern_that_tells_nothing_is_refused(node: Node) -> None:
    send(self_(), "abc")
    for pattern in (list[int], never, lambda: True):
        with pytest.raises(TypeError, match=r"^pattern: got "):
            await assert_receive(pattern, timeout=0)
        with pytest.raises(TypeError, match=r"^pattern: got "):
            await refute_receive(pattern, timeout=0)
    assert await assert_receive(str) == "abc"


@as_process
async def test_refuting_fails_with_what_came(node: Node) -> None:
    send_after(self_(), 7, 0.05)
    with pytest.raises(AssertionError) as failed:
        await refute_receive(int)
    assert str(failed.value) == "no int was to come within 0.1 s, but this did: 7"


@as_process
async def test_refuting_leaves_what_does_not_match(node: Node) -> None:
    send(self_(), "kept")
    send_after(self_(), 7, 0.2)
    await refute_receive(int)
    await assert_receive("kept")
    await assert_receive(7)


async def test_outside_a_process_it_says_what_is_missing(node: Node) -> None:
    with pytest.raises(OutsideProcess, match="assert_receive needs a process") as refused:
        await assert_receive(int)
    assert refused.value.__notes__ == ["decorate the test with @as_process from runtime.testing"]
    with pytest.raises(OutsideProcess, match="refute_receive needs a process"):
        await refute_receive(int)
