"""A handler that raises while its caller runs it: the server's crash, not the caller's."""

from __future__ import annotations

import gc
import sys
import traceback
from collections.abc import Callable
from typing import Any

import pytest
import trio
import trio.testing

from runtime import (
    Call,
    CallExit,
    CleanupFailed,
    Crashed,
    Ignore,
    Killed,
    Node,
    NoReply,
    ProcessCrashed,
    ProcessExit,
    Ref,
    ReplyTo,
    Shutdown,
    exit,
    kill,
    open_node,
    self_,
    wait_exit,
)
from tests.conftest import Recorder
from tests.runtime.inlining import (
    FORMS,
    Doer,
    Run,
    RunWith,
    Tell,
    in_both_modes,
    what_comes_of,
    with_reply_to,
)
from tests.support import end_of

pytestmark = in_both_modes

Form = Callable[[Callable[[Any], Any]], Call[Any]]


class Boom(Exception):
    pass


def explode(_: object) -> None:
    raise Boom("here")


@pytest.fixture
async def doer(node: Node) -> Ref:
    doer = await Doer.start()
    await trio.testing.wait_all_tasks_blocked()
    return doer


async def with_scope(doer: Ref) -> None:
    """From now on the server has a cancel scope, as after its first coroutine."""

    async def checkpoint() -> None:
        await trio.lowlevel.checkpoint()

    await doer.call(Run(lambda _: checkpoint()))
    await trio.testing.wait_all_tasks_blocked()


@FORMS
async def test_a_raise_is_the_callers_exit_and_the_servers_crash(
    doer: Ref, form: Form, events: Recorder
) -> None:
    pid = doer.pid
    with pytest.raises(CallExit) as caught:
        await doer.call(form(explode))
    assert isinstance(caught.value.__cause__, Boom)
    (report,) = events.of(ProcessCrashed)
    assert (report.pid, report.handled) == (pid, 1)
    assert isinstance(report.reason, Crashed)
    assert report.reason.exception is caught.value.__cause__
    assert end_of(events, pid) == report.reason


@FORMS
async def test_its_traceback_shows_the_handler_and_not_the_caller(doer: Ref, form: Form) -> None:
    async def a_caller_that_must_not_be_seen() -> None:
        await doer.call(form(explode))

    with pytest.raises(CallExit) as caught:
        await a_caller_that_must_not_be_seen()
    boom = caught.value.__cause__
    assert boom is not None
    names = [frame.name for frame in traceback.extract_tb(boom.__traceback__)]
    assert names[-1] == "explode"
    assert "a_caller_that_must_not_be_seen" not in names
    assert "call_inline" not in names
    assert boom.__context__ is None


@FORMS
async def test_an_exception_in_the_callers_hands_is_none_of_the_servers(
    doer: Ref, form: Form
) -> None:
    try:
        raise LookupError("the caller's own")
    except LookupError:
        with pytest.raises(CallExit) as caught:
            await doer.call(form(explode))
    assert caught.value.__cause__ is not None
    assert caught.value.__cause__.__context__ is None


async def test_a_handler_called_from_except_sees_no_exception(doer: Ref) -> None:
    try:
        raise LookupError("the caller's own")
    except LookupError:
        assert await doer.call(Run(lambda _: sys.exception())) is None


@FORMS
async def test_terminate_sees_the_reason(node: Node, form: Form) -> None:
    log: list[Any] = []
    doer = await Doer.start(log)
    await trio.testing.wait_all_tasks_blocked()
    assert await what_comes_of(doer, form(explode)) == ("CallExit", "Crashed")
    assert log == [("terminate", "Crashed")]


@FORMS
async def test_process_exit_gives_the_reason(doer: Ref, form: Form) -> None:
    def leave(_: object) -> None:
        raise ProcessExit(Shutdown("enough"))

    with pytest.raises(CallExit) as caught:
        await doer.call(form(leave))
    assert caught.value.reason == Shutdown("enough")


@pytest.mark.parametrize(
    "error",
    [StopIteration(), GeneratorExit(), BaseExceptionGroup("both", [Boom(), GeneratorExit()])],
    ids=lambda error: type(error).__name__,
)
async def test_whatever_is_raised_ends_the_server_only(doer: Ref, error: BaseException) -> None:
    def throw(_: object) -> None:
        raise error

    assert await what_comes_of(doer, Run(throw)) == ("CallExit", "Crashed")


@FORMS
@pytest.mark.parametrize("fatal", [KeyboardInterrupt, SystemExit])
@pytest.mark.usefixtures("dispatch")
async def test_what_ends_the_program_stops_the_node_and_leaves_it_as_itself(
    form: Form, fatal: type[BaseException]
) -> None:
    def end(_: object) -> None:
        raise fatal("now")

    log: list[Any] = []
    with pytest.raises(fatal, match="now"):
        async with open_node(instruments=[]):
            other, doer = await Doer.start(log), await Doer.start()
            await trio.testing.wait_all_tasks_blocked()
            assert await what_comes_of(doer, form(end)) == ("CallExit", "Crashed")
            assert await other.call(Run(lambda _: "still there")) == "not reached"
    assert log == [("terminate", "Shutdown")]


