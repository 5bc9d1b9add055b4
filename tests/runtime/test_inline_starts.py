"""Starts whose ``init`` runs at once, in the step of the starter, and what of it cannot be told."""

from __future__ import annotations

import contextvars
import gc
import sys
from collections.abc import Callable
from typing import Any, ClassVar

import pytest
import trio
import trio.testing
from trio.lowlevel import current_task

from runtime import (
    CleanupFailed,
    Continue,
    Crashed,
    ExitReason,
    GenServer,
    Idle,
    Ignore,
    Ignored,
    Killed,
    Node,
    Normal,
    ProcessCrashed,
    ProcessExit,
    Ref,
    Shutdown,
    StartFailed,
    StartTimeout,
    Stop,
    exit,
    is_alive,
    kill,
    link,
    open_node,
    processes,
    register,
    self_,
    send,
    spawn,
    start,
    start_link,
    trap_exits,
    wait_exit,
    whereis,
)
from runtime.turn import MESSAGES
from supervisors import (
    DynamicSupervisor,
    DynamicSupervisorRef,
    Supervisor,
    SupervisorRef,
)
from tests.conftest import Recorder
from tests.runtime.inlining import in_both_modes, inline
from tests.support import reason_of

BOOM = ValueError("boom")
VARIABLE: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="unset")


class Doer(GenServer):
    """Does in ``init`` what it is told, and writes down what else it sees."""

    def __init__(self, fn: Callable[[Any], Any], log: list[Any] | None = None) -> None:
        self.fn = fn
        self.log: list[Any] = [] if log is None else log

    def init(self) -> Any:
        return self.fn(self)

    def handle_continue(self, arg: object) -> None:
        self.log.append(("continue", arg))

    def handle_info(self, message: object) -> None:
        self.log.append(("info", message))

    def terminate(self, reason: ExitReason) -> None:
        self.log.append(("terminate", type(reason).__name__))


class Apart(Doer):
    """In its own task."""

    inline: ClassVar[bool] = False


class Async(Doer):
    """With an ``async def``."""

    async def init(self) -> Any:
        return self.fn(self)


def nothing(_server: object) -> None:
    """An ``init``."""


def task_of(log: list[Any]) -> Callable[[Any], None]:
    """An ``init`` that writes down in which task it runs."""
    return lambda _server: log.append(current_task())


def fail(_server: object) -> None:
    raise BOOM


async def by_start(cls: type[Doer], *args: Any) -> Ref:
    return await start(cls.child_spec(*args))


async def by_supervisor(cls: type[Doer], *args: Any) -> Ref:
    supervisor = SupervisorRef(await Supervisor.start([]))
    return await supervisor.start_child(cls.child_spec(*args).replace(restart="temporary"))


async def by_dynamic(cls: type[Doer], *args: Any) -> Ref:
    supervisor = DynamicSupervisorRef(await DynamicSupervisor.start())
    return await supervisor.start_child(cls.child_spec(*args).replace(restart="temporary"))


by_each_way = pytest.mark.parametrize("by", [by_start, by_supervisor, by_dynamic])


class TestWhere:
    pytestmark = inline

    @pytest.mark.parametrize(("cls", "at_once"), [(Doer, True), (Apart, False), (Async, False)])
    async def test_a_plain_init_runs_in_the_task_of_the_starter(
        self, node: Node, cls: type[Doer], at_once: bool
    ) -> None:
        log: list[Any] = []
        await by_start(cls, task_of(log))
        assert [task is current_task() for task in log] == [at_once]

    async def test_not_while_an_exception_is_handled(self, node: Node) -> None:
        log: list[Any] = []

        def init(_server: object) -> None:
            log.append((current_task() is here, sys.exception()))

        here = current_task()
        try:
            raise BOOM
        except ValueError:
            await Doer.start(init)
        assert log == [(False, None)]

    async def test_not_when_others_must_have_a_turn(self, node: Node) -> None:
        log: list[Any] = []
        for _ in range(MESSAGES + 1):
            await start(Doer.child_spec(task_of(log)))
        at_once = [task is current_task() for task in log]
        assert at_once == [True] * (MESSAGES - 1) + [False, True]

    async def test_children_of_a_dynamic_supervisor_start_in_the_step_of_who_asks(
        self, node: Node
    ) -> None:
        log: list[Any] = []
        supervisor = DynamicSupervisorRef(await DynamicSupervisor.start())
        await trio.testing.wait_all_tasks_blocked()
        await supervisor.start_child(Doer.child_spec(task_of(log)))
        assert log == [current_task()]


