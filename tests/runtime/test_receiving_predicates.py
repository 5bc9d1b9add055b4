"""What ``receive`` does with its predicate, and what a predicate may do."""

from __future__ import annotations

import pytest
import trio

from runtime import (
    MailboxLimit,
    Node,
    receive,
    self_,
    send,
    spawn,
    wait_exit,
)
from tests.runtime.test_receiving import rest, waiting
from tests.support import in_process


async def test_a_waiting_receive_looks_at_each_message_once(node: Node) -> None:
    seen: list[object] = []

    async def body() -> None:
        me = self_()

        async def sender() -> None:
            for number in range(5):
                await trio.sleep(1)
                send(me, number)

        def match(message: object) -> bool:
            seen.append(message)
            return message == 4

        spawn(sender)
        assert await receive(match) == 4

    await waiting("a", "b")(body)
    assert seen == ["a", "b", 0, 1, 2, 3, 4]


async def test_a_predicate_that_raises_is_the_users_error_and_loses_nothing(node: Node) -> None:
    def divides(message: object) -> bool:
        assert isinstance(message, int)
        return bool(1 / message)

    async def run() -> None:
        send(self_(), 0)
        with pytest.raises(ZeroDivisionError):
            await receive(divides)
        assert await rest() == [0]

    await in_process(run)


async def test_a_predicate_may_send_to_its_own_process(node: Node) -> None:
    async def body() -> None:
        def answers(message: object) -> bool:
            if message == "question":
                send(self_(), "answer")
            return message == "answer"

        assert await receive(answers, timeout=5) == "answer"
        assert await rest() == ["question"]

    await waiting("question")(body)


async def test_a_predicate_that_evicts_what_it_looks_at_does_not_get_it(node: Node) -> None:
    got: list[object] = []

    async def body() -> None:
        def evicts(message: object) -> bool:
            if message in (1, 2):
                send(self_(), 3)
            return True

        got.append(await receive(evicts, timeout=5))
        got.extend(await rest())

    pid = spawn(body, mailbox=MailboxLimit(2, "drop_oldest"))
    send(pid, 1)
    send(pid, 2)
    await wait_exit(pid)
    assert got == [3, 3]


async def test_an_async_predicate_is_refused_and_takes_nothing(node: Node) -> None:
    async def is_one(message: object) -> bool:
        return message == 1

    async def body() -> None:
        send(self_(), 1)
        with pytest.raises(
            TypeError, match=r"^match: got .+, an async function; a predicate answers at once$"
        ):
            await receive(is_one, timeout=1)  # type: ignore[arg-type]
        assert await rest() == [1]

    await in_process(body)


@pytest.mark.parametrize("garbage", [7, "str", [str], (1, 2), (str, "x")])
async def test_a_match_that_is_none_of_the_three_is_refused(node: Node, garbage: object) -> None:
    async def body() -> None:
        with pytest.raises(TypeError, match=r"^match: got "):
            await receive(garbage, timeout=1)  # type: ignore[call-overload]

    await in_process(body)
