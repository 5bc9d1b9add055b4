"""Crash reports: what they say, and what they keep to themselves."""

from __future__ import annotations

from typing import Any

import pytest
import trio
import trio.testing

from runtime import (
    Continue,
    Crashed,
    GenServer,
    MailboxLimit,
    Normal,
    ProcessExit,
    Shutdown,
    Stop,
    exit,
    kill,
    set_label,
    spawn,
    start,
    start_link,
    wait_exit,
)
from tests.runtime.reported import Charge, Ping, Shop, only, reporting_node
from tests.support import Do, Note, Scripted


async def test_a_crash_report_says_who_why_and_at_what(logs: list[Any]) -> None:
    """GEN-090."""
    async with reporting_node():
        shop = await start(Shop.child_spec().replace(name="shop"))
        pid = shop.pid
        for _ in range(2):
            shop.cast(Ping())
        shop.cast(Charge("1234", 7))
        for _ in range(3):
            shop.cast(Ping())
        await wait_exit(pid)
    line = only(logs, "process crashed")
    assert line.pop("exception").endswith("ValueError: card refused")
    assert line == {
        "event": "process crashed",
        "log_level": "error",
        "pid": repr(pid),
        "name": "shop",
        "ancestors": [],
        "reason": "ValueError('card refused')",
        "last_message": "Charge(card='1234', amount=7)",
        "mailbox_length": 3,
        "handled": 3,
    }
    assert "shop" in repr(pid)


async def test_a_crash_report_names_those_it_came_from_the_nearest_first(logs: list[Any]) -> None:
    async def parent() -> None:
        child = await start_link(Shop.child_spec())
        child.cast(Charge("1234"))
        await trio.sleep_forever()

    async with reporting_node():
        pid = spawn(parent)
        spawn(trio.sleep, 0, name="bystander")
        await wait_exit(pid)
    child, by_link = [line for line in logs if "last_message" in line]
    assert child["ancestors"] == [repr(pid)]
    assert by_link["ancestors"] == []
    assert by_link["pid"] == repr(pid)


async def test_a_process_that_crashes_before_any_message_reports_none(logs: list[Any]) -> None:
    async def crash() -> None:
        set_label("crashing")
        raise ValueError("at once")

    async with reporting_node():
        await wait_exit(spawn(crash))
    line = only(logs, "process crashed")
    assert (line["name"], line["last_message"], line["handled"]) == (None, None, 0)
    assert "crash" in line["pid"]


async def test_a_crash_in_init_and_in_continue_is_reported(logs: list[Any]) -> None:
    class Broken(GenServer):
        def init(self) -> None:
            raise ValueError("in init")

    def fail(_server: Scripted, _arg: object) -> None:
        raise ValueError("in continue")

    async with reporting_node():
        with pytest.raises(Exception, match="did not start"):
            await start(Broken.child_spec())
        server = await Scripted.start(None, init=lambda _server: Continue(), handle_continue=fail)
        await wait_exit(server.pid)
    assert [line["reason"] for line in logs] == [
        "ValueError('in init')",
        "ValueError('in continue')",
    ]


@pytest.mark.parametrize("reason", [Normal(), Shutdown(), Shutdown("for the night")], ids=repr)
async def test_nothing_is_said_of_a_clean_end(logs: list[Any], reason: object) -> None:
    """GEN-090."""

    async def leave() -> None:
        raise ProcessExit(reason)

    async with reporting_node():
        await wait_exit(spawn(leave))
        server = await Scripted.start()
        server.cast(Do(lambda _server: Stop(reason)))
        await wait_exit(server.pid)
        server = await Scripted.start()
        await server.stop(reason)
        server = await Scripted.start()
        exit(server, Shutdown())
        await wait_exit(server.pid)
        await wait_exit(spawn(trio.sleep, 0))
    assert logs == []


@pytest.mark.parametrize("reason", ["disk full", ("bad", 7), 404], ids=repr)
async def test_any_other_reason_is_reported_without_a_traceback(
    logs: list[Any], reason: object
) -> None:
    """GEN-090."""
    async with reporting_node():
        server = await Scripted.start()
        server.cast(Do(lambda _server: Stop(reason)))
        await wait_exit(server.pid)
    line = only(logs, "process ended abnormally")
    assert (line["log_level"], line["reason"]) == ("error", repr(reason))
    assert "exception" not in line


async def test_a_kill_is_reported(logs: list[Any]) -> None:
    async with reporting_node():
        server = await Scripted.start()
        kill(server)
        await wait_exit(server.pid)
    assert only(logs, "process ended abnormally")["reason"] == "Killed()"


