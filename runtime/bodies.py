"""What a process does: the part of it that is not the same for all.

Generic in the process class, so that this file stays below ``process``.
"""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, Literal, Protocol, TypeAlias, TypeVar

from runtime.exits import ExitReason
from runtime.inspection.views import Plain

P_contra = TypeVar("P_contra", contravariant=True)

TrapMode: TypeAlias = Literal["no", "all", "not parent"]


class BodyOf(Protocol[P_contra]):
    """What a process does. ``live`` returns the exit reason; a raise is turned into one."""

    @property
    def is_server(self) -> bool:
        """Whether it answers what every server does."""
        ...

    @property
    def trap(self) -> TrapMode:
        """Which exit signals it traps from before its first step."""
        ...

    @property
    def begun(self) -> bool:
        """Whether ``begin`` has done something; then ``live`` is run in any case."""
        ...

    @property
    def behaviour(self) -> str:
        """What it is called: the class of a server, the name of a function."""
        ...

    def begin(self, process: P_contra) -> None:
        """What can be done of ``live`` in the starter's step: see ``inline_starts``."""
        ...

    def live(self, process: P_contra) -> Coroutine[Any, Any, ExitReason]:
        """Run, from the first step of the process to its last."""
        ...

    def describe(self, message: object) -> str:
        """The message as reports may show it."""
        ...

    def describe_state(self) -> str | None:
        """The state as reports may show it; ``None`` shows nothing."""
        ...

    def facts(self) -> dict[str, Plain]:
        """What it says of itself, for whoever looks."""
        ...

    def release(self) -> None:
        """The process has ended: let go of everything, so that no reference cycle is left."""
        ...
