"""``run(stop_timeout=...)``: how long an orderly shutdown may take, and what ends it."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import trio

from runtime import child_spec
from supervisors import run
from tests.supervisors.service_program import Service
from tests.support import captured_logs

pytestmark = pytest.mark.real_clock

TERM, INT = signal.SIGTERM, signal.SIGINT

TOO_LATE = "stop_timeout is over and a killed process is still alive: leaving at once"


@pytest.fixture
def logs() -> Iterator[list[Any]]:
    with captured_logs() as lines:
        yield lines


SLOW = """
run([
    Talker.child_spec("a"),
    SlowEnd.child_spec("b").replace(id="b", name="slow", shutdown=math.inf),
    Talker.child_spec("c").replace(id="c"),
], name="shop", stop_timeout={stop_timeout})
"""


@pytest.mark.parametrize(("number", "status"), [(TERM, 0), (INT, 130)])
@pytest.mark.parametrize("stop_timeout", ["0.05", "0"])
def test_what_is_left_after_stop_timeout_is_killed_and_named(
    stop_timeout: str, number: int, status: int
) -> None:
    with Service(SLOW.format(stop_timeout=stop_timeout)) as service:
        service.logs("service started")
        service.signal(number)
        line = service.logs("stop_timeout is over, killing what is left")
        assert service.finish() == status
    assert (line["level"], line["service"]) == ("error", "shop")
    assert any("slow" in process for process in line["processes"])
    assert service.events[-1] == "service stopped"
    assert "a is down" not in service.said, "a killed process has no last words"


def test_what_was_ending_when_the_time_was_over_still_gets_its_clean_up() -> None:
    with Service(SLOW.format(stop_timeout="0.05")) as service:
        service.logs("service started")
        service.signal(TERM)
        assert service.finish() == 0
    assert service.said[3:] == ["c is down", "b is ending", "b was killed"]


def test_the_time_counts_for_the_whole_tree_however_deep() -> None:
    program = """
        inner = Supervisor.child_spec([
            SlowEnd.child_spec("b").replace(id="b", shutdown=math.inf),
            Talker.child_spec("c").replace(id="c"),
        ])
        run([Talker.child_spec("a"), inner], stop_timeout=0.05)
    """
    with Service(program) as service:
        service.logs("service started")
        service.signal(TERM)
        assert service.finish() == 0
    assert service.said[3:] == ["c is down", "b is ending", "b was killed"]
    assert "service failed" not in service.events


def test_a_process_that_shields_itself_does_not_keep_the_program_alive() -> None:
    program = """
        run([
            Talker.child_spec("a"),
            Does.child_spec("b", shield_itself).replace(id="b"),
        ], stop_timeout=0.05)
    """
    with Service(program) as service:
        service.hears("shielded")
        service.signal(TERM)
        assert service.finish() == 1
    assert service.errors[-1] == TOO_LATE
    assert "stop_timeout is over, killing what is left" in service.events


def test_a_process_that_waits_for_a_thread_does_not_keep_the_program_alive() -> None:
    program = """
        def sleep(): say("in a thread"); time.sleep(1000)
        run([child_spec(trio.to_thread.run_sync, sleep)], stop_timeout=0.05)
    """
    with Service(program) as service:
        service.hears("in a thread")
        service.signal(INT)
        assert service.finish() == 1
    assert service.errors[-1] == TOO_LATE


@pytest.mark.parametrize("how", ["sleep", "spin"])
def test_a_handler_that_blocks_the_loop_does_not_keep_the_program_alive(how: str) -> None:
    program = f"""
        def sleep(): say("blocked"); time.sleep(1000)
        def spin():
            say("blocked")
            while True: pass
        run([Does.child_spec("a", {how})], stop_timeout=0.05)
    """
    with Service(program) as service:
        service.hears("blocked")
        service.signal(TERM)
        assert service.finish() == 1
    assert service.errors[-1] == TOO_LATE
    assert "service stopping" not in service.events


def test_an_init_that_is_never_done_is_killed_like_anything_else() -> None:
    program = """
        class Stubborn(Talker):
            async def init(self):
                try:
                    say("starting")
                    await trio.sleep_forever()
                finally:
                    with trio.move_on_after(1000, shield=True):
                        say("not yet")
                        await trio.sleep_forever()

        run([Stubborn.child_spec("a").replace(shutdown=math.inf)], stop_timeout=0.05)
    """
    with Service(program) as service:
        service.hears("starting")
        service.signal(TERM)
        assert service.finish() == 1
    assert service.errors[-1] == TOO_LATE


async def stop_the_program() -> None:
    signal.raise_signal(TERM)
    await trio.sleep_forever()


def test_a_stop_that_is_done_in_time_leaves_nothing_behind(logs: list[Any]) -> None:
    before = set(threading.enumerate())
    run([child_spec(stop_the_program)], stop_timeout=1000.0)
    for thread in set(threading.enumerate()) - before:
        if isinstance(thread, threading.Timer):
            thread.join()
            assert not thread.is_alive()
    assert [line["event"] for line in logs if line["event"].startswith("stop_timeout")] == []
    assert logs[-1]["event"] == "service stopped"


def test_without_stop_timeout_there_is_no_timer(logs: list[Any]) -> None:
    timers: list[threading.Thread] = []

    async def look() -> None:
        signal.raise_signal(TERM)
        timers.extend(one for one in threading.enumerate() if isinstance(one, threading.Timer))

    run([child_spec(look).replace(restart="temporary")])
    assert timers == []
    assert logs[-1]["event"] == "service stopped"


def test_a_stop_timeout_of_centuries_is_as_good_as_none(logs: list[Any]) -> None:
    run([child_spec(stop_the_program)], stop_timeout=1e12)
    assert logs[-1]["event"] == "service stopped"
