"""What is known about a page once it has been asked for."""

from __future__ import annotations

import msgspec


class Page(msgspec.Struct, frozen=True):
    """The outcome of asking for one address, whatever it was.

    ``status`` is ``None`` if there was no answer; then ``error`` says why. ``error`` beside a
    status is a remark: the page is there, but something about it is noteworthy.
    """

    url: str
    status: int | None
    error: str | None
    seconds: float
    bytes: int
    content_type: str | None
    checked_at: float
    links: tuple[str, ...] = ()


def is_broken(status: int | None) -> bool:
    """Whether a link to a page with this status is a broken link."""
    return status is None or status >= 400
