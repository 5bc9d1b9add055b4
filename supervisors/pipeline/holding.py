"""What there is of a message only once: who holds it, and whether it is settled.

A message is copied whenever something about it changes; all its copies share one ``Holding``, which
is what they are told apart by. It belongs to ``custody``, which alone changes it.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from runtime import Pid

Outcome: TypeAlias = Literal["successful", "failed", "given back"]
"""How a message has ended: acknowledged as one or the other, or left to its source."""


class Holding:
    """One message on its way; equal only to itself.

    - ``holder``: the stage that has it now; ``None`` before it was emitted in a pipeline.
    - ``outcome``: ``None`` while it is under way.
    - ``original``: the message as it left its source, for giving it back; while it is under way.

    A message that goes to several groups is sent to each as a message of its own, whose holding
    has that of the message itself as ``whole``, which keeps count: ``undelivered`` to so many
    groups, ``unfinished`` in so many, the ``worst`` outcome so far and the ``failure`` behind it.
    """

    __slots__ = (
        "failure", "holder", "original", "outcome", "undelivered", "unfinished", "whole", "worst",
    )  # fmt: skip

    def __init__(self, whole: Holding | None = None) -> None:
        self.holder: Pid | None = None
        self.outcome: Outcome | None = None
        self.original: object = None
        self.whole = whole
        self.undelivered = self.unfinished = 0
        self.worst: Outcome = "successful"
        self.failure: object = None
