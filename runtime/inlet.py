"""What a call that may run at once needs of a sleeping server: see ``inline_calls``."""

from __future__ import annotations

from typing import Protocol

from runtime.messages import Envelope


class Inlet(Protocol):
    """A server that sleeps in its empty mailbox."""

    @property
    def server(self) -> object:
        """The instance."""
        ...

    def plain_handler(self, request: object) -> tuple[str, bool] | None:
        """The name of the ``def`` that takes this request, and whether it takes ``reply_to``."""
        ...

    def handed_over(
        self, call: Envelope, reply_to: object, result: object, crash: BaseException | None
    ) -> None:
        """The handler has run, and returned something else or raised: go on from there."""
        ...
