"""Who calls in a loop lets others run."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
import trio
import trio.testing

from runtime import CallExit, Node, NoReply, Ref, ReplyTo, kill, named, open_node, register
from runtime.turn import MESSAGES
from tests.runtime.inlining import Doer, Run, RunWith, in_both_modes, inline


async def turns_of_another(
    calls: int, doer: Ref, request: Run | RunWith, clients: int = 1
) -> list[int]:
    """After how many calls, of all clients together, another task had its turns."""
    made, seen, over = 0, [0], False

    async def client() -> None:
        nonlocal made
        for _ in range(calls):
            await doer.call(request)
            made += 1

    async def other() -> None:
        while not over:
            seen.append(made)
            await trio.lowlevel.checkpoint()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(other)
        async with trio.open_nursery() as callers:
            for _ in range(clients):
                callers.start_soon(client)
        over = True
    return seen


def longest_wait(seen: list[int]) -> int:
    return max(after - before for before, after in pairwise(seen))


class TestCounted:
    pytestmark = inline

    @pytest.mark.parametrize("clients", [1, 3])
    async def test_another_task_runs_after_so_many_calls_of_each(
        self, node: Node, clients: int
    ) -> None:
        doer = await Doer.start()
        await trio.testing.wait_all_tasks_blocked()
        seen = await turns_of_another(8 * MESSAGES, doer, Run(lambda _: None), clients)
        # two steps of each client may lie between two steps of the other
        assert MESSAGES <= longest_wait(seen) <= 2 * MESSAGES * clients

    async def test_so_it_does_after_calls_that_reply_to_has_answered(self, node: Node) -> None:
        doer = await Doer.start()
        await trio.testing.wait_all_tasks_blocked()

        def reply(_server: object, reply_to: ReplyTo[Any]) -> NoReply:
            reply_to.reply(1)
            return NoReply()

        seen = await turns_of_another(8 * MESSAGES, doer, RunWith(reply))
        assert MESSAGES <= longest_wait(seen) <= 2 * MESSAGES

    async def test_after_the_last_call_of_a_turn_others_run(self, node: Node) -> None:
        doer = await Doer.start()
        await trio.testing.wait_all_tasks_blocked()
        for _ in range(3):
            await trio.lowlevel.checkpoint()
            with trio.testing.assert_no_checkpoints():
                for _ in range(MESSAGES - 1):
                    await doer.call(Run(lambda _: None))
            steps = Steps()
            steps.task = trio.lowlevel.current_task()
            trio.lowlevel.add_instrument(steps)
            await doer.call(Run(lambda _: None))
            trio.lowlevel.remove_instrument(steps)
            assert len(steps.turns) == 1, "it has yielded, once"

    async def test_who_asks_first_is_first_also_when_its_turn_is_over(self, node: Node) -> None:
        doer = await Doer.start()
        await trio.testing.wait_all_tasks_blocked()
        asked: list[int] = []
        served: list[int] = []

        async def ask(number: int) -> None:
            for _ in range(2 * MESSAGES):
                asked.append(number)
                await doer.call(Run(lambda _: served.append(number)))

        async with trio.open_nursery() as nursery:
            for number in range(5):
                nursery.start_soon(ask, number)
        assert served == asked

    async def test_who_is_gone_after_the_pause_is_not_there(self, node: Node) -> None:
        doer = await Doer.start()
        register("doer", doer)
        await trio.testing.wait_all_tasks_blocked()

        async def end_it() -> None:
            kill(doer)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(end_it)
            with pytest.raises(CallExit):
                for _ in range(MESSAGES * 4):
                    await named("doer").call(Run(lambda _: None))

    async def test_who_is_cancelled_when_its_turn_is_over_calls_no_more(self, node: Node) -> None:
        doer = await Doer.start()
        await trio.testing.wait_all_tasks_blocked()
        ran: list[None] = []
        before: list[int] = []
        with trio.CancelScope() as scope:
            async with trio.open_nursery() as nursery:

                async def cancel() -> None:
                    before.append(len(ran))
                    scope.cancel()

                nursery.start_soon(cancel)
                for _ in range(MESSAGES * 4):
                    await doer.call(Run(lambda _: ran.append(None)))
        assert scope.cancelled_caught
        await trio.testing.wait_all_tasks_blocked()
        assert len(ran) - before[0] in (0, 1), "the one that was sent by then"


class HandClock(trio.abc.Clock):
    """Trio's clock, set by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def start_clock(self) -> None:
        pass

    def current_time(self) -> float:
        return self.now

    def deadline_to_sleep_time(self, deadline: float) -> float:
        return 0.0


class Steps(trio.abc.Instrument):
    """Notes how much its own task had done whenever that began a step."""

    def __init__(self) -> None:
        self.made = 0
        self.turns: list[int] = []
        self.task: trio.lowlevel.Task | None = None

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        if task is self.task:
            self.turns.append(self.made)
            self.made = 0


def turns_of(milliseconds: float) -> list[int]:
    """How many calls, each of which takes so long, were handled between two of its steps."""
    clock, steps = HandClock(), Steps()

    def work(_: Any) -> None:
        clock.now += milliseconds / 1000
        steps.made += 1

    async def main() -> None:
        async with open_node(instruments=[]):
            doer = await Doer.start()
            for _ in range(5):
                await trio.lowlevel.checkpoint()
            steps.task = trio.lowlevel.current_task()
            for _ in range(2 * MESSAGES + 1):
                await doer.call(Run(work))
            steps.task = None

    trio.run(main, clock=clock, instruments=[steps])
    return steps.turns


@pytest.mark.parametrize(
    ("milliseconds", "calls"), [(20, 2), (1.5, 2), (0.45, 4), (0.11, 11), (0.001, MESSAGES)]
)
@pytest.mark.parametrize("dispatch", ["inline"], indirect=True)
def test_a_turn_is_over_after_a_millisecond_of_handlers(
    dispatch: str, milliseconds: float, calls: int
) -> None:
    """From the end of the first on, so there are at least two."""
    assert set(turns_of(milliseconds)) == {calls}


class TestInBothModes:
    pytestmark = in_both_modes

    async def test_a_loop_of_calls_can_be_cancelled(self, node: Node) -> None:
        doer = await Doer.start()

        async def calls() -> None:
            while True:
                await doer.call(Run(lambda _: None))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(calls)
            for _ in range(3):
                await trio.lowlevel.checkpoint()
            nursery.cancel_scope.cancel()
