"""What a call that may run at once needs of a sleeping server: see ``inline_calls``."""

from __future__ import annotations

from typing import ClassVar, Protocol

from runtime.messages import Envelope


class Taker(Protocol):
    """The method that takes a call: see ``callback_results.CallHandler``."""

    @property
    def name(self) -> str:
        """Of the method."""
        ...

    @property
    def wants_reply_to(self) -> bool:
        """Whether it takes ``reply_to`` too."""
        ...

    @property
    def plain(self) -> bool:
        """Whether it is a ``def``."""
        ...

    @property
    def reply_kind(self) -> type | None:
        """A class whose values are plain replies."""
        ...

    def has_replied(self, request: object, result: object) -> bool:
        """Whether what it returned is simply a reply."""
        ...


class Callee(Protocol):
    """A server, as a call that runs at once sees it."""

    inline: ClassVar[bool]  # whether calls may run at once

    def _call_handler_of(self, request: object) -> Taker | None: ...


class Inlet(Protocol):
    """A server that sleeps in its empty mailbox."""

    @property
    def callee(self) -> Callee:
        """The instance."""
        ...

    def handed_over(
        self, call: Envelope, reply_to: object, result: object, crash: BaseException | None
    ) -> None:
        """The handler has run, and returned something else or raised: go on from there."""
        ...