@pytest.mark.parametrize("dispatch", ["queued"], indirect=True)
async def test_the_switch_lets_every_init_run_in_its_own_task(dispatch: str, node: Node) -> None:
    log: list[Any] = []
    await start(Doer.child_spec(task_of(log)))
    assert [task is current_task() for task in log] == [False]


class TestInBothModes:
    pytestmark = in_both_modes

    async def test_init_is_the_servers(self, node: Node) -> None:
        log: list[Any] = []

        def init(_server: object) -> None:
            register("me")
            VARIABLE.set("set")
            log.extend([self_(), whereis("me")])

        VARIABLE.set("the starter's")
        server = await start(Doer.child_spec(init))
        assert log == [server.pid, server.pid]
        assert VARIABLE.get() == "the starter's"

    async def test_its_context_is_the_one_its_callbacks_see(self, node: Node) -> None:
        log: list[Any] = []

        def init(server: Doer) -> Continue:
            log.append(VARIABLE.get())
            VARIABLE.set("set")
            return Continue(1)

        class Reader(Doer):
            def handle_continue(self, arg: object) -> None:
                log.append((VARIABLE.get(), arg))

        VARIABLE.set("the starter's")
        await start(Reader.child_spec(init))
        await trio.testing.wait_all_tasks_blocked()
        assert log == ["unset", ("set", 1)]

    async def test_what_init_returns_is_followed(self, node: Node) -> None:
        log: list[Any] = []
        await start(Doer.child_spec(lambda _: Continue(1), log))
        await start(Doer.child_spec(lambda _: Idle(3.0), log))
        await trio.sleep(4)
        assert [kind for kind, _ in log] == ["continue", "info"]

    @by_each_way
    async def test_a_raise_fails_the_start(
        self, node: Node, events: Recorder, by: Callable[..., Any]
    ) -> None:
        log: list[Any] = []
        with pytest.raises(StartFailed) as caught:
            await by(Doer, fail, log)
        assert caught.value.reason == Crashed(BOOM)
        assert caught.value.__cause__ is BOOM
        assert [type(event) for event in events if isinstance(event, ProcessCrashed)] == [
            ProcessCrashed
        ]
        assert log == [], "no terminate"

    @by_each_way
    async def test_ignore_and_stop_do_not_start_it(
        self, node: Node, by: Callable[..., Any]
    ) -> None:
        with pytest.raises(Ignored):
            await by(Doer, lambda _: Ignore())
        with pytest.raises(StartFailed) as caught:
            await by(Doer, lambda _: Stop("no"))
        assert caught.value.reason == "no"

    async def test_process_exit_gives_the_reason(self, node: Node) -> None:
        def init(_server: object) -> None:
            raise ProcessExit("mine")

        with pytest.raises(StartFailed) as caught:
            await start(Doer.child_spec(init))
        assert caught.value.reason == "mine"

    async def test_a_coroutine_from_a_def_is_awaited_in_the_servers_task(self, node: Node) -> None:
        log: list[Any] = []

        async def later() -> None:
            await trio.sleep(1)
            log.append(current_task() is here)

        here = current_task()
        await start(Doer.child_spec(lambda _: later()))
        assert log == [False]

    async def test_an_exit_signal_before_its_coroutine_begins(self, node: Node) -> None:
        log: list[Any] = []

        async def later() -> None:
            try:
                await trio.sleep(1)
            finally:
                log.append("closed")

        def init(_server: object) -> Any:
            coroutine = later()
            exit(self_(), "enough")
            return coroutine

        with pytest.raises(StartFailed) as caught:
            await start(Doer.child_spec(init))
        assert caught.value.reason == "enough"
        assert log == ["closed"]

    async def test_a_kill_of_itself_in_init(self, node: Node) -> None:
        log: list[Any] = []
        with pytest.raises(StartFailed) as caught:
            await start(Doer.child_spec(lambda _: kill(self_()), log))
        assert (caught.value.reason, log) == (Killed(), [])

    async def test_what_ends_the_program_stops_the_node(self) -> None:
        def init(_server: object) -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            async with open_node(instruments=[]):
                await start(Doer.child_spec(init))

    async def test_a_signal_before_its_first_step_lets_it_have_its_last_word(
        self, node: Node
    ) -> None:
        log: list[Any] = []
        server = await start(Doer.child_spec(nothing, log))
        exit(server, Shutdown())
        assert await wait_exit(server) == Shutdown()
        assert log == [("terminate", "Shutdown")]

    async def test_a_kill_before_its_first_step_does_not(self, node: Node) -> None:
        log: list[Any] = []
        server = await start(Doer.child_spec(nothing, log))
        kill(server)
        assert await wait_exit(server) == Killed()
        assert log == []

    async def test_init_may_start_link_send_and_trap(self, node: Node) -> None:
        log: list[Any] = []

        async def other() -> None:
            await trio.sleep(1)

        def init(_server: object) -> None:
            trap_exits(True)
            link(spawn(other))
            send(self_(), "hello")

        server = await start(Doer.child_spec(init, log))
        await trio.sleep(2)
        assert is_alive(server)
        assert [getattr(what, "reason", what) for _, what in log] == ["hello", Normal()]

    async def test_a_starter_that_init_cancels_gets_nothing(self, node: Node) -> None:
        with trio.CancelScope() as scope:
            await start(Doer.child_spec(lambda _: scope.cancel()))
        assert scope.cancelled_caught
        assert processes() == []

    async def test_a_starter_that_init_exits_gets_nothing(self, node: Node) -> None:
        async def starter() -> None:
            me = self_()
            await start(Doer.child_spec(lambda _: exit(me, "enough")))

        assert await reason_of(starter) == "enough"
        await trio.testing.wait_all_tasks_blocked()
        assert processes() == []

    async def test_the_link_of_a_start_is_there_before_init_fails(self, node: Node) -> None:
        async def starter() -> None:
            await start_link(Doer.child_spec(fail))

        assert await reason_of(starter) == Crashed(BOOM)

    async def test_a_timeout_of_0_is_one(self, node: Node) -> None:
        with pytest.raises(StartTimeout):
            await start(Doer.child_spec(nothing), timeout=0)
        assert processes() == []


