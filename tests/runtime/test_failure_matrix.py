"""{init, call, cast, info, continue, terminate} x {raise, bad, cancelled, killed, timeout}.

One cell is one thing that goes wrong in one callback. It says what the caller sees (the starter for
``init``, the stopper for ``terminate``, whoever called or waits in the queue for the others), the
exit reason, and whether ``terminate`` ran. That a bystander survives is checked in every cell.

GEN-006..015, 041, 044..047, 051, 071, 081, 083, 087. differs: ``terminate`` also runs after an
untrapped exit signal (GEN-022, GEN-047), and a ``def`` callback is atomic: what it returns counts,
and the signal takes effect behind it. A server that has decided to end keeps its reason: in
``terminate`` only a kill is heard.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

import msgspec
import pytest
import trio

from runtime import (
    Call,
    CallExit,
    Cast,
    Continue,
    Crashed,
    ExitReason,
    GenServer,
    Ignore,
    Killed,
    Node,
    NoReply,
    Normal,
    ProcessEnded,
    Ref,
    ReplyTo,
    StartFailed,
    exit,
    is_alive,
    kill,
    named,
    self_,
    start,
)
from tests.conftest import Recorder
from tests.support import Ask, Scripted


class Trigger(Call[str], frozen=True):
    """Run the fault in handle_call."""


class Probe(Call[str], frozen=True):
    """Wait behind the fault; answered with ``done``."""


class TriggerCast(Cast, frozen=True):
    """Run the fault in handle_cast."""


class TriggerContinue(Cast, frozen=True):
    """Run the fault in handle_continue."""


class TriggerInfo(msgspec.Struct, frozen=True):
    """Run the fault in handle_info."""


class Cell(NamedTuple):
    sees: str
    reason: str
    terminate: str


BAD: dict[str, object] = {
    "init": 42, "call": Ignore(), "cast": 42, "info": 42, "continue": 42, "terminate": 42,
}  # fmt: skip

# Without a style in the key: the same for `def` and `async def`.
CELLS = {
    "init-raise": Cell("StartFailed(ValueError)", "ValueError", "not run"),
    "init-bad": Cell("StartFailed(BadResult)", "BadResult", "not run"),
    "init-cancelled": Cell("StartFailed(boom)", "boom", "not run"),
    "init-killed": Cell("StartFailed(Killed)", "Killed", "not run"),
    "init-timeout-async": Cell("StartTimeout", "Killed", "not run"),
    "call-raise": Cell("CallExit(ValueError)", "ValueError", "ran"),
    "call-bad": Cell("CallExit(BadResult)", "BadResult", "ran"),
    "call-cancelled-def": Cell("done", "boom", "ran"),
    "call-cancelled-async": Cell("CallExit(boom)", "boom", "ran"),
    "call-killed-def": Cell("done", "Killed", "not run"),
    "call-killed-async": Cell("CallExit(Killed)", "Killed", "not run"),
    "call-timeout": Cell("CallTimeout", "alive", "not run"),
    "cast-raise": Cell("CallExit(ValueError)", "ValueError", "ran"),
    "cast-bad": Cell("CallExit(BadResult)", "BadResult", "ran"),
    "cast-cancelled": Cell("CallExit(boom)", "boom", "ran"),
    "cast-killed": Cell("CallExit(Killed)", "Killed", "not run"),
    "cast-timeout-async": Cell("CallTimeout", "alive", "not run"),
    "info-raise": Cell("CallExit(ValueError)", "ValueError", "ran"),
    "info-bad": Cell("CallExit(BadResult)", "BadResult", "ran"),
    "info-cancelled": Cell("CallExit(boom)", "boom", "ran"),
    "info-killed": Cell("CallExit(Killed)", "Killed", "not run"),
    "info-timeout-async": Cell("CallTimeout", "alive", "not run"),
    "continue-raise": Cell("CallExit(ValueError)", "ValueError", "ran"),
    "continue-bad": Cell("CallExit(BadResult)", "BadResult", "ran"),
    "continue-cancelled": Cell("CallExit(boom)", "boom", "ran"),
    "continue-killed": Cell("CallExit(Killed)", "Killed", "not run"),
    "continue-timeout-async": Cell("CallTimeout", "alive", "not run"),
    "terminate-raise": Cell("CallExit(ValueError)", "ValueError", "began"),
    "terminate-bad": Cell("stopped", "Normal", "ran"),
    "terminate-cancelled": Cell("stopped", "Normal", "ran"),  # it had decided to end already
    "terminate-killed-def": Cell("CallExit(Killed)", "Killed", "ran"),
    "terminate-killed-async": Cell("CallExit(Killed)", "Killed", "began"),
    "terminate-timeout-async": Cell("CallTimeout", "Normal", "ran"),
}


def styled(cells: dict[str, Cell]) -> list[Any]:
    """Each cell once for each style it is for."""
    keys = [(*key.split("-"), key) for key in cells]
    return [
        pytest.param(callback, fault, one, cells[key], id=f"{callback}-{fault}-{one}")
        for callback, fault, *style, key in keys
        for one in style or ["def", "async"]
    ]


class DefVictim(GenServer):
    """All callbacks are ``def``; the fault happens inside the callback."""

    def __init__(self, where: str, fault: str, log: list[str]) -> None:
        self.where = where
        self.fault = fault
        self.log = log
        self.kept: ReplyTo[str] | None = None

    def at(self, callback: str, good: object) -> Any:
        if callback != self.where:
            return good
        match self.fault:
            case "raise":
                raise ValueError(callback)
            case "bad":
                return BAD[callback]
            case "cancelled":
                exit(self_(), "boom")
            case "killed":
                kill(self_())
            case _:
                assert (callback, self.fault) == ("call", "timeout")
                return NoReply()
        return good

    def init(self) -> Any:
        return self.at("init", None)

    def handle_call(self, request: object, reply_to: ReplyTo[str]) -> Any:
        if isinstance(request, Probe):
            return "done"
        self.kept = reply_to
        return self.at("call", "done")

    def handle_cast(self, message: object) -> Any:
        return Continue() if isinstance(message, TriggerContinue) else self.at("cast", None)

    def handle_info(self, message: object) -> Any:
        return self.at("info", None)

    def handle_continue(self, arg: object) -> Any:
        return self.at("continue", None)

    def terminate(self, reason: ExitReason) -> Any:
        self.log.append("began")
        result = self.at("terminate", None)
        self.log.append("ran")
        return result


class AsyncVictim(GenServer):
    """All callbacks are ``async def``; the test interrupts the callback from outside."""

    def __init__(self, where: str, fault: str, log: list[str]) -> None:
        self.where = where
        self.fault = fault
        self.log = log

    async def at(self, callback: str, good: object) -> Any:
        if callback != self.where:
            return good
        await trio.lowlevel.checkpoint()
        if self.fault == "raise":
            raise ValueError(callback)
        if self.fault == "bad":
            return BAD[callback]
        await trio.sleep(10 if self.fault == "timeout" else 3)
        return good

    async def init(self) -> Any:
        return await self.at("init", None)

    async def handle_call(self, request: object, reply_to: ReplyTo[str]) -> Any:
        return "done" if isinstance(request, Probe) else await self.at("call", "done")

    async def handle_cast(self, message: object) -> Any:
        return Continue() if isinstance(message, TriggerContinue) else await self.at("cast", None)

    async def handle_info(self, message: object) -> Any:
        return await self.at("info", None)

    async def handle_continue(self, arg: object) -> Any:
        return await self.at("continue", None)

    async def terminate(self, reason: ExitReason) -> Any:
        self.log.append("began")
        result = await self.at("terminate", None)
        self.log.append("ran")
        return result


async def provoke(victim: Ref, callback: str) -> object:
    """Make the fault happen, and be the one who waits for what comes of it."""
    match callback:
        case "call":
            return await victim.call(Trigger(), timeout=5)
        case "terminate":
            await victim.stop(timeout=5)
            return "stopped"
        case "cast":
            victim.cast(TriggerCast())
        case "info":
            victim.send(TriggerInfo())
        case _:
            victim.cast(TriggerContinue())
    return await victim.call(Probe(), timeout=5)


def name_of(reason: ExitReason) -> str:
    match reason:
        case Crashed():
            return type(reason.exception).__name__
        case Normal() | Killed():
            return type(reason).__name__
        case _:
            return str(reason)


async def seen_by(attempt: Callable[[], Awaitable[object]]) -> str:
    """What the one who waits gets, in the words of the table."""
    try:
        return str(await attempt())
    except (CallExit, StartFailed) as exc:
        told = exc.reason.exception if isinstance(exc.reason, Crashed) else None
        cause = "" if exc.__cause__ is told else " without its cause"
        return f"{type(exc).__name__}({name_of(exc.reason)}){cause}"
    except TimeoutError as exc:
        return type(exc).__name__


@pytest.mark.parametrize(("callback", "fault", "style", "cell"), styled(CELLS))
async def test_one_fault_in_one_callback(
    node: Node, events: Recorder, callback: str, fault: str, style: str, cell: Cell
) -> None:
    bystander = await start(Scripted.child_spec())
    log: list[str] = []
    seen: list[str] = []
    make = DefVictim if style == "def" else AsyncVictim
    spec = make.child_spec(callback, fault, log).replace(name="victim")
    victim = named("victim")
    if callback != "init":
        await start(spec)

    async def attempt() -> object:
        if callback == "init":
            return await start(spec, timeout=5)
        return await provoke(victim, callback)

    async def wait() -> None:
        seen.append(await seen_by(attempt))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(wait)
        await trio.sleep(1)  # the victim is in the middle of the callback
        if style == "async" and fault == "cancelled":
            exit(victim, "boom")
        elif style == "async" and fault == "killed":
            kill(victim)

    await trio.sleep(20)
    ended = [name_of(event.reason) for event in events.of(ProcessEnded)]
    assert seen == [cell.sees]
    assert (log or ["not run"])[-1] == cell.terminate
    assert log in ([], ["began"], ["began", "ran"]), "terminate runs at most once"
    assert ended == ([] if cell.reason == "alive" else [cell.reason])
    assert is_alive(victim) == (cell.reason == "alive")
    if cell.reason == "alive":
        assert await victim.call(Probe()) == "done", "a caller that gives up harms nobody"
    assert await bystander.call(Ask(lambda server, reply_to: "alive")) == "alive"


BAD_WORDS = {
    "init": "init of DefVictim returned 42, allowed are None, Continue",
    "call": "handle_call of DefVictim returned Ignore(), allowed are the reply, Reply",
    "cast": "handle_cast of DefVictim returned 42, allowed are None, Continue",
    "info": "handle_info of DefVictim returned 42, allowed are None, Continue",
    "continue": "handle_continue of DefVictim returned 42, allowed are None, Continue",
}


@pytest.mark.parametrize("callback", BAD_WORDS)
async def test_a_bad_result_names_the_callback_the_value_and_what_is_allowed(
    node: Node, events: Recorder, callback: str
) -> None:
    """DESIGN 3.9."""
    spec = DefVictim.child_spec(callback, "bad", []).replace(name="victim")
    if callback == "init":
        await seen_by(lambda: start(spec))
    else:
        await start(spec)
        await seen_by(lambda: provoke(named("victim"), callback))
    (ended,) = events.of(ProcessEnded)
    assert isinstance(ended.reason, Crashed)
    assert str(ended.reason.exception).startswith(BAD_WORDS[callback])
    assert getattr(ended.reason.exception, "value", None) == BAD[callback]
