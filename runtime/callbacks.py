"""What the loop of a server calls; the methods are described at ``GenServer``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, Protocol

from runtime.callback_results import CallHandler
from runtime.exits import ExitReason
from runtime.inspection.views import Plain
from runtime.pending_calls import ReplyTo


class Server(Protocol):
    """A server, as its loop sees it."""

    _has_facts: ClassVar[bool]

    # fmt: off
    inline: ClassVar[bool]
    def _attach(self, loop: Any) -> None: ...
    def _handler_of(self, message: object) -> object: ...
    def _call_handler_of(self, request: object) -> CallHandler | None: ...
    def _plain_cast_of(self, message: object) -> str | None: ...
    def init(self) -> object: ...  # noqa: D102
    def handle_call(self, request: object, reply_to: ReplyTo[object]) -> object: ...  # noqa: D102
    def handle_cast(self, message: object) -> object: ...  # noqa: D102
    def handle_info(self, message: object) -> object: ...  # noqa: D102
    def handle_continue(self, arg: object) -> object: ...  # noqa: D102
    def terminate(self, reason: ExitReason) -> object: ...  # noqa: D102
    def redact(self, what: Literal["message", "state"], value: object) -> object: ...  # noqa: D102
    def facts(self) -> Mapping[str, Plain]: ...  # noqa: D102
    # fmt: on
