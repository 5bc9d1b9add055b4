"""What instruments hear of calls: each once, how it ended and after how long."""

from __future__ import annotations

import threading

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from runtime import (
    Call,
    CallCycle,
    CallEnded,
    CallExit,
    CallTimeout,
    Event,
    Instrument,
    MailboxFull,
    MailboxLimit,
    Node,
    NoNode,
    Ref,
    ReplyDropped,
    ReplyTo,
    add_instrument,
    get_state,
    kill,
    named,
    open_node,
    ref,
    remove_instrument,
    resume,
    spawn,
    start,
    suspend,
    wait_exit,
)
from tests.runtime.inlining import Doer, Run, RunWith, in_both_modes
from tests.runtime.telling import (
    AskYourself,
    Crash,
    Echo,
    Forget,
    Keep,
    Later,
    Oracle,
    Refuse,
    Sleep,
    heard,
)


class TestInBothModes:
    """Whether the call runs at once or goes by the mailbox."""

    pytestmark = in_both_modes

    @pytest.mark.parametrize(
        ("request_", "error", "seconds", "outcome"),
        [
            (Echo(), None, 0.0, "reply"),
            (Later(), None, 2.0, "reply"),
            (Refuse(), ValueError, 0.0, "error"),
            (Crash(), CallExit, 0.0, "exit"),
            (Forget(), ReplyDropped, 0.0, "dropped"),
            (Keep(), CallTimeout, 5.0, "timeout"),
        ],
        ids=lambda value: type(value).__name__ if isinstance(value, Call) else "",
    )
    async def test_a_call_is_told_when_it_has_ended(
        self,
        node: Node,
        request_: Call[int],
        error: type[Exception] | None,
        seconds: float,
        outcome: str,
    ) -> None:
        oracle = await Oracle.start()
        pid = oracle.pid
        with heard() as told:
            if error is None:
                await oracle.call(request_)
            else:
                with pytest.raises(error):
                    await oracle.call(request_)
        assert told == [CallEnded(pid, type(request_).__name__, seconds, outcome)]

    async def test_one_that_would_wait_for_itself_is_told_and_so_is_what_it_came_of(
        self, node: Node
    ) -> None:
        oracle = await Oracle.start()
        pid = oracle.pid
        with heard() as told:
            with pytest.raises(CallExit) as caught:
                await oracle.call(AskYourself())
            assert isinstance(caught.value.__cause__, CallCycle)
        assert told == [
            CallEnded(pid, "Echo", 0.0, "cycle"),
            CallEnded(pid, "AskYourself", 0.0, "exit"),
        ]

    async def test_one_that_a_full_mailbox_refuses_is_told(self, node: Node) -> None:
        spec = Oracle.child_spec().replace(mailbox=MailboxLimit(1))
        oracle = await start(spec)
        await suspend(oracle)
        async with trio.open_nursery() as nursery:
            with heard() as told:
                nursery.start_soon(oracle.call, Echo())
                await wait_all_tasks_blocked()
                with pytest.raises(MailboxFull):
                    await oracle.call(Later())
                assert told == [CallEnded(oracle.pid, "Later", 0.0, "full")]
                await trio.sleep(3)
                await resume(oracle)
                await wait_all_tasks_blocked()
                assert told[1:] == [CallEnded(oracle.pid, "Echo", 3.0, "reply")]

    async def test_one_that_is_cancelled_is_told(self, node: Node) -> None:
        oracle = await Oracle.start()
        with heard() as told:
            with trio.move_on_after(4) as scope:
                await oracle.call(Sleep())
            assert scope.cancelled_caught
            with trio.CancelScope() as scope:
                scope.cancel()
                await oracle.call(Echo())
        assert told == [
            CallEnded(oracle.pid, "Sleep", 4.0, "cancelled"),
            CallEnded(oracle.pid, "Echo", 0.0, "cancelled"),
        ]

    async def test_one_to_nobody_is_told_without_a_pid(self, node: Node) -> None:
        with heard() as told, pytest.raises(CallExit):
            await named("nobody").call(Echo())
        assert told == [CallEnded(None, "Echo", 0.0, "exit")]

    async def test_one_that_is_made_while_an_exception_is_handled_has_ended_with_its_reply(
        self, node: Node
    ) -> None:
        oracle = await Oracle.start()
        with heard() as told:
            try:
                raise TimeoutError
            except TimeoutError:
                assert await oracle.call(Echo()) == 1
        assert told == [CallEnded(oracle.pid, "Echo", 0.0, "reply")]

    async def test_one_without_patience_is_told(self, node: Node) -> None:
        oracle = await Oracle.start()
        with heard() as told, pytest.raises(CallTimeout):
            await oracle.call(Echo(), timeout=0)
        assert told == [CallEnded(oracle.pid, "Echo", 0.0, "timeout")]

    async def test_what_the_runtime_asks_a_loop_is_no_call(self, node: Node) -> None:
        oracle = await Oracle.start()
        with heard() as told:
            await get_state(oracle)
            await oracle.stop()
            with pytest.raises(CallExit):
                await get_state(oracle)
        assert told == []

    async def test_what_was_no_request_is_no_call(self, node: Node) -> None:
        oracle = await Oracle.start()
        with heard() as told, pytest.raises(TypeError):
            await oracle.call(Echo)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        assert told == []

    async def test_a_reply_that_is_there_before_the_handler_has_returned_is_told(
        self, node: Node
    ) -> None:
        def answer(_doer: Doer, reply_to: ReplyTo[str]) -> object:
            reply_to.reply("early")
            return "late"

        doer = await Doer.start()
        with heard() as told:
            assert await doer.call(RunWith(answer)) == "early"
        assert told == [CallEnded(doer.pid, "RunWith", 0.0, "reply")]

    async def test_an_instrument_that_raises_does_not_change_what_the_caller_gets(
        self, node: Node, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fails(_event: Event) -> None:
            raise KeyError("from the instrument")

        reported: list[type[BaseException]] = []
        monkeypatch.setattr("sys.excepthook", lambda kind, _exc, _trace: reported.append(kind))
        add_instrument(Instrument(fails, (CallEnded,)))
        oracle = await Oracle.start()
        assert await oracle.call(Echo()) == 1
        with pytest.raises(ValueError, match=r"^no$"):
            await oracle.call(Refuse())
        assert reported == [KeyError, KeyError]

    async def test_one_who_loops_over_calls_lets_others_run(self, node: Node) -> None:
        """Told or not: the turn of a task is the same."""
        turns = 0

        async def other() -> None:
            nonlocal turns
            while True:
                turns += 1
                await trio.lowlevel.checkpoint()

        doer = await Doer.start()
        with heard():
            async with trio.open_nursery() as nursery:
                nursery.start_soon(other)
                for _ in range(1000):
                    await doer.call(Run(lambda _doer: 1))
                nursery.cancel_scope.cancel()
        assert turns > 3


@pytest.mark.usefixtures("dispatch")
@pytest.mark.parametrize("dispatch", ["inline"], indirect=True)
async def test_a_told_call_still_runs_at_once(node: Node) -> None:
    doer = await Doer.start()
    await wait_all_tasks_blocked()
    ran_in: list[trio.lowlevel.Task] = []
    with heard() as told:
        await doer.call(Run(lambda _doer: ran_in.append(trio.lowlevel.current_task())))
    assert ran_in == [trio.lowlevel.current_task()]
    assert len(told) == 1


async def test_a_call_that_was_under_way_when_somebody_came_is_not_told(node: Node) -> None:
    oracle = await Oracle.start()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(oracle.call, Later())
        await wait_all_tasks_blocked()
        with heard() as told:
            await trio.sleep(3)
            assert told == []
            await oracle.call(Echo())
            assert len(told) == 1


async def test_a_call_that_is_under_way_when_the_last_one_goes_is_told_to_nobody(
    node: Node,
) -> None:
    oracle = await Oracle.start()
    async with trio.open_nursery() as nursery:
        with heard() as told:
            nursery.start_soon(oracle.call, Later())
            await wait_all_tasks_blocked()
        await trio.sleep(3)
    assert told == []


async def test_an_instrument_may_come_and_go_in_a_handler(node: Node) -> None:
    told: list[Event] = []
    instrument = Instrument(told.append, (CallEnded,))
    doer = await Doer.start()
    await doer.call(Run(lambda _doer: add_instrument(instrument)))
    assert told == []
    await doer.call(Run(lambda _doer: 1))
    assert told == [CallEnded(doer.pid, "Run", 0.0, "reply")]
    await doer.call(Run(lambda _doer: remove_instrument(instrument)))
    await doer.call(Run(lambda _doer: 1))
    assert len(told) == 1


async def test_a_call_in_a_handler_is_told_before_the_one_it_belongs_to(node: Node) -> None:
    oracle, doer = await Oracle.start(), await Doer.start()

    async def ask_on(_doer: Doer) -> int:
        return await oracle.call(Later())

    with heard() as told:
        assert await doer.call(Run(ask_on)) == 2
    assert told == [
        CallEnded(oracle.pid, "Later", 2.0, "reply"),
        CallEnded(doer.pid, "Run", 2.0, "reply"),
    ]


async def test_nobody_is_asked_to_hear_a_call_outside_a_node() -> None:
    told: list[Event] = []
    targets: list[Ref] = []
    async with open_node(instruments=[Instrument(told.append, (CallEnded,))]):
        targets.append(ref(spawn(trio.sleep_forever)))
    with pytest.raises(CallExit):
        await targets[0].call(Echo())
    assert told == []


@pytest.mark.real_clock
async def test_a_node_is_not_told_of_a_call_from_another_thread(node: Node) -> None:
    target: Ref = ref(spawn(trio.sleep_forever))
    threads: list[int] = []

    async def from_another_run() -> None:
        await target.call(Echo())

    def in_thread() -> type[BaseException] | None:
        try:
            trio.run(from_another_run)
        except NoNode as exc:
            return type(exc)
        return None

    add_instrument(Instrument(lambda _event: threads.append(threading.get_ident()), (CallEnded,)))
    assert await trio.to_thread.run_sync(in_thread) is NoNode
    assert threads == []
    kill(target)
    await wait_exit(target)
