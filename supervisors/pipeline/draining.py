"""What a producer of a pipeline is told when that is to be drained."""

from __future__ import annotations

from runtime.stages.subscription import StageCast


class DrainAsked(StageCast, frozen=True):
    """Make nothing more; end ``Normal`` once all that was made has been delivered.

    A source ends on its own in the same way.
    """
