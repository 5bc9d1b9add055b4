"""How many messages may still leave in this window. Pure: it is told what time it is."""

from __future__ import annotations

from supervisors.pipeline.declaration import RateLimit


class RateWindow:
    """One counter for all producers of a pipeline; fixed windows, not smoothed."""

    def __init__(self, limit: RateLimit) -> None:
        raise NotImplementedError

    @property
    def limit(self) -> RateLimit:
        """What holds, or will from the next window on."""
        raise NotImplementedError

    def take(self, wanted: int, now: float) -> int:
        """How many of ``wanted`` may leave now; they count from now on."""
        raise NotImplementedError

    def opens_at(self, now: float) -> float:
        """When one more may leave: ``now`` if at once."""
        raise NotImplementedError

    def change(self, limit: RateLimit, now: float, *, reset: bool) -> None:
        """Another limit, from the next window on; with ``reset`` a new window begins now."""
        raise NotImplementedError
