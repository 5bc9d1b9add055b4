"""Calls that go by the mailbox as ever, and handlers that are found where Python finds them."""

from __future__ import annotations

import contextvars
import math
from typing import Any, ClassVar

import pytest
import trio
import trio.testing

from runtime import (
    Call,
    CallExit,
    Cast,
    GenServer,
    MailboxFull,
    MailboxLimit,
    Node,
    NoNode,
    ProcessCrashed,
    Ref,
    ReplyTo,
    UnhandledMessage,
    get_state,
    handles,
    open_node,
    process_info,
    replace_state,
    resume,
    spawn,
    suspend,
    wait_exit,
)
from runtime.messages import HandleCall
from runtime.process_table import SWITCH
from supervisors import DynamicSupervisor, DynamicSupervisorRef, open_supervisor
from tests.conftest import Recorder
from tests.runtime.inlining import Doer, Run, RunWith, Tell, in_both_modes, inline, what_comes_of
from tests.support import stop_all


class Who(Call[str]):
    """Which method answers?"""


class Foreign(HandleCall[str]):
    """A typed handle's request that only some servers know."""


class Base(GenServer):
    @handles(Who)
    def who(self, request: Who) -> str:
        return "base"


class Overriding(Base):
    def who(self, request: Who) -> str:
        return f"overriding {super().who(request)}"


class OverridingAsync(Base):
    async def who(self, request: Who) -> str:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        await trio.lowlevel.checkpoint()
        return f"async {super().who(request)}"


class OnTheInstance(Base):
    def __init__(self) -> None:
        self.who = lambda request: "instance"  # type: ignore[method-assign]


class ByHandleCall(Base):
    def handle_call(self, request: Any, reply_to: ReplyTo[Any]) -> Any:
        return "handle_call"


class ByAsyncHandleCall(Base):
    async def handle_call(self, request: Any, reply_to: ReplyTo[Any]) -> Any:
        return "async handle_call"


class BySuper(Base):
    def handle_call(self, request: Any, reply_to: ReplyTo[Any]) -> Any:
        return super().handle_call(request, reply_to)


class ByHandleCallOfTheInstance(Base):
    def __init__(self) -> None:
        self.handle_call = lambda request, reply_to: "its own"  # type: ignore[method-assign]


class NotInline(Base):
    inline: ClassVar[bool] = False


class NotInlineHere(Base):
    def __init__(self) -> None:
        self.inline = False  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]


ANSWERS: dict[type[Base], str] = {
    Base: "base",
    Overriding: "overriding base",
    OverridingAsync: "async base",
    OnTheInstance: "instance",
    ByHandleCall: "handle_call",
    ByAsyncHandleCall: "async handle_call",
    BySuper: "base",
    ByHandleCallOfTheInstance: "its own",
    NotInline: "base",
    NotInlineHere: "base",
}
AT_ONCE = {Base, Overriding, OnTheInstance, ByHandleCall, BySuper}


async def asleep(server: type[GenServer]) -> Ref:
    ref = await server.start()
    await trio.testing.wait_all_tasks_blocked()
    return ref


