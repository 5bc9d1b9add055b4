"""What follows when a child ends: pure functions of plain values. OTP: the supervisor's rules."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Literal, TypeAlias, get_args

from runtime import ExitReason, Restart
from runtime.exits import is_clean

Strategy: TypeAlias = Literal["one_for_one", "one_for_all", "rest_for_one"]
"""Which children are restarted together with one that has ended."""
AutoShutdown: TypeAlias = Literal["never", "any_significant", "all_significant"]
"""Whether the end of significant children ends their supervisor."""


def check_strategy(strategy: object) -> None:
    """Refuse an unknown strategy."""
    if strategy not in get_args(Strategy):
        raise ValueError(
            f"strategy: got {strategy!r}, allowed are {', '.join(map(repr, get_args(Strategy)))}"
        )


def check_auto_shutdown(auto_shutdown: object) -> None:
    """Refuse an unknown auto_shutdown."""
    if auto_shutdown not in get_args(AutoShutdown):
        raise ValueError(
            f"auto_shutdown: got {auto_shutdown!r}, "
            f"allowed are {', '.join(map(repr, get_args(AutoShutdown)))}"
        )


def is_restarted(restart: Restart, reason: ExitReason) -> bool:
    """Whether a child of this restart type that ended with ``reason`` is started again."""
    return restart == "permanent" or (restart == "transient" and not is_clean(reason))


def restart_group(
    strategy: Strategy, ids: Sequence[Hashable], ended: Hashable
) -> Sequence[Hashable]:
    """Which children are restarted together when ``ended`` has ended, in start order."""
    if strategy == "one_for_all":
        return ids
    at = list(ids).index(ended)
    return ids[at:] if strategy == "rest_for_one" else ids[at : at + 1]


def shuts_down(auto_shutdown: AutoShutdown, *, significant: bool, others_alive: bool) -> bool:
    """Whether a child's own end ends the supervisor.

    ``others_alive``: whether other significant children have not ended.
    """
    if not significant or auto_shutdown == "never":
        return False
    return auto_shutdown == "any_significant" or not others_alive
