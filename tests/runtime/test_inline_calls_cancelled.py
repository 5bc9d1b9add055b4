"""Cancellation round a call that runs at once: of the caller, of the server, by the handler."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import trio
import trio.testing

from runtime import (
    Call,
    Crashed,
    Down,
    GenServer,
    Node,
    NoReply,
    Ref,
    ReplyTo,
    Shutdown,
    Stop,
    exit,
    handles,
    kill,
    monitor,
    open_node,
    receive,
    spawn,
    start,
    wait_exit,
)
from tests.conftest import Recorder
from tests.runtime.inlining import FORMS, Doer, Run, RunWith, in_both_modes, inline, what_comes_of
from tests.support import end_of, stop_all

Form = Callable[[Callable[[Any], Any]], Call[Any]]


@pytest.fixture
async def doer(node: Node) -> Ref:
    doer = await Doer.start()
    await trio.testing.wait_all_tasks_blocked()
    return doer


class TestTheCaller:
    pytestmark = in_both_modes

    @FORMS
    async def test_one_that_is_cancelled_sends_nothing(self, doer: Ref, form: Form) -> None:
        ran: list[bool] = []
        with trio.CancelScope() as scope:
            scope.cancel()
            await doer.call(form(lambda _: ran.append(True)))
        await trio.testing.wait_all_tasks_blocked()
        assert scope.cancelled_caught
        assert ran == []

    @FORMS
    async def test_one_that_is_shielded_from_it_does(self, doer: Ref, form: Form) -> None:
        with trio.CancelScope() as scope:
            scope.cancel()
            with trio.CancelScope(shield=True):
                assert await doer.call(form(lambda _: 1)) == 1

    @FORMS
    @pytest.mark.parametrize("result", ["a reply", NoReply()], ids=str)
    async def test_one_that_the_handler_cancels_gets_nothing(
        self, doer: Ref, form: Form, result: object
    ) -> None:
        got: list[object] = []

        def cancel(_: Doer) -> object:
            scope.cancel()
            return result

        with trio.CancelScope() as scope:
            got.append(await doer.call(form(cancel)))
        assert scope.cancelled_caught
        assert got == []
        assert await doer.call(form(lambda _: "next")) == "next"

    @FORMS
    async def test_one_that_the_handler_exits_gets_nothing(self, doer: Ref, form: Form) -> None:
        steps: list[str] = []

        async def caller() -> None:
            steps.append("calls")
            await doer.call(form(lambda _: exit(pid, Shutdown("by the server"))))
            steps.append("has a reply")

        pid = spawn(caller)
        assert await wait_exit(pid) == Shutdown("by the server")
        assert steps == ["calls"]
        assert await doer.call(form(lambda _: "next")) == "next", "and the server lives on"

    async def test_what_was_answered_before_reaches_it(self, doer: Ref) -> None:
        def answer(_: Doer, reply_to: ReplyTo[str]) -> NoReply:
            reply_to.reply("before")
            scope.cancel()
            return NoReply()

        with trio.CancelScope() as scope:
            assert await doer.call(RunWith(answer)) == "before"

    async def test_what_is_answered_afterwards_does_not(self, doer: Ref) -> None:
        told: list[str] = []

        def answer(_: Doer, reply_to: ReplyTo[str]) -> NoReply:
            reply_to.on_give_up(lambda: told.append("gave up"))
            scope.cancel()
            reply_to.reply("afterwards")
            return NoReply()

        with trio.CancelScope() as scope:
            await doer.call(RunWith(answer))
        assert scope.cancelled_caught
        assert told == ["gave up"]

    async def test_one_that_is_cancelled_while_a_coroutine_goes_on_harms_nobody(
        self, doer: Ref
    ) -> None:
        done: list[float] = []

        async def later() -> None:
            await trio.sleep(5)
            done.append(trio.current_time())

        with trio.move_on_after(1) as scope:
            await doer.call(Run(lambda _: later()))
        assert scope.cancelled_caught
        assert await doer.call(Run(lambda server: len(server.log)), timeout=9) == 0
        assert len(done) == 1

    async def test_a_timeout_of_0_is_one(self, doer: Ref) -> None:
        assert await what_comes_of(doer, Run(lambda _: 1), 0) == ("CallTimeout", None)


class Holder(GenServer):
    """Has a nursery of its own."""

    async def init(self) -> None:
        self.nursery = await self.enter(trio.open_nursery())

    @handles(Run)
    def run(self, request: Run) -> Any:
        return request.fn(self)


class TestTheServer:
    pytestmark = in_both_modes

    @pytest.mark.parametrize("raises", [False, True], ids=["returns", "raises"])
    async def test_a_handler_that_cancels_what_its_server_has_entered(
        self, node: Node, raises: bool, events: Recorder
    ) -> None:
        """What it does in that step counts; the cancellation is met where it sleeps next."""
        holder = await Holder.start()
        pid = holder.pid
        await trio.testing.wait_all_tasks_blocked()

        def cancel(server: Holder) -> str:
            server.nursery.cancel_scope.cancel()
            if raises:
                raise LookupError("its own")
            return "done"

        expected = ("CallExit", "Crashed") if raises else ("reply", "done")
        assert await what_comes_of(holder, Run(cancel)) == expected
        await wait_exit(holder)
        reason = end_of(events, pid)
        if raises:
            assert isinstance(reason, Crashed)
            assert isinstance(reason.exception, LookupError)

    async def test_a_handler_that_starts_tasks_in_it(self, node: Node) -> None:
        holder = await Holder.start()
        await trio.testing.wait_all_tasks_blocked()
        ran = trio.Event()

        async def task() -> None:
            ran.set()

        await holder.call(Run(lambda server: server.nursery.start_soon(task)))
        await ran.wait()
        await stop_all(holder)

    async def test_an_exit_signal_before_a_coroutine_begins(self, doer: Ref) -> None:
        """Either the call had not been handled, or it is interrupted."""
        steps: list[str] = []

        async def later() -> None:
            steps.append("began")
            try:
                await trio.sleep(1)
            finally:
                steps.append("cleaned up")

        async def call() -> None:
            got = await what_comes_of(doer, Run(lambda _: later()))
            assert got == ("CallExit", "Shutdown")

        async with trio.open_nursery() as nursery:
            nursery.start_soon(call)
            await trio.lowlevel.checkpoint()
            exit(doer, Shutdown())
        assert steps in ([], ["began", "cleaned up"])

    async def test_a_kill_in_the_step_of_a_stop(self, node: Node) -> None:
        """A caller is told one end, that of the server, or has its last reply."""
        log: list[Any] = []
        doer = await Doer.start(log)
        await trio.testing.wait_all_tasks_blocked()
        got: list[object] = []

        async def call() -> None:
            got.append(await what_comes_of(doer, Run(lambda _: stop)))

        stop = Stop(reply="last")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(call)
            await trio.lowlevel.checkpoint()
            kill(doer)
        assert (got, log) in (
            ([("reply", "last")], [("terminate", "Normal")]),
            ([("CallExit", "Killed")], []),
        )


class TestLeftOpen:
    """A scope that a handler leaves open is its server's fault and must not be its caller's."""

    pytestmark = inline

    @FORMS
    @pytest.mark.parametrize("cancelled", [False, True], ids=["open", "cancelled"])
    async def test_it_is_taken_off_the_caller_and_crashes_the_server(
        self, doer: Ref, form: Form, cancelled: bool, events: Recorder
    ) -> None:
        pid = doer.pid

        def leave(_: Doer) -> str:
            scope = trio.CancelScope()
            scope.__enter__()
            if cancelled:
                scope.cancel()
            return "done"

        with trio.CancelScope() as around:
            assert await what_comes_of(doer, form(leave)) == ("CallExit", "Crashed")
            await trio.lowlevel.checkpoint()
        assert not around.cancelled_caught
        reason = end_of(events, pid)
        assert isinstance(reason, Crashed)
        assert "left a cancel scope open" in str(reason.exception)

    @FORMS
    async def test_what_it_raised_itself_says_more(
        self, doer: Ref, form: Form, events: Recorder
    ) -> None:
        pid = doer.pid

        def leave(_: Doer) -> None:
            trio.CancelScope().__enter__()
            raise LookupError("its own")

        assert await what_comes_of(doer, form(leave)) == ("CallExit", "Crashed")
        await trio.lowlevel.checkpoint()
        reason = end_of(events, pid)
        assert isinstance(reason, Crashed)
        assert isinstance(reason.exception, LookupError)

    @FORMS
    async def test_one_that_is_closed_again_is_nothing(self, doer: Ref, form: Form) -> None:
        def close(_: Doer) -> str:
            with trio.CancelScope():  # noqa: ASYNC100  what is tested
                pass
            return "closed"

        with trio.testing.assert_no_checkpoints():
            assert await doer.call(form(close)) == "closed"


class TestTheNode:
    pytestmark = in_both_modes

    async def test_a_process_that_waits_for_a_server_hears_of_its_end(self, doer: Ref) -> None:
        seen: list[object] = []

        async def watcher() -> None:
            monitor(doer)
            seen.append(await receive())

        pid = spawn(watcher)
        await trio.testing.wait_all_tasks_blocked()
        await what_comes_of(doer, Run(lambda _: 1 / 0))
        await wait_exit(pid)
        (down,) = seen
        assert isinstance(down, Down)
        assert isinstance(down.reason, Crashed)

    async def test_leaving_the_node_from_a_handler(self) -> None:
        async with open_node(instruments=[]):
            doer = await start(Doer.child_spec())
            with trio.CancelScope() as scope:
                await doer.call(Run(lambda _: scope.cancel()))
            assert scope.cancelled_caught
