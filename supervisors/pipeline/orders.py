"""What a pipeline tells its producers, past whatever callbacks they have."""

from __future__ import annotations

from runtime.stages.subscription import StageCast


class DrainAsked(StageCast, frozen=True):
    """Make nothing more; end ``Normal`` once all that was made has been delivered.

    A source that has nothing more to give ends in the same way.
    """


class LimitChanged(StageCast, frozen=True):
    """The rate limit is another one: look again when something may leave."""
