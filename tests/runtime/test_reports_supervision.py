"""Reports of supervisors and mailboxes, and the instrument that writes them all."""

from __future__ import annotations

from typing import Any

import pytest
import structlog
import trio
import trio.testing

from runtime import (
    AcknowledgerFailed,
    CallbackFailed,
    Crashed,
    Event,
    GenServer,
    LoopStalled,
    MailboxLimit,
    MailboxLong,
    MessageOld,
    MessagesGivenBack,
    Pid,
    PipelineDrained,
    RestartsHigh,
    child_spec,
    handles,
    kill,
    log_reports,
    named,
    open_node,
    spawn,
    wait_exit,
)
from runtime.instruments import Instruments
from supervisors import open_supervisor
from tests.runtime.reported import Charge, Ping, Shop, frames, only, reporting_node
from tests.support import in_process


class Narrow(GenServer):
    """Takes one message at a time, and no cast but ``Ping``."""

    mailbox = MailboxLimit(1, policy="drop_newest")

    @handles(Ping)
    async def ping(self, message: Ping) -> None:
        await trio.sleep(1)


async def test_a_flood_of_dropped_messages_is_no_flood_of_lines(logs: list[Any]) -> None:
    async with reporting_node():
        narrow = await Narrow.start()
        for _ in range(1_101):
            narrow.cast(Ping())
        await narrow.stop()
    assert [line["dropped"] for line in logs] == [1, 10, 100, 1_000]
    assert {(line["event"], line["log_level"], line["message"]) for line in logs} == {
        ("mailbox full, message dropped", "warning", "Ping()")
    }
    assert {line["pid"] for line in logs} == {repr(narrow.pid)}


async def test_a_process_that_outlasts_its_budget_is_reported(logs: list[Any]) -> None:
    async def slow_to_stop() -> None:
        try:
            await trio.sleep_forever()
        finally:
            with trio.CancelScope(shield=True):
                await trio.sleep(0.9)

    async with reporting_node():
        async with open_supervisor([child_spec(slow_to_stop).replace(shutdown=0.5)]):
            await trio.testing.wait_all_tasks_blocked()
    line, end = logs
    assert line["event"] == "process did not stop within its shutdown budget, killing it"
    assert (end["event"], end["reason"]) == ("process ended abnormally", "Killed()")
    assert (line["log_level"], line["seconds"]) == ("warning", 0.5)
    assert "slow_to_stop" in line["pid"]


async def test_a_killed_process_that_lives_on_is_reported_every_second(logs: list[Any]) -> None:
    async def shielded() -> None:
        with trio.CancelScope(shield=True):
            await trio.sleep(3.5)

    async with reporting_node():
        async with open_supervisor([child_spec(shielded).replace(shutdown="brutal_kill")]):
            await trio.testing.wait_all_tasks_blocked()
    lines = [line for line in logs if line["event"] == "killed process is still alive"]
    assert [line["seconds"] for line in lines] == [1.0, 2.0, 3.0]
    assert {line["log_level"] for line in lines} == {"warning"}
    assert all("shielded" in line["pid"] for line in lines)


ENDED = "supervised child ended"


async def test_a_supervisor_report_counts_the_restarts_and_says_what_follows(
    logs: list[Any],
) -> None:
    async def crash() -> None:
        raise ValueError("boom")

    async with reporting_node():
        with pytest.raises(Exception, match="ran out of restarts"):
            async with open_supervisor([child_spec(crash)], max_restarts=2, name="shop"):
                await trio.sleep_forever()
    lines = [line for line in logs if line["event"] == ENDED]
    assert [(line["restarts"], line["max_restarts"], line["action"]) for line in lines] == [
        (1, 2, "restart crash"),
        (2, 2, "restart crash"),
        (3, 2, "give up"),
    ]
    for line in lines:
        assert "shop" in line["supervisor"]
        assert "crash" in line["pid"]
        assert (line["child"], line["log_level"]) == ("crash", "warning")
        assert line["reason"] == "Crashed(exception=ValueError('boom'))"
    assert len({line["pid"] for line in lines}) == 3


