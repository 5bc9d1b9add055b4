"""What a call that runs at once does as any other does, and that it does run at once."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from functools import partial
from typing import Any

import pytest
import trio
import trio.testing

from runtime import (
    Call,
    Continue,
    Down,
    Idle,
    IdleTimeout,
    Node,
    NoReply,
    Ref,
    Reply,
    ReplyTo,
    Stop,
    is_alive,
    kill,
    link,
    monitor,
    process_info,
    register,
    self_,
    send,
    spawn,
    unlink,
    wait_exit,
    whereis,
)
from tests.runtime.inlining import (
    FORMS,
    Doer,
    Run,
    RunWith,
    Tell,
    in_both_modes,
    inline,
    what_comes_of,
    with_reply_to,
)

Form = Callable[[Callable[[Any], Any]], Call[Any]]
setting: ContextVar[str] = ContextVar("setting", default="none")


@pytest.fixture
async def doer(node: Node) -> Ref:
    """A server that sleeps."""
    doer = await Doer.start()
    await trio.testing.wait_all_tasks_blocked()
    return doer


def saying(number: int, _: object) -> int:
    return number


async def log_of(doer: Ref) -> list[Any]:
    await trio.testing.wait_all_tasks_blocked()
    log: list[Any] = await doer.call(Run(lambda server: list(server.log)))
    return log


class TestAtOnce:
    """No other task runs between the call and its end."""

    pytestmark = inline

    @FORMS
    async def test_a_reply_comes_without_a_switch_of_tasks(self, doer: Ref, form: Form) -> None:
        with trio.testing.assert_no_checkpoints():
            assert [await doer.call(form(partial(saying, n))) for n in range(5)] == [0, 1, 2, 3, 4]

    @pytest.mark.parametrize("then", [None, Continue(1), Idle(9)], ids=str)
    async def test_so_does_one_with_something_to_follow(self, doer: Ref, then: Any) -> None:
        with trio.testing.assert_no_checkpoints():
            assert await doer.call(Run(lambda _: Reply("so", then=then))) == "so"

    async def test_an_answer_given_in_the_handler_comes_so_too(self, doer: Ref) -> None:
        def answer(_: Doer, reply_to: ReplyTo[str]) -> NoReply:
            reply_to.reply("in time")
            reply_to.reply("too late")
            return NoReply()

        with trio.testing.assert_no_checkpoints():
            assert await doer.call(RunWith(answer)) == "in time"

    async def test_an_error_given_in_the_handler_comes_so_too(self, doer: Ref) -> None:
        def refuse(_: Doer, reply_to: ReplyTo[str]) -> NoReply:
            reply_to.error(LookupError("none"))
            return NoReply()

        with trio.testing.assert_no_checkpoints():
            with pytest.raises(LookupError, match="none"):
                await doer.call(RunWith(refuse))

    @FORMS
    async def test_a_reply_that_nobody_can_give_any_more_fails_at_once(
        self, doer: Ref, form: Form
    ) -> None:
        with trio.testing.assert_no_checkpoints():
            assert await what_comes_of(doer, form(lambda _: NoReply())) == ("ReplyDropped", None)

    @FORMS
    async def test_the_task_that_runs_is_the_callers(self, doer: Ref, form: Form) -> None:
        task = await doer.call(form(lambda _: trio.lowlevel.current_task()))
        assert task is trio.lowlevel.current_task()

    async def test_the_first_call_after_others_ran_is_at_once_as_well(self, doer: Ref) -> None:
        for _ in range(3):
            doer.cast(Tell("wake up"))
            await trio.testing.wait_all_tasks_blocked()
            with trio.testing.assert_no_checkpoints():
                await doer.call(Run(lambda _: None))

    async def test_nothing_is_kept_for_a_call(self, doer: Ref) -> None:
        process = doer.find()
        assert process is not None
        for _ in range(10):
            await doer.call(Run(lambda _: None))
        assert process.pending == {}
        assert not process.lent


class TestInBothModes:
    pytestmark = in_both_modes

    @FORMS
    async def test_the_handler_is_the_servers(self, doer: Ref, form: Form) -> None:
        assert await doer.call(form(lambda _: self_())) is doer.pid

    @FORMS
    async def test_context_variables_are_the_servers_and_stay(self, doer: Ref, form: Form) -> None:
        setting.set("the caller's")
        assert await doer.call(form(lambda _: setting.get())) == "none"
        await doer.call(form(lambda _: setting.set("the server's")))
        assert await doer.call(form(lambda _: setting.get())) == "the server's"
        assert setting.get() == "the caller's"

    @FORMS
    async def test_calls_are_counted_and_the_last_one_is_known(self, doer: Ref, form: Form) -> None:
        before = process_info(doer.pid)
        assert before is not None
        request = form(lambda _: process_info(doer.pid))
        inside = await doer.call(request)
        after = process_info(doer.pid)
        assert after is not None
        assert inside is not None
        assert after.handled == inside.handled == before.handled + 1
        process = doer.find()
        assert process is not None
        assert process.current is request

    async def test_continue_comes_before_what_the_caller_sends_next(self, doer: Ref) -> None:
        await doer.call(Run(lambda _: Reply(1, then=Continue("first"))))
        doer.cast(Tell("second"))
        assert await log_of(doer) == [("continue", "first"), ("cast", "second")]

    async def test_continue_comes_before_the_next_call(self, doer: Ref) -> None:
        await doer.call(Run(lambda _: Reply(1, then=Continue("first"))))
        assert await doer.call(Run(lambda server: list(server.log))) == [("continue", "first")]

    async def test_an_idle_time_runs_from_the_call(self, doer: Ref) -> None:
        await doer.call(Run(lambda _: Reply(1, then=Idle(3))))
        await trio.sleep(2.9)
        process = doer.find()
        assert process is not None
        assert process.handled == 1
        await trio.sleep(0.2)
        assert await log_of(doer) == [("info", IdleTimeout())]

    async def test_a_call_calls_the_idle_time_off(self, doer: Ref) -> None:
        await doer.call(Run(lambda _: Reply(1, then=Idle(3))))
        await trio.sleep(2)
        await doer.call(Run(lambda _: None))
        await trio.sleep(5)
        assert await log_of(doer) == []

    async def test_noreply_may_start_an_idle_time_and_the_reply_come_later(self, doer: Ref) -> None:
        kept: list[ReplyTo[Any]] = []

        def keep(_: Doer, reply_to: ReplyTo[Any]) -> NoReply:
            kept.append(reply_to)
            return NoReply(then=Idle(1))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.expect, doer, RunWith(keep), ("reply", "late"))
            await trio.sleep(2)
            kept.pop().reply("late")
        assert await log_of(doer) == [("info", IdleTimeout())]

    @staticmethod
    async def expect(doer: Ref, request: Call[Any], result: object) -> None:
        assert await what_comes_of(doer, request) == result

    async def test_a_reply_to_that_is_dropped_later_fails_the_caller_then(self, doer: Ref) -> None:
        kept: list[ReplyTo[Any]] = []

        def keep(_: Doer, reply_to: ReplyTo[Any]) -> NoReply:
            kept.append(reply_to)
            return NoReply()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.expect, doer, RunWith(keep), ("ReplyDropped", None))
            await trio.sleep(1)
            kept.clear()

    async def test_a_reply_that_is_put_off_may_time_out(self, doer: Ref) -> None:
        kept: list[ReplyTo[Any]] = []
        gave_up: list[float] = []

        def keep(_: Doer, reply_to: ReplyTo[Any]) -> NoReply:
            kept.append(reply_to)
            reply_to.on_give_up(lambda: gave_up.append(trio.current_time()))
            return NoReply()

        began = trio.current_time()
        assert await what_comes_of(doer, RunWith(keep), 3) == ("CallTimeout", None)
        assert gave_up == [began + 3]
        assert kept[0].answered

    @FORMS
    @pytest.mark.parametrize("reply", [None, "last"], ids=["no reply", "a reply"])
    async def test_stop_replies_after_terminate(
        self, node: Node, form: Form, reply: str | None
    ) -> None:
        log: list[Any] = []
        doer = await Doer.start(log)
        await trio.testing.wait_all_tasks_blocked()
        stop = Stop() if reply is None else Stop(reply=reply)
        got = await what_comes_of(doer, form(lambda _: stop))
        log.append(got)
        assert log == [
            ("terminate", "Normal"),
            ("CallExit", "Normal") if reply is None else ("reply", reply),
        ]
        await wait_exit(doer)

    async def test_it_may_send_to_itself_and_link_and_monitor_and_register(
        self, doer: Ref, node: Node
    ) -> None:
        other = await Doer.start()

        def busy(server: Doer) -> None:
            doer.cast(Tell("a cast"))
            send(doer, "an info")
            link(other)
            unlink(other)
            monitor(other)
            register("busy", doer)
            server.log.append(("spawned", spawn(trio.sleep, 0) is not self_()))

        await doer.call(Run(busy))
        assert whereis("busy") is doer.pid
        kill(other)
        log = await log_of(doer)
        assert log[:3] == [("spawned", True), ("cast", "a cast"), ("info", "an info")]
        (kind, down), *rest = log[3:]
        assert (kind, type(down), down.pid, rest) == ("info", Down, other.pid, [])
        assert is_alive(doer), "it had unlinked"

    async def test_a_call_from_a_task_of_the_server_itself(self, doer: Ref) -> None:
        class Parent(Doer):
            async def handle_info(self, message: object) -> None:  # type: ignore[override]
                nursery = await self.enter(trio.open_nursery())
                nursery.start_soon(self.ask_myself, self_())

            async def ask_myself(self, pid: Any) -> None:
                me = whereis("parent")
                assert me is pid
                doer.cast(Tell(await parent.call(Run(lambda server: server is self))))

        parent = await Parent.start()
        await parent.call(Run(lambda _: register("parent", parent)))
        send(parent, "go")
        assert await log_of(doer) == [("cast", True)]

    async def test_a_def_that_returns_a_coroutine_is_awaited_in_the_servers_task(
        self, doer: Ref
    ) -> None:
        async def later() -> tuple[object, bool]:
            before = trio.current_time()
            await trio.sleep(2)
            return self_(), trio.current_time() - before == 2

        me = trio.lowlevel.current_task()

        async def in_task() -> bool:
            return trio.lowlevel.current_task() is not me

        assert await doer.call(Run(lambda _: later())) == (doer.pid, True)
        assert await doer.call(with_reply_to(lambda _: later())) == (doer.pid, True)
        assert await doer.call(Run(lambda _: in_task()))

    async def test_such_a_coroutine_may_put_the_reply_off_or_drop_it(self, doer: Ref) -> None:
        async def drop() -> NoReply:
            await trio.sleep(1)
            return NoReply()

        async def answer(reply_to: ReplyTo[str]) -> NoReply:
            await trio.sleep(1)
            reply_to.reply("kept")
            return NoReply()

        assert await what_comes_of(doer, Run(lambda _: drop())) == ("ReplyDropped", None)
        assert await what_comes_of(doer, with_reply_to(lambda _: drop())) == ("ReplyDropped", None)
        assert await doer.call(RunWith(lambda _, reply_to: answer(reply_to))) == "kept"
