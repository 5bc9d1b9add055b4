"""Servers for the tests of calls that run at once, and the two ways to dispatch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from runtime import Call, Cast, ExitReason, GenServer, Ref, ReplyTo, handles

in_both_modes = [
    pytest.mark.usefixtures("dispatch"),
    pytest.mark.parametrize("dispatch", ["inline", "queued"], indirect=True),
]
"""What must be the same whether a call runs at once or goes by the mailbox."""

inline = [
    pytest.mark.usefixtures("dispatch"),
    pytest.mark.parametrize("dispatch", ["inline"], indirect=True),
]
"""What only a call that runs at once does."""


class Run(Call[Any], frozen=True):
    """Run ``fn(server)`` in a handler that takes the request alone."""

    fn: Callable[[Any], Any]


class RunWith(Call[Any], frozen=True):
    """Run ``fn(server, reply_to)`` in a handler that takes ``reply_to`` as well."""

    fn: Callable[[Any, ReplyTo[Any]], Any]


class GetInt(Call[int], frozen=True):
    """Run ``fn(server)`` for a reply that cannot be ``None``."""

    fn: Callable[[Any], Any]


class Tell(Cast, frozen=True):
    """Write this down."""

    what: object


class Doer(GenServer):
    """Does what a call says, with ``def`` handlers, and writes down what else it sees."""

    def __init__(self, log: list[Any] | None = None) -> None:
        self.log: list[Any] = [] if log is None else log

    @handles(Run)
    def run(self, request: Run) -> Any:
        return request.fn(self)

    @handles(RunWith)
    def run_with(self, request: RunWith, reply_to: ReplyTo[Any]) -> Any:
        return request.fn(self, reply_to)

    @handles(GetInt)
    def get_int(self, request: GetInt) -> int:
        value: int = request.fn(self)
        return value

    @handles(Tell)
    def tell(self, message: Tell) -> None:
        self.log.append(("cast", message.what))

    def handle_info(self, message: object) -> None:
        self.log.append(("info", message))

    def handle_continue(self, arg: object) -> None:
        self.log.append(("continue", arg))

    def terminate(self, reason: ExitReason) -> None:
        self.log.append(("terminate", type(reason).__name__))


def with_reply_to(fn: Callable[[Any], Any]) -> RunWith:
    """The same for a handler that takes ``reply_to`` and lets go of it."""
    return RunWith(lambda server, _reply_to: fn(server))


FORMS = pytest.mark.parametrize("form", [Run, with_reply_to], ids=["alone", "with reply_to"])
"""Both kinds of handlers."""


async def what_comes_of(ref: Ref, request: Call[Any], timeout: float = 5.0) -> tuple[str, Any]:
    """``("reply", value)`` or the name of the error, and its reason if it has one."""
    try:
        return "reply", await ref.call(request, timeout=timeout)
    except Exception as exc:
        reason = getattr(exc, "reason", None)
        return type(exc).__name__, None if reason is None else type(reason).__name__
