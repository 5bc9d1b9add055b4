"""The traceback of a crash report: the user's frames, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import trio

from runtime import (
    CallExit,
    named,
    start,
    wait_exit,
)
from supervisors import Supervisor
from tests.runtime.reported import Shop, frames, only, reporting_node
from tests.support import Ask, Do, Scripted

INNER = "raise ValueError('in the plug-in')"


def own(files: list[str]) -> list[str]:
    """Those that are the runtime's or the supervisors'."""
    return [
        file
        for file in files
        if "/tests/" not in file and ("/runtime/" in file or "/superv" in file)
    ]


async def crash_text(logs: list[Any], spec: Any, request: Callable[[Any], Any] | None) -> str:
    async with reporting_node():
        server = await start(spec)
        if request is not None:
            server.cast(Do(request))
        await wait_exit(server.pid)
    text: str = logs[-1]["exception"]
    return text


async def test_a_traceback_begins_with_the_users_first_frame(logs: list[Any]) -> None:
    def fail(_server: Scripted) -> None:
        exec(INNER)

    text = await crash_text(logs, Scripted.child_spec(), fail)
    first, *rest = frames(text)
    assert first.endswith("tests/support.py")
    assert rest == [__file__, "<string>"]
    assert text.startswith("Traceback (most recent call last):\n  File ")
    assert text.endswith("ValueError: in the plug-in")


async def test_the_frames_of_async_callbacks_are_the_users_too(logs: list[Any]) -> None:
    async def fail(_server: Scripted) -> None:
        await trio.sleep(1)
        raise ValueError("later")

    text = await crash_text(logs, Scripted.child_spec(), fail)
    assert frames(text) == [__file__]


async def test_what_an_exception_came_from_is_shown_without_our_frames_as_well(
    logs: list[Any],
) -> None:
    """Also through a call: the reason of the other server's end is in the chain."""

    async def fail(_server: Scripted) -> None:
        def give_up(_server: Scripted, _reply_to: object) -> None:
            raise KeyError("far away")

        other = await Scripted.start()
        try:
            await other.call(Ask(give_up))
        except CallExit as exc:
            raise ValueError("near") from exc

    text = await crash_text(logs, Scripted.child_spec(), fail)
    assert own(frames(text)) == []
    assert "KeyError: 'far away'" in text
    assert "runtime.CallExit" in text
    assert text.endswith("ValueError: near")
    assert text.count("direct cause") == 2


async def test_the_members_of_a_group_are_shown_without_our_frames(logs: list[Any]) -> None:
    async def ask_nobody() -> None:
        await named("nobody").stop()

    async def fail(_server: Scripted) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(ask_nobody)

    text = await crash_text(logs, Scripted.child_spec(), fail)
    assert own(frames(text)) == []
    assert "ExceptionGroup" in text
    assert "CallExit" in text


async def test_an_error_of_our_own_making_shows_no_frames(logs: list[Any]) -> None:
    """There is no user's frame in it: a handler that does not exist."""

    async with reporting_node():
        shop = await Shop.start()
        shop.cast(Do(lambda _server: None))
        await wait_exit(shop.pid)
    text = only(logs, "process crashed")["exception"]
    assert "runtime.UnhandledMessage: Shop has no handler for the cast Do" in text
    assert not frames(text)


async def test_a_supervisor_shows_no_frames_of_its_own_either(logs: list[Any]) -> None:
    class Sales(Supervisor):
        def __init__(self) -> None:
            super().__init__([])

        async def init(self) -> None:
            raise ValueError("no licence")

    async with reporting_node():
        with pytest.raises(Exception, match="did not start"):
            await start(Sales.child_spec())
    assert frames(only(logs, "process crashed")["exception"]) == [__file__]


async def test_a_very_long_chain_of_exceptions_is_shown_from_end_to_end(
    logs: list[Any], hook: list[BaseException]
) -> None:
    def fail(_server: Scripted) -> None:
        last = ValueError("the first of many")
        for _ in range(3_000):
            following = ValueError("again")
            following.__cause__ = last
            last = following
        raise last

    text = await crash_text(logs, Scripted.child_spec(), fail)
    assert "the first of many" in text
    assert text.count("again") == 3_000
    assert hook == []


async def test_an_exception_that_cannot_be_shown_hurts_nobody(
    logs: list[Any], hook: list[BaseException]
) -> None:
    class Shy(Exception):
        def __str__(self) -> str:
            raise ValueError("in str")

        __repr__ = __str__

    def fail(_server: Scripted) -> None:
        raise Shy

    text = await crash_text(logs, Scripted.child_spec(), fail)
    assert "Shy: <exception str() failed>" in text
    assert only(logs, "process crashed")["reason"] == "<Shy whose repr raises>"
    assert [str(exc) for exc in hook] == ["in str"]
