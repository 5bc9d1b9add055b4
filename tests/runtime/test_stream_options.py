"""The options of streams: what is allowed, and what is assumed."""

from __future__ import annotations

import math
import os
from typing import Any

import pytest
import trio

from runtime.stream import async_stream
from runtime.stream_options import StreamKeywords, StreamOptions, default_concurrency


def test_the_defaults() -> None:
    """STRM-003, and OTP's own: ordered, 5 seconds, exit, no input."""
    options = StreamOptions(linked=True)
    assert options.max_concurrency == default_concurrency()
    assert (options.ordered, options.timeout, options.on_timeout) == (True, 5.0, "exit")
    assert options.zip_input_on_exit is False
    assert options.linked is True


def test_none_means_the_default_concurrency() -> None:
    assert StreamOptions(linked=False, max_concurrency=None).max_concurrency >= 1


def test_the_default_concurrency_is_the_number_of_cores_this_program_may_use(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """STRM-003."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: {0, 3, 5}, raising=False)
    assert default_concurrency() == 3
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 7)
    assert default_concurrency() == 7
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert default_concurrency() == 1


def test_the_keywords_are_the_options() -> None:
    given: StreamKeywords = {
        "max_concurrency": 3,
        "ordered": False,
        "timeout": math.inf,
        "on_timeout": "kill_task",
        "zip_input_on_exit": True,
    }
    options = StreamOptions(linked=False, **given)
    assert {key: getattr(options, key) for key in StreamKeywords.__annotations__} == given


@pytest.mark.parametrize("timeout", [0, 0.5, 7, math.inf])
def test_every_time_from_zero_on_is_allowed(timeout: float) -> None:
    """STRM-023."""
    assert StreamOptions(linked=False, timeout=timeout).timeout == timeout


WRONG: list[tuple[str, object, type[Exception], str]] = [
    ("max_concurrency", 0, ValueError, "got 0, allowed are an int of 1 or more and None"),
    ("max_concurrency", -3, ValueError, "got -3, allowed are an int of 1 or more and None"),
    ("max_concurrency", True, TypeError, "got True, allowed are an int of 1 or more and None"),
    ("max_concurrency", 2.0, TypeError, "got 2.0, allowed are an int of 1 or more and None"),
    ("max_concurrency", math.inf, TypeError, "got inf, allowed are an int of 1 or more and None"),
    ("ordered", 1, TypeError, "got 1, allowed are True and False"),
    ("ordered", None, TypeError, "got None, allowed are True and False"),
    ("zip_input_on_exit", "yes", TypeError, "got 'yes', allowed are True and False"),
    ("timeout", -1, ValueError, "got -1, allowed is 0 or more seconds"),
    ("timeout", math.nan, ValueError, "got nan, allowed is 0 or more seconds"),
    ("timeout", None, TypeError, "got None, allowed is a number of seconds or math.inf"),
    ("timeout", True, TypeError, "got True, allowed is a number of seconds or math.inf"),
    ("timeout", "infinity", TypeError, "got 'infinity', allowed is a number of seconds"),
    ("on_timeout", "kill", ValueError, "got 'kill', allowed are 'exit', 'kill_task'"),
    ("on_timeout", None, ValueError, "got None, allowed are 'exit', 'kill_task'"),
]


@pytest.mark.parametrize(("field", "value", "kind", "text"), WRONG)
def test_a_wrong_value_is_refused(
    field: str, value: object, kind: type[Exception], text: str
) -> None:
    """STRM-024."""
    given: dict[str, Any] = {field: value}
    with pytest.raises(kind, match=f"^{field}: {text}"):
        StreamOptions(linked=True, **given)


def test_an_unknown_option_is_refused_with_those_there_are() -> None:
    with pytest.raises(TypeError, match=r"^async_stream: got 'max_concurency', allowed are max_c"):
        async_stream([1], trio.sleep, max_concurency=2)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
