"""Messages that a test pushes into a running pipeline, and how it hears of their end.

PIPE2's. Elixir: ``Broadway.test_message``, ``test_batch``. They pass the rate limit, the transformer
and the demand by: they are put into a producer chosen at random (of ``line.producer_pids()``),
``custody.admit`` included.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from supervisors.pipeline.line import Line


class Trial:
    """Messages under way for a test: PIPE2 settles how it is read (``await trial.acks(n)`` ...)."""


def push(
    line: Line, data: Iterable[Any], *, flush: bool, metadata: Mapping[str, Any] | None = None
) -> Trial:
    """Push one message per item; ``flush`` as for ``Message.flush``."""
    raise NotImplementedError