async def test_the_reports_of_a_crash_come_in_order(logs: list[Any]) -> None:
    async def crash(crashes: list[str]) -> None:
        if crashes:
            raise ValueError(crashes.pop())
        await trio.sleep_forever()

    async with reporting_node():
        async with open_supervisor([child_spec(crash, ["boom"])]):
            await trio.sleep(1)
    assert [line["event"] for line in logs] == ["process crashed", ENDED]
    assert logs[0]["pid"] == logs[1]["pid"]


async def test_nothing_is_said_of_a_child_that_is_done(logs: list[Any]) -> None:
    """A service with ten thousand temporary tasks writes no ten thousand warnings."""
    children = [
        child_spec(trio.sleep, 0).replace(id="one", restart="temporary"),
        child_spec(trio.sleep, 0).replace(id="two", restart="transient"),
    ]
    async with reporting_node():
        async with open_supervisor(children):
            await trio.sleep(1)
    assert logs == []


async def test_a_clean_end_is_no_news_even_if_something_follows_from_it(logs: list[Any]) -> None:
    async def done(times: list[int]) -> None:
        if not times:
            await trio.sleep_forever()
        times.pop()

    last = child_spec(trio.sleep, 1).replace(restart="transient", significant=True)
    children = [child_spec(done, [1]), last]
    async with reporting_node():
        async with open_supervisor(children, auto_shutdown="any_significant"):
            await trio.sleep_forever()
    assert logs == []


async def test_giving_up_on_a_child_that_is_done_too_often_is_news(logs: list[Any]) -> None:
    async with reporting_node():
        with pytest.raises(Exception, match="ran out of restarts"):
            async with open_supervisor([child_spec(trio.sleep, 0)], max_restarts=1):
                await trio.sleep_forever()
    line = only(logs, ENDED)
    assert (line["reason"], line["restarts"], line["action"]) == ("Normal()", 2, "give up")


async def test_a_temporary_child_that_crashes_is_reported_as_left_stopped(logs: list[Any]) -> None:
    async def crash() -> None:
        raise ValueError("boom")

    async with reporting_node():
        async with open_supervisor([child_spec(crash).replace(restart="temporary")]):
            await trio.sleep(1)
    assert only(logs, ENDED)["action"] == "leave it stopped"


async def test_a_restart_that_fails_says_why_and_that_it_is_tried_again(logs: list[Any]) -> None:
    class Flaky(GenServer):
        starts = 0

        def init(self) -> None:
            type(self).starts += 1
            if type(self).starts == 2:
                raise ValueError("not yet")

    async with reporting_node():
        async with open_supervisor([Flaky.child_spec().replace(name="flaky")]):
            kill(named("flaky"))
            await trio.sleep(1)
            assert named("flaky").whereis() is not None
    line = only(logs, "supervised child did not start")
    assert (line["log_level"], line["child"], line["action"]) == ("error", "flaky", "try again")
    assert line["reason"] == "ValueError('not yet')"
    assert frames(line["exception"]) == [__file__]


async def test_a_node_with_other_instruments_writes_no_reports(logs: list[Any]) -> None:
    async def crash() -> None:
        raise ValueError("boom")

    async with open_node(instruments=[]):
        await wait_exit(spawn(crash))
    assert logs == []


async def test_a_log_that_raises_hurts_nobody(hook: list[BaseException]) -> None:
    def broken(_log: Any, _method: str, _line: Any) -> Any:
        raise OSError("disk full")

    structlog.configure(processors=[broken])
    try:
        async with reporting_node():
            shop = await Shop.start()
            shop.cast(Charge("1234"))
            reason = await wait_exit(shop.pid)
    finally:
        structlog.reset_defaults()
    assert isinstance(reason, Crashed)
    assert [str(exc) for exc in hook] == ["disk full"]