async def test_a_clean_up_that_fails_is_reported_beside_the_reason_that_stands(
    logs: list[Any],
) -> None:
    async def body() -> None:
        try:
            await trio.sleep_forever()
        finally:
            raise ValueError("while closing")

    async with reporting_node():
        pid = spawn(body)
        await trio.testing.wait_all_tasks_blocked()
        exit(pid, Shutdown("enough"))
        assert await wait_exit(pid) == Shutdown("enough")
    (line,) = logs
    assert line["event"] == "clean-up failed while the process was ending"
    assert line["was"] == "Shutdown(detail='enough')"
    assert line["reason"] == "ValueError('while closing')"
    assert "in body" in line["exception"]


async def test_neither_locals_nor_the_state_are_shown(logs: list[Any]) -> None:
    async with reporting_node():
        shop = await Shop.start()
        shop.cast(Charge("1234"))
        await wait_exit(shop.pid)
    line = only(logs, "process crashed")
    assert "hunter2" not in str(line)
    assert "pin = " not in line["exception"]
    assert "state" not in line


class Discreet(Shop):
    """Says itself what may be shown."""

    mailbox = MailboxLimit(1, policy="drop_newest")

    def redact(self, what: str, value: Any) -> object:
        if what == "state":
            return {"password": "***"}
        return {"card": "***"} if isinstance(value, Charge) else value


async def test_redact_decides_what_is_shown_of_messages_and_of_the_state(logs: list[Any]) -> None:
    async with reporting_node():
        shop = await Discreet.start()
        await trio.testing.wait_all_tasks_blocked()
        shop.cast(Charge("1234"))
        shop.cast(Charge("5678"))
        await wait_exit(shop.pid)
    line = only(logs, "process crashed")
    assert line["last_message"] == "{'card': '***'}"
    assert line["state"] == "{'password': '***'}"
    assert only(logs, "mailbox full, message dropped")["message"] == "{'card': '***'}"
    assert "1234" not in str(logs)
    assert "5678" not in str(logs)


async def test_redact_is_asked_before_an_unexpected_message_is_shown(logs: list[Any]) -> None:
    async with reporting_node():
        shop = await Discreet.start()
        shop.send(Charge("1234").card)
        await trio.testing.wait_all_tasks_blocked()
        shop.send(Note(text="1234"))
        await shop.stop()
    assert [line["message"] for line in logs] == ["'1234'", "Note(fn=None, text='1234')"]
    assert {line["event"] for line in logs} == {"unexpected message ignored"}
    assert {line["log_level"] for line in logs} == {"warning"}


@pytest.mark.parametrize("failing", ["message", "state"])
async def test_a_redact_that_raises_shows_nothing_and_hurts_nobody(
    logs: list[Any], hook: list[BaseException], failing: str
) -> None:
    class Clumsy(Shop):
        def redact(self, what: str, value: Any) -> object:
            if what == failing:
                raise ValueError("in redact")
            return None

    async with reporting_node():
        shop = await Clumsy.start()
        shop.cast(Charge("1234"))
        assert isinstance(await wait_exit(shop.pid), Crashed)
    line = only(logs, "process crashed")
    assert line["last_message"] == "<not shown>"
    assert "state" not in line
    assert "1234" not in str(line)
    assert [str(exc) for exc in hook] == ["in redact"]


async def test_a_redact_that_returns_none_shows_nothing(logs: list[Any]) -> None:
    class Silent(Shop):
        def redact(self, what: str, value: Any) -> object:
            return None

    async with reporting_node():
        shop = await Silent.start()
        shop.cast(Charge("1234"))
        await wait_exit(shop.pid)
    line = only(logs, "process crashed")
    assert line["last_message"] == "<not shown>"
    assert "state" not in line


async def test_long_values_are_cut_and_a_broken_repr_is_named(
    logs: list[Any], hook: list[BaseException]
) -> None:
    class Broken:
        def __repr__(self) -> str:
            raise ValueError("in repr")

    async with reporting_node():
        server = await Scripted.start()
        server.cast(Do(lambda _server: Stop("x" * 10_000)))
        await wait_exit(server.pid)
        server = await Scripted.start()
        server.cast(Do(lambda _server: Stop(Broken())))
        await wait_exit(server.pid)
    long, broken = [line["reason"] for line in logs]
    assert len(long) < 600
    assert long.endswith("... (10002 characters)")
    assert broken == "<Broken whose repr raises>"
    assert [str(exc) for exc in hook] == ["in repr"]
