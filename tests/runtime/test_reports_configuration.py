"""``configure_logging``: JSON lines, readable lines, or hands off."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr
from typing import Any

import pytest
import structlog

from runtime import configure_logging


class Terminal(io.StringIO):
    """Standard error, with somebody in front of it."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    """structlog as a program finds it."""
    structlog.reset_defaults()
    yield
    structlog.contextvars.clear_contextvars()
    structlog.reset_defaults()


def crash() -> None:
    raise ValueError("boom")


def written(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_lines_are_json_with_level_and_time_when_standard_error_is_no_terminal() -> None:
    with redirect_stderr(io.StringIO()) as stderr:
        configure_logging()
        structlog.get_logger("somebody").warning("low on tea", left=3)
        (line,) = written(stderr)
        assert line.pop("timestamp").endswith("Z")
        assert line == {"event": "low on tea", "level": "warning", "left": 3}


def test_an_exception_that_the_program_logs_is_text_in_its_line() -> None:
    with redirect_stderr(io.StringIO()) as stderr:
        configure_logging()
        try:
            crash()
        except ValueError:
            structlog.get_logger("somebody").exception("that failed")
        (line,) = written(stderr)
        assert line["exception"].startswith("Traceback (most recent call last):")
        assert line["exception"].endswith("ValueError: boom")


def test_what_the_program_bound_to_the_context_is_in_each_line() -> None:
    with redirect_stderr(io.StringIO()) as stderr:
        configure_logging()
        structlog.contextvars.bind_contextvars(release="1.2")
        structlog.get_logger("somebody").info("up")
        assert written(stderr)[0]["release"] == "1.2"


def test_what_json_does_not_know_is_shown_by_its_repr() -> None:
    with redirect_stderr(io.StringIO()) as stderr:
        configure_logging()
        structlog.get_logger("somebody").info("odd", what={1, 2})
        assert written(stderr)[0]["what"] == "{1, 2}"


def test_lines_are_readable_on_a_terminal() -> None:
    with redirect_stderr(Terminal()) as stream:
        configure_logging()
        structlog.get_logger("somebody").warning("low on tea", left=3)
    text = stream.getvalue()
    assert "low on tea" in text
    assert "warning" in text
    assert '"event"' not in text


def test_a_program_that_has_configured_structlog_is_left_alone() -> None:
    with redirect_stderr(io.StringIO()):
        structlog.configure(processors=[structlog.processors.KeyValueRenderer()])
        before = structlog.get_config()
        configure_logging()
        assert structlog.get_config() == before


def test_it_may_be_called_twice() -> None:
    with redirect_stderr(io.StringIO()):
        configure_logging()
        before = structlog.get_config()
        configure_logging()
        assert structlog.get_config() == before


def test_without_a_standard_error_nothing_is_written_and_nothing_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    configure_logging()
    structlog.get_logger("somebody").error("nobody hears this", exc_info=True)
    assert capsys.readouterr().out == ""