@FORMS
async def test_a_handler_that_casts_to_itself_and_then_raises(doer: Ref, form: Form) -> None:
    def both(server: Doer) -> None:
        doer.cast(Tell("never seen"))
        raise Boom

    assert await what_comes_of(doer, form(both)) == ("CallExit", "Crashed")


@FORMS
@pytest.mark.parametrize("scoped", [False, True], ids=["no scope", "a scope"])
@pytest.mark.parametrize("end", [exit, kill], ids=["exit", "kill"])
class TestEndsItself:
    """What the handler does then still counts."""

    def ends(self, end: Callable[..., None], after: Callable[[], Any]) -> Callable[[Any], Any]:
        def handler(_: Doer) -> Any:
            if end is kill:
                kill(self_())
            else:
                exit(self_(), Shutdown("myself"))
            return after()

        return handler

    async def test_and_returns_its_reply_counts(
        self, doer: Ref, form: Form, scoped: bool, end: Callable[..., None], events: Recorder
    ) -> None:
        pid = doer.pid
        if scoped:
            await with_scope(doer)
        got = await what_comes_of(doer, form(self.ends(end, lambda: "done")))
        assert got == ("reply", "done")
        await wait_exit(doer)
        assert end_of(events, pid) == (Killed() if end is kill else Shutdown("myself"))

    async def test_and_raises_it_is_reported_as_failed_clean_up(
        self, doer: Ref, form: Form, scoped: bool, end: Callable[..., None], events: Recorder
    ) -> None:
        if scoped:
            await with_scope(doer)
        got = await what_comes_of(doer, form(self.ends(end, lambda: explode(None))))
        assert got == ("CallExit", "Killed" if end is kill else "Shutdown")
        (failed,) = events.of(CleanupFailed)
        assert isinstance(failed.exception, Boom)
        assert failed.exception.__context__ is None

    async def test_and_returns_a_coroutine_it_runs_to_its_first_checkpoint(
        self, doer: Ref, form: Form, scoped: bool, end: Callable[..., None], events: Recorder
    ) -> None:
        if scoped:
            await with_scope(doer)
        steps: list[str] = []

        async def later() -> None:
            steps.append("began")
            try:
                await trio.sleep(1)
                steps.append("slept")
            finally:
                steps.append("cleaned up")

        got = await what_comes_of(doer, form(self.ends(end, later)))
        assert got == ("CallExit", "Killed" if end is kill else "Shutdown")
        assert steps == ["began", "cleaned up"]

    async def test_and_ends_the_program_the_node_hears_of_it(
        self, form: Form, scoped: bool, end: Callable[..., None]
    ) -> None:
        def interrupt() -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            async with open_node(instruments=[]):
                doer = await Doer.start()
                await with_scope(doer) if scoped else await trio.testing.wait_all_tasks_blocked()
                await what_comes_of(doer, form(self.ends(end, interrupt)))


async def test_a_crash_in_the_coroutine_of_a_def_handler(doer: Ref) -> None:
    async def later() -> None:
        await trio.sleep(1)
        raise Boom

    with pytest.raises(CallExit) as caught:
        await doer.call(Run(lambda _: later()))
    assert isinstance(caught.value.__cause__, Boom)


async def test_a_reply_given_before_the_raise_counts(doer: Ref, events: Recorder) -> None:
    pid = doer.pid

    def reply_and_raise(_: Doer, reply_to: ReplyTo[str]) -> None:
        reply_to.reply("first")
        raise Boom

    assert await doer.call(RunWith(reply_and_raise)) == "first"
    await wait_exit(doer)
    assert isinstance(end_of(events, pid), Crashed)


async def test_a_signal_in_the_very_step_of_a_crash_changes_nothing(doer: Ref) -> None:
    """Nothing that can be told from the server having ended first."""

    async def exit_it() -> None:
        exit(doer, Shutdown("too late"))

    async with trio.open_nursery() as nursery:
        got = await what_comes_of(doer, Run(explode))
        nursery.start_soon(exit_it)
    assert got == ("CallExit", "Crashed")


async def test_crashes_coroutines_and_dropped_replies_leave_no_reference_cycles(
    node: Node,
) -> None:
    async def later() -> None:
        await trio.lowlevel.checkpoint()
        raise Boom

    def bad(_: object) -> object:
        return Boom  # a class is a reply

    async def one(fn: Callable[[Any], Any]) -> None:
        for form in (Run, with_reply_to):
            doer = await Doer.start()
            await trio.lowlevel.checkpoint()
            await what_comes_of(doer, form(fn))
            kill(doer)
            await wait_exit(doer)
            del doer

    for fn in (explode, bad, lambda _: later(), lambda _: NoReply(), lambda _: Ignore()):
        await one(fn)
        await trio.testing.wait_all_tasks_blocked()
        gc.collect()
        gc.disable()
        gc.set_debug(gc.DEBUG_SAVEALL)
        try:
            for _ in range(5):
                await one(fn)
            await trio.testing.wait_all_tasks_blocked()
            gc.collect()
            left = [obj for obj in gc.garbage if isinstance(obj, Doer | Boom)]
        finally:
            gc.set_debug(0)
            gc.garbage.clear()
            gc.enable()
        assert left == []
