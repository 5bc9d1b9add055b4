"""``run`` as a real program that gets real signals: orderly stop, exit status, second signal."""

from __future__ import annotations

import signal

import pytest

from tests.supervisors.service_program import Service

pytestmark = pytest.mark.real_clock

TERM, INT = signal.SIGTERM, signal.SIGINT

THREE = """
children = [Talker.child_spec(name).replace(name=name) for name in ("a", "b", "c")]
run(children, name="shop")
say("after run")
"""

UP = ["a is up", "b is up", "c is up"]
DOWN = ["c is down", "b is down", "a is down"]


def test_sigterm_stops_the_tree_in_reverse_and_run_returns() -> None:
    with Service(THREE) as service:
        service.logs("service started")
        service.signal(TERM)
        assert service.finish() == 0
    assert service.said == [*UP, *DOWN, "after run"]
    assert service.events == ["service started", "service stopping", "service stopped"]


def test_sigint_stops_the_tree_in_reverse_and_is_status_130() -> None:
    with Service(THREE) as service:
        service.logs("service started")
        service.signal(INT)
        assert service.finish() == 130
    assert service.said == [*UP, *DOWN]
    assert service.events == ["service started", "service stopping", "service stopped"]


def test_the_log_names_the_service_its_pid_and_the_signal() -> None:
    with Service(THREE) as service:
        started = service.logs("service started")
        service.signal(TERM)
        stopping = service.logs("service stopping")
        assert service.finish() == 0
    assert (started["service"], started["level"]) == ("shop", "info")
    assert isinstance(started["os_pid"], int)
    assert (stopping["service"], stopping["signal"]) == ("shop", "SIGTERM")


@pytest.mark.parametrize(("first", "second"), [(TERM, TERM), (TERM, INT), (INT, TERM), (INT, INT)])
def test_a_second_signal_kills_at_once(first: int, second: int) -> None:
    """Also while last words are being said; a shell shows 143 and 130."""
    program = """
        run([
            Talker.child_spec("a"),
            SlowEnd.child_spec("b").replace(id="b", shutdown=math.inf),
        ])
    """
    with Service(program) as service:
        service.logs("service started")
        service.signal(first)
        service.hears("b is ending")
        service.signal(second)
        assert service.finish() == -second
    assert service.said == ["a is up", "b is up", "b is ending"]


BLOCKED = """
def sleep(): say("blocked"); time.sleep(1000)
def spin():
    say("blocked")
    while True: pass
say_when_a_signal_would_kill()
run([Talker.child_spec("a"), Does.child_spec("b", {how}).replace(id="b")])
"""


@pytest.mark.parametrize("how", ["sleep", "spin"])
@pytest.mark.parametrize("number", [TERM, INT])
def test_a_second_signal_kills_at_once_also_while_a_handler_blocks_the_loop(
    how: str, number: int
) -> None:
    with Service(BLOCKED.format(how=how)) as service:
        service.hears("blocked")
        service.signal(number)
        service.hears("armed")
        service.signal(number)
        assert service.finish() == -number
    assert service.said == ["a is up", "b is up", "blocked", "armed"]


@pytest.mark.parametrize(("number", "status"), [(TERM, 0), (INT, 130)])
def test_a_signal_during_a_slow_init_stops_what_was_started(number: int, status: int) -> None:
    program = """
        run([
            Talker.child_spec("a"),
            SlowStart.child_spec("b").replace(id="b"),
            Talker.child_spec("c").replace(id="c"),
        ])
    """
    with Service(program) as service:
        service.hears("b is starting")
        service.signal(number)
        assert service.finish() == status
    assert service.said == ["a is up", "b is starting", "a is down"]
    assert "service started" not in service.events


def test_a_signal_during_an_init_that_blocks_takes_effect_when_it_is_done() -> None:
    program = """
        class Blocks(Talker):
            def init(self):
                say("b waits for input")
                sys.stdin.readline()
                super().init()

        say_when_a_signal_would_kill()
        run([
            Talker.child_spec("a"),
            Blocks.child_spec("b").replace(id="b"),
            Talker.child_spec("c").replace(id="c"),
        ])
    """
    with Service(program) as service:
        service.hears("b waits for input")
        service.signal(TERM)
        service.hears("armed")
        service.tell("go on")
        assert service.finish() == 0
    came = [line.removesuffix(" is up") for line in service.said if line.endswith(" is up")]
    went = [line.removesuffix(" is down") for line in service.said if line.endswith(" is down")]
    assert came[:2] == ["a", "b"]
    assert went == came[::-1], "what had come by then, and nothing else, went in reverse"


