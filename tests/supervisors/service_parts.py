"""What the programs of ``test_run*`` are made of. They say on standard output what happens."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import Any

import structlog
import structlog.typing
import trio

from runtime import Continue, ExitReason, GenServer


def say(text: str) -> None:
    """One line, at once."""
    os.write(1, f"{text}\n".encode())


class Talker(GenServer):
    """Says when it comes and when it goes."""

    def __init__(self, name: str) -> None:
        self.name = name

    def init(self) -> Any:
        say(f"{self.name} is up")

    def terminate(self, reason: ExitReason) -> Any:
        say(f"{self.name} is down")


class SlowStart(Talker):
    """Is never up."""

    async def init(self) -> None:
        say(f"{self.name} is starting")
        await trio.sleep_forever()


class SlowEnd(Talker):
    """Is never done with its last words."""

    async def terminate(self, reason: ExitReason) -> None:
        say(f"{self.name} is ending")
        try:
            await trio.sleep_forever()
        finally:
            say(f"{self.name} was killed")


class Does(Talker):
    """Calls a function, ``def`` or ``async def``, once it is up."""

    def __init__(self, name: str, action: Callable[[], object]) -> None:
        super().__init__(name)
        self.action = action

    def init(self) -> Continue:
        super().init()
        return Continue()

    def handle_continue(self, arg: object) -> Any:
        return self.action()


async def shield_itself() -> None:
    """Ignore every cancellation."""
    with trio.CancelScope(shield=True):
        say("shielded")
        await trio.sleep_forever()


def throw(exc: BaseException) -> None:
    """Raise, where only an expression can stand."""
    raise exc


def say_when_a_signal_would_kill() -> None:
    """From now on say when a signal has been given back to the system: SIGINT is the last one."""
    real = signal.signal

    def spy(number: int, handler: Any) -> Any:
        previous = real(number, handler)
        if (number, handler) == (signal.SIGINT, signal.SIG_DFL):
            say("armed")
        return previous

    setattr(signal, "signal", spy)  # noqa: B010  of another type than the function has


def signal_just_before(module: ModuleType, function: str, number: int) -> None:
    """The program gets a signal at the moment it calls this function."""
    setattr(module, function, partial(_signal_then_call, number, getattr(module, function)))


def _signal_then_call(number: int, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    os.kill(os.getpid(), number)
    return fn(*args, **kwargs)


def log_through(processor: structlog.typing.Processor) -> None:
    """Configure structlog as a program may, with one more processor than usual."""
    structlog.configure(
        processors=[processor, structlog.processors.JSONRenderer()],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


def at_event(event: str, action: Callable[[], object]) -> structlog.typing.Processor:
    """A structlog processor that calls a function in the middle of logging ``event``."""

    def process(_log: Any, _method: str, line: structlog.typing.EventDict) -> Any:
        if line["event"] == event:
            action()
        return line

    return process


def run_module() -> ModuleType:
    """``supervisors.run`` is the function; this is the module."""
    return sys.modules["supervisors.run"]
