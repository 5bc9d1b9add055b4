"""What ``run`` does about structlog: JSON lines, or readable ones, or nothing at all."""

from __future__ import annotations

import json
import os
import pty
import signal
from collections.abc import Generator
from contextlib import contextmanager

import pytest

from tests.supervisors.service_program import Service

pytestmark = pytest.mark.real_clock

CRASHES_ONCE = """
async def crash(crashes):
    if crashes: raise ValueError(crashes.pop())
    say("steady")
    await trio.sleep_forever()

run([child_spec(crash, ["boom"])], name="shop")
"""


def test_what_is_logged_is_json_lines_when_nobody_reads_it_on_a_terminal() -> None:
    with Service(CRASHES_ONCE) as service:
        service.hears("steady")
        service.signal(signal.SIGTERM)
        assert service.finish() == 0
    lines = [json.loads(line) for line in service.errors]
    assert {line["event"]: line["level"] for line in lines} == {
        "process crashed": "error",
        "supervised child ended": "warning",
        "service started": "info",
        "service stopping": "info",
        "service stopped": "info",
    }
    assert all(line["timestamp"].endswith("Z") for line in lines)
    crash = next(line for line in lines if line["event"] == "process crashed")
    assert crash["exception"].startswith("Traceback (most recent call last):\n")
    assert crash["exception"].endswith("ValueError: boom")


def test_standard_output_stays_the_programs_own() -> None:
    with Service(CRASHES_ONCE) as service:
        service.hears("steady")
        service.signal(signal.SIGTERM)
        assert service.finish() == 0
    assert service.said == ["steady"]


@contextmanager
def terminal() -> Generator[tuple[int, int]]:
    """What a terminal program reads, and what its child writes to."""
    reader, writer = pty.openpty()
    try:
        yield reader, writer
    finally:
        os.close(reader)


def read_up_to(reader: int, text: str) -> str:
    """Everything that came on the terminal until ``text`` had come."""
    seen = b""
    while text.encode() not in seen:
        seen += os.read(reader, 4096)
    return seen.decode()


def test_what_is_logged_is_readable_on_a_terminal() -> None:
    with terminal() as (reader, writer):
        with Service(CRASHES_ONCE, stderr=writer) as service:
            os.close(writer)
            service.hears("steady")
            service.signal(signal.SIGTERM)
            text = read_up_to(reader, "service stopped")
            assert service.finish() == 0
    assert '"event"' not in text
    assert "\\n" not in text, "the traceback stands in lines of its own"
    for part in ("process crashed", "ValueError: boom", "Traceback", "service started", "shop"):
        assert part in text


def test_the_configuration_of_the_program_is_left_alone() -> None:
    program = """
        structlog.configure(
            processors=[structlog.processors.KeyValueRenderer(key_order=["event"])],
            logger_factory=structlog.PrintLoggerFactory(sys.stdout),
        )
        before = structlog.get_config()
        run([Talker.child_spec("a")], name="shop")
        assert structlog.get_config() == before
    """
    with Service(program) as service:
        service.hears("a is up")
        service.hears("event='service started' service='shop'")
        service.signal(signal.SIGTERM)
        assert service.finish() == 0
    assert service.errors == []


@pytest.mark.parametrize("event", ["service started", "service stopping", "service stopped"])
def test_a_log_call_that_raises_does_not_keep_the_tree_from_its_orderly_stop(event: str) -> None:
    program = f"""
        log_through(at_event({event!r}, lambda: throw(OSError("disk full"))))
        run([
            Talker.child_spec("a"),
            Does.child_spec("b", lambda: signal.raise_signal(signal.SIGTERM)).replace(id="b"),
        ])
    """
    with Service(program) as service:
        assert service.finish() == 0
    assert service.said == ["a is up", "b is up", "b is down", "a is down"]


def test_a_log_call_that_raises_does_not_keep_the_kill_after_stop_timeout_from_happening() -> None:
    program = """
        log_through(at_event(
            "stop_timeout is over, killing what is left", lambda: throw(OSError("disk full"))
        ))
        run([SlowEnd.child_spec("a").replace(shutdown=math.inf)], stop_timeout=0.05)
    """
    with Service(program) as service:
        service.hears("a is up")
        service.logs("service started")
        service.signal(signal.SIGTERM)
        assert service.finish() == 0
    assert service.said == ["a is up", "a is ending", "a was killed"]


def test_a_log_call_that_raises_does_not_change_the_status_of_a_tree_that_gave_up() -> None:
    program = """
        async def bad(): raise ValueError("boom")
        log_through(at_event("service failed", lambda: throw(OSError("disk full"))))
        try:
            run([child_spec(bad)])
        except SystemExit as leaving:
            say(f"status {leaving.code}")
    """
    with Service(program) as service:
        assert service.finish() == 0
    assert service.said == ["status 1"]


def test_a_reader_of_the_log_that_went_away_does_not_stop_the_service() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    program = """
        run([Talker.child_spec("a"), Does.child_spec("b", lambda: None).replace(id="b")])
    """
    with Service(program, stderr=writer) as service:
        os.close(writer)
        service.hears("b is up")
        service.signal(signal.SIGTERM)
        assert service.finish() == 0
    assert service.said == ["a is up", "b is up", "b is down", "a is down"]


def test_a_service_without_a_standard_error_runs() -> None:
    program = """
        os.close(2)
        sys.stderr = None
        run([Talker.child_spec("a"), Does.child_spec(
            "b", lambda: signal.raise_signal(signal.SIGTERM)
        ).replace(id="b")])
    """
    with Service(program) as service:
        assert service.finish() == 0
    assert service.said == ["a is up", "b is up", "b is down", "a is down"]


def test_a_handler_that_blocks_the_loop_is_named_while_it_does() -> None:
    """It waits for a line, which it gets only after the watchdog has told of it."""
    source = """
    def block():
        sys.stdin.readline()
        say("on it goes")

    run([Does.child_spec("shop", block).replace(name="shop")])
    """
    with Service(source) as service:
        line = service.logs("loop stalled")
        service.tell("")
        service.hears("on it goes")
        service.signal(signal.SIGTERM)
        assert service.finish() == 0
    assert (line["name"], line["handler"]) == ("shop", "Does.handle_continue")
    assert line["stack"].splitlines()[1].endswith(" block")
    assert line["seconds"] >= 0.2
