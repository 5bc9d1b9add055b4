"""The options of a stream, and what is allowed."""

from __future__ import annotations

import os
from typing import TypedDict

from runtime.outcomes import check_seconds
from runtime.task import DEFAULT_TIMEOUT
from runtime.task_outcomes import OnTimeout, check_on_timeout


def default_concurrency() -> int:
    """The number of processor cores this program may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class StreamKeywords(TypedDict, total=False):
    """The options of ``async_stream``, which says what they mean."""

    max_concurrency: int | None
    ordered: bool
    timeout: float
    on_timeout: OnTimeout
    zip_input_on_exit: bool


class StreamOptions:
    """The options of a stream, checked, with their defaults."""

    def __init__(
        self,
        *,
        linked: bool,
        max_concurrency: int | None = None,
        ordered: bool = True,
        timeout: float = DEFAULT_TIMEOUT,
        on_timeout: OnTimeout = "exit",
        zip_input_on_exit: bool = False,
    ) -> None:
        self.max_concurrency = _check_concurrency(max_concurrency)
        for field, value in (("ordered", ordered), ("zip_input_on_exit", zip_input_on_exit)):
            if not isinstance(value, bool):
                raise TypeError(f"{field}: got {value!r}, allowed are True and False")
        check_seconds("timeout", timeout)
        check_on_timeout(on_timeout)
        self.ordered = ordered
        self.timeout = timeout
        self.on_timeout = on_timeout
        self.zip_input_on_exit = zip_input_on_exit
        self.linked = linked


def stream_options(*, linked: bool, given: StreamKeywords) -> StreamOptions:
    """The options that were given; a ``TypeError`` says which there are."""
    for name in given:
        if name not in StreamKeywords.__annotations__:
            allowed = ", ".join(StreamKeywords.__annotations__)
            raise TypeError(f"async_stream: got {name!r}, allowed are {allowed}")
    return StreamOptions(linked=linked, **given)


def _check_concurrency(value: int | None) -> int:
    if value is None:
        return default_concurrency()
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"max_concurrency: got {value!r}, allowed are an int of 1 or more and None")
    if value < 1:
        raise ValueError(f"max_concurrency: got {value}, allowed are an int of 1 or more and None")
    return value