async def test_reports_run_in_the_process_that_ends_and_may_look_around(logs: list[Any]) -> None:
    async def crash() -> None:
        raise ValueError("boom")

    async def watcher() -> str:
        pid = spawn(crash, name="crashing")
        await wait_exit(pid)
        assert logs[0]["name"] == "crashing", "the report is written before anybody hears of it"
        return "heard"

    async with reporting_node():
        assert await in_process(watcher) == "heard"


PID = Pid(7, "shop")
LINES: list[tuple[Event, dict[str, object]]] = [
    (
        MailboxLong(PID, "shop", 12_000, 10_000),
        {
            "event": "mailbox long", "log_level": "warning", "pid": "<Pid 7 shop>",
            "name": "shop", "length": 12_000, "watermark": 10_000,
        },
    ),
    (
        MessageOld(PID, None, 12.3456, 3),
        {
            "event": "message old", "log_level": "warning", "pid": "<Pid 7 shop>",
            "name": None, "seconds": 12.346, "length": 3,
        },
    ),
    (
        RestartsHigh(PID, "shop", 3, 4, 5.0),
        {
            "event": "supervisor is past half of its restarts", "log_level": "warning",
            "supervisor": "<Pid 7 shop>", "name": "shop", "restarts": 3, "max_restarts": 4,
            "max_seconds": 5.0,
        },
    ),
    (
        AcknowledgerFailed(PID, "<Queue>", "3", 7, Crashed(ValueError("no"))),
        {
            "event": "an acknowledger raised", "log_level": "error", "pid": "<Pid 7 shop>",
            "acknowledger": "<Queue>", "reference": "3", "messages": 7,
            "reason": "ValueError('no')", "exception": "ValueError: no",
        },
    ),
    (
        CallbackFailed("line", "line.p", PID, "handle_batch", 7, Crashed(ValueError("no"))),
        {
            "event": "callback of a pipeline failed", "log_level": "error", "stage": "line.p",
            "pid": "<Pid 7 shop>", "callback": "handle_batch", "messages": 7,
            "reason": "ValueError('no')", "exception": "ValueError: no",
        },
    ),
    (
        MessagesGivenBack("line", "line.processor_0", 7),
        {
            "event": "messages given back", "log_level": "warning",
            "stage": "line.processor_0", "messages": 7,
        },
    ),
    (
        PipelineDrained(PID, "line", 30.00012, 7),
        {
            "event": "pipeline not drained in time", "log_level": "warning", "pipeline": "line",
            "pid": "<Pid 7 shop>", "seconds": 30.0, "left": 7,
        },
    ),
    (
        LoopStalled(0.21234, None, None, None, None, ""),
        {
            "event": "loop stalled", "log_level": "error", "seconds": 0.212, "pid": None,
            "name": None, "handler": None, "line": None, "stack": "",
        },
    ),
    (
        LoopStalled(5.0, PID, "shop", "Shop.price", "shop.py:7", "shop.py:7 Shop.price"),
        {
            "event": "loop stalled", "log_level": "error", "seconds": 5.0,
            "pid": "<Pid 7 shop>", "name": "shop", "handler": "Shop.price", "line": "shop.py:7",
            "stack": "shop.py:7 Shop.price",
        },
    ),
]  # fmt: skip


@pytest.mark.parametrize(("event", "line"), LINES)
def test_what_the_watchdog_tells_is_one_line(
    event: Event, line: dict[str, object], logs: list[Any]
) -> None:
    Instruments([log_reports]).emit(event)
    assert logs == [line]


def test_a_pipeline_that_was_drained_in_time_is_no_news(logs: list[Any]) -> None:
    Instruments([log_reports]).emit(PipelineDrained(PID, "line", 1.0, 0))
    assert logs == []