def test_a_signal_while_a_child_waits_for_its_restart_is_an_orderly_stop() -> None:
    program = """
        async def crash(): raise ValueError("boom")

        run(
            [Talker.child_spec("a"), child_spec(crash)],
            backoff=Backoff(initial=1000.0, maximum=1000.0),
        )
    """
    with Service(program) as service:
        service.logs("supervised child ended")
        service.signal(TERM)
        assert service.finish() == 0
    assert service.said == ["a is up", "a is down"]


def test_signals_that_come_while_the_loop_is_busy_all_day_are_seen() -> None:
    program = """
        async def work():
            say("working")
            while True:
                await trio.lowlevel.checkpoint()

        run([Talker.child_spec("a"), child_spec(work)])
    """
    with Service(program) as service:
        service.hears("working")
        service.signal(TERM)
        assert service.finish() == 0
    assert service.said == ["a is up", "working", "a is down"]


EARLY_OR_LATE = {
    "before Trio is up": "signal_just_before(trio, 'run', signal.SIGTERM)",
    "before the node is open": (
        "signal_just_before(run_module(), 'OpenSupervisor', signal.SIGTERM)"
    ),
    "when the tree has ended": (
        "log_through(at_event('service stopped', lambda: signal.raise_signal(signal.SIGTERM)))"
    ),
}


@pytest.mark.parametrize("stop_timeout", ["math.inf", "30.0"])
@pytest.mark.parametrize("when", EARLY_OR_LATE)
def test_a_signal_at_the_edge_of_the_run_is_an_orderly_stop_too(
    when: str, stop_timeout: str
) -> None:
    program = f"""
        async def done(): pass
        {EARLY_OR_LATE[when]}
        last = child_spec(done).replace(restart="temporary", significant=True)
        run(
            [Talker.child_spec("a"), last],
            auto_shutdown="any_significant", stop_timeout={stop_timeout},
        )
        say("after run")
    """
    with Service(program) as service:
        assert service.finish() == 0
    expected = [] if "before" in when else ["a is up", "a is down"]
    assert service.said == [*expected, "after run"]
    assert not [line for line in service.errors if "Traceback" in line]


def test_a_signal_after_the_tree_gave_up_does_not_hide_that() -> None:
    program = """
        async def bad(): raise ValueError("boom")
        log_through(at_event("service failed", lambda: signal.raise_signal(signal.SIGTERM)))
        run([child_spec(bad)], stop_timeout=30.0)
    """
    with Service(program) as service:
        assert service.finish() == 1
    assert service.events[-1] == "service failed"


@pytest.mark.parametrize(
    ("thrown", "status"), [("KeyboardInterrupt()", -INT), ("SystemExit(7)", 7), ("SystemExit()", 0)]
)
def test_an_end_of_the_program_raised_in_a_handler_has_its_own_status(
    thrown: str, status: int
) -> None:
    program = f"""
        run([
            Talker.child_spec("a"),
            Does.child_spec("b", lambda: throw({thrown})).replace(id="b"),
        ])
    """
    with Service(program) as service:
        assert service.finish() == status
    assert service.said == ["a is up", "b is up", "b is down", "a is down"]


def test_a_child_that_did_not_start_is_status_1() -> None:
    program = """
        run([
            Talker.child_spec("a"),
            child_spec(trio.sleep, -1),
            Does.child_spec("b", lambda: None).replace(id="b", enabled=lambda: 1 / 0),
        ])
    """
    with Service(program) as service:
        assert service.finish() == 1
    assert service.said == ["a is up", "a is down"]
    assert service.events[-1] == "service failed"


def test_a_tree_that_gave_up_is_status_1() -> None:
    program = """
        async def bad(): raise ValueError("boom")
        run([Talker.child_spec("a"), child_spec(bad)], name="shop")
    """
    with Service(program) as service:
        line = service.logs("service failed")
        assert service.finish() == 1
    assert service.said == ["a is up", "a is down"]
    assert (line["service"], line["level"]) == ("shop", "error")
    assert line["cause"] == "ValueError('boom')"