class TestAScopeLeftOpen:
    pytestmark = inline

    async def test_it_is_taken_off_the_starter_and_crashes_the_server(self, node: Node) -> None:
        def init(_server: object) -> None:
            trio.CancelScope().__enter__()

        server = await start(Doer.child_spec(init))
        reason = await wait_exit(server)
        assert isinstance(reason, Crashed)
        assert str(reason.exception) == (
            f"init of {server.pid!r} left a cancel scope open in the task of its starter; "
            "with `inline = False` it runs in a task of its own"
        )

    async def test_what_it_raised_itself_says_more(self, node: Node, events: Recorder) -> None:
        def init(_server: object) -> None:
            trio.CancelScope().__enter__()
            raise BOOM

        with pytest.raises(StartFailed) as caught:
            await start(Doer.child_spec(init))
        assert caught.value.reason == Crashed(BOOM)
        assert [event for event in events if isinstance(event, CleanupFailed)] == []


@pytest.mark.usefixtures("dispatch")
@pytest.mark.parametrize("dispatch", ["inline", "queued"], indirect=True)
@by_each_way
async def test_a_failed_start_leaves_no_reference_cycles(by: Callable[..., Any]) -> None:
    async def failed() -> None:
        with pytest.raises(StartFailed):
            await by(Doer, fail)

    async with open_node(instruments=[]):
        await failed()
        gc.collect()
        gc.disable()
        try:
            await failed()
            await trio.testing.wait_all_tasks_blocked()
            gc.set_debug(gc.DEBUG_SAVEALL)
            gc.collect()
            assert [one for one in gc.garbage if isinstance(one, Doer)] == []
        finally:
            gc.set_debug(0)
            gc.garbage.clear()
            gc.enable()