class TestInBothModes:
    pytestmark = in_both_modes

    @pytest.mark.parametrize(("server", "answer"), ANSWERS.items())
    async def test_the_method_that_answers(
        self, node: Node, server: type[Base], answer: str
    ) -> None:
        ref = await asleep(server)
        assert [await ref.call(Who()) for _ in range(3)] == [answer] * 3

    async def test_a_method_that_is_put_in_its_place_later(
        self, node: Node, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ref = await asleep(Base)
        assert await ref.call(Who()) == "base"
        monkeypatch.setattr(Base, "who", lambda self, request: "patched")
        assert await ref.call(Who()) == "patched"
        monkeypatch.setattr(Base, "handle_call", lambda self, request, reply_to: "all patched")
        assert await ref.call(Who()) == "all patched"
        monkeypatch.undo()
        assert await ref.call(Who()) == "base"

    async def test_a_cast_goes_to_what_was_put_in_the_place_of_its_method(self, node: Node) -> None:
        seen: list[object] = []
        ref = await asleep(Base)
        await replace_state(ref, lambda state: {**state, "handle_cast": seen.append})
        ref.cast(Tell("this"))
        await trio.testing.wait_all_tasks_blocked()
        assert seen == [Tell("this")]

    async def test_a_method_that_cannot_be_looked_up_is_the_servers_crash(self, node: Node) -> None:
        class Broken(Base):
            def __getattribute__(self, name: str) -> Any:
                if name == "who":
                    raise LookupError("who?")
                return super().__getattribute__(name)

        ref = await asleep(Broken)
        with pytest.raises(CallExit) as caught:
            await ref.call(Who())
        assert isinstance(caught.value.__cause__, LookupError)

    async def test_a_call_that_nobody_takes_is_a_crash(self, node: Node, events: Recorder) -> None:
        ref = await asleep(Base)
        with pytest.raises(CallExit) as caught:
            await ref.call(Run(lambda _: None))
        assert isinstance(caught.value.__cause__, UnhandledMessage)
        assert len(events.of(ProcessCrashed)) == 1

    @pytest.mark.parametrize("server", [Base, ByHandleCall])
    async def test_a_handle_of_the_wrong_server_is_no_crash(
        self, node: Node, server: type[Base]
    ) -> None:
        ref = await asleep(server)
        with pytest.raises(UnhandledMessage, match="is the wrong handle"):
            await ref.call(Foreign())
        assert (await ref.call(Who())) == ANSWERS[server]

    async def test_what_the_runtime_asks_is_answered_by_the_loop(self, node: Node) -> None:
        ref = await asleep(ByHandleCall)
        assert await get_state(ref) == {}

    async def test_a_suspended_server_answers_when_it_is_resumed(self, node: Node) -> None:
        ref = await asleep(Base)
        await suspend(ref)
        assert await what_comes_of(ref, Who(), 1) == ("CallTimeout", None)
        await resume(ref)
        assert await what_comes_of(ref, Who(), 1) == ("reply", "base")

    async def test_a_dead_server_answers_nobody(self, node: Node) -> None:
        ref = await asleep(Base)
        await ref.stop()
        assert await what_comes_of(ref, Who()) == ("CallExit", "NoProcess")

    async def test_a_full_mailbox_refuses_and_an_empty_one_does_not(self, node: Node) -> None:
        class Limited(Doer):
            mailbox = MailboxLimit(1)

        ref = await asleep(Limited)
        assert [await ref.call(Run(lambda _: 1)) for _ in range(5)] == [1] * 5
        ref.cast(Cast())
        with pytest.raises(MailboxFull):
            await ref.call(Run(lambda _: 1))
        await stop_all(ref)

    @pytest.mark.real_clock
    async def test_a_call_from_another_run_is_refused(self, node: Node) -> None:
        ref = await asleep(Base)

        async def elsewhere() -> str:
            return await ref.call(Who())

        with pytest.raises(NoNode, match="foreign thread"):
            await trio.to_thread.run_sync(trio.run, elsewhere)
        assert await ref.call(Who()) == "base"
        info = process_info(ref.pid)
        assert info is not None
        assert info.handled == 1

    async def test_a_task_that_shares_the_servers_context_may_call(self, node: Node) -> None:
        ref = await asleep(Doer)
        process = ref.find()
        assert process is not None
        assert process.task is not None
        context: contextvars.Context = process.task.context
        got: list[object] = []

        async def call() -> None:
            got.append(await ref.call(Run(lambda _: "reply")))

        trio.lowlevel.spawn_system_task(call, context=context)
        await trio.testing.wait_all_tasks_blocked()
        assert got == ["reply"]

    async def test_a_cycle_is_refused(self, node: Node) -> None:
        ref = await asleep(Doer)
        other = await asleep(Doer)

        async def ask(whom: Ref, request: Call[Any]) -> tuple[str, Any]:
            return await what_comes_of(whom, request)

        back = Run(lambda _: ask(ref, Run(lambda _: None)))
        assert await ref.call(Run(lambda _: ask(other, back))) == ("reply", ("CallCycle", None))

    async def test_a_process_and_its_helpers_may_call(self, node: Node) -> None:
        ref = await asleep(Doer)
        got: list[object] = []

        async def call() -> None:
            got.append(await ref.call(Run(lambda _: 1), timeout=math.inf))

        async def process() -> None:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(call)
            await call()

        await wait_exit(spawn(process))
        assert got == [1, 1]


class TestInline:
    pytestmark = inline

    @pytest.mark.parametrize("server", ANSWERS)
    async def test_which_of_them_answer_at_once(self, node: Node, server: type[Base]) -> None:
        ref = await asleep(server)
        if server in AT_ONCE:
            with trio.testing.assert_no_checkpoints():
                await ref.call(Who())
        else:
            with trio.testing.assert_checkpoints():
                await ref.call(Who())

    async def test_a_busy_server_and_one_that_has_a_message_do_not(self, node: Node) -> None:
        ref = await asleep(Doer)
        ref.cast(Cast())
        with trio.testing.assert_checkpoints():
            assert await what_comes_of(ref, Run(lambda _: 1)) == ("CallExit", "Crashed")

    async def test_nor_for_a_caller_that_handles_an_exception(self, node: Node) -> None:
        ref = await asleep(Doer)
        try:
            raise LookupError
        except LookupError:
            with trio.testing.assert_checkpoints():
                assert await ref.call(Run(lambda _: 1)) == 1

    async def test_supervisors_do_if_they_are_dynamic(self, node: Node) -> None:
        dynamic = DynamicSupervisorRef(await DynamicSupervisor.start())
        async with open_supervisor([]) as tree:
            await trio.testing.wait_all_tasks_blocked()
            with trio.testing.assert_checkpoints():
                await tree.count_children()
            with trio.testing.assert_no_checkpoints():
                await dynamic.count_children()

    async def test_a_server_is_lent_while_its_handler_runs(self, node: Node) -> None:
        ref = await asleep(Doer)
        process = ref.find()
        assert process is not None
        assert await ref.call(Run(lambda _: process.lent)) is True
        assert await ref.call(RunWith(lambda _, _reply_to: process.lent)) is True
        assert process.lent is False


@pytest.mark.parametrize("dispatch", ["queued"], indirect=True)
async def test_the_switch_sends_every_call_by_the_mailbox(dispatch: str, node: Node) -> None:
    ref = await asleep(Base)
    with trio.testing.assert_checkpoints():
        assert await ref.call(Who()) == "base"


@pytest.mark.parametrize(("value", "inline_it"), [("1", True), ("", True), ("0", False)])
async def test_only_0_switches_it_off(
    monkeypatch: pytest.MonkeyPatch, value: str, inline_it: bool
) -> None:
    monkeypatch.setenv(SWITCH, value)
    async with open_node(instruments=[]):
        ref = await asleep(Base)
        check = trio.testing.assert_no_checkpoints if inline_it else trio.testing.assert_checkpoints
        with check():
            await ref.call(Who())
