"""``run`` without signals: how it is called, how the tree ends by itself, what it leaves."""

from __future__ import annotations

import gc
import math
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
import structlog
import trio

from runtime import (
    Event,
    ExitReason,
    GenServer,
    Instrument,
    ProcessStarted,
    WatchdogLimits,
    child_spec,
    kill,
    named,
)
from runtime.process import table_var
from supervisors import SupervisorRef, run
from supervisors.interpreter import SWITCH_INTERVAL
from tests.support import captured_logs

pytestmark = pytest.mark.real_clock


class Talker(GenServer):
    """Writes down when it comes and goes."""

    def __init__(self, log: list[str], name: str) -> None:
        self.log = log
        self.name = name

    def init(self) -> None:
        self.log.append(f"{self.name} up")

    def terminate(self, reason: ExitReason) -> None:
        self.log.append(f"{self.name} down")


class Boom(Exception):
    """A crash."""


async def fail_with(exc: BaseException) -> None:
    raise exc


async def finish() -> None:
    """A task that is done at once."""


async def kill_the_service() -> None:
    """Once it is up: it answers nothing before."""
    await SupervisorRef(named("shop")).which_children()
    kill(named("shop"))


@pytest.fixture(autouse=True)
def logs() -> Iterator[list[Any]]:
    with captured_logs() as lines:
        yield lines


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def pair(said: list[str]) -> list[Any]:
    """Two children that the tree must stop in reverse."""
    return [
        Talker.child_spec(said, "first"),
        Talker.child_spec(said, "second").replace(id="second"),
    ]


IN_ORDER = ["first up", "second up", "second down", "first down"]


def one_line(logs: list[Any], event: str) -> dict[str, Any]:
    (line,) = [line for line in logs if line["event"] == event]
    return dict(line)


def test_it_returns_when_the_tree_shuts_itself_down(
    pair: list[Any], said: list[str], logs: list[Any]
) -> None:
    done = child_spec(finish).replace(restart="transient", significant=True)
    run([*pair, done], name="shop", auto_shutdown="any_significant")
    assert said == IN_ORDER
    assert one_line(logs, "service started")["service"] == "shop"
    assert one_line(logs, "service stopped")["service"] == "shop"


def test_a_tree_that_gives_up_is_status_1_and_the_log_says_why(
    pair: list[Any], said: list[str], logs: list[Any]
) -> None:
    with pytest.raises(SystemExit) as leaving:
        run([*pair, child_spec(fail_with, Boom("again"))], name="shop", max_restarts=2)
    assert leaving.value.code == 1
    assert said == IN_ORDER
    line = one_line(logs, "service failed")
    assert (line["log_level"], line["service"]) == ("error", "shop")
    assert line["error"].startswith("shop ran out of restarts:")
    assert line["error"].count("child 'fail_with': crashed: Boom('again')") == 3
    assert line["cause"] == "Boom('again')"


def test_a_child_that_does_not_start_is_status_1_and_those_before_it_are_stopped(
    said: list[str], logs: list[Any]
) -> None:
    class Broken(GenServer):
        def init(self) -> None:
            raise Boom("no disk")

    children: list[Any] = [
        Talker.child_spec(said, "first"),
        Talker.child_spec(said, "second").replace(id="second"),
        Broken,
        Talker.child_spec(said, "third").replace(id="third"),
    ]
    with pytest.raises(SystemExit) as leaving:
        run(children, name="shop")
    assert leaving.value.code == 1
    assert said == IN_ORDER
    line = one_line(logs, "service failed")
    assert "Broken" in line["error"]
    assert line["cause"] == "Boom('no disk')"
    assert not [line for line in logs if line["event"] == "service started"]


def test_a_root_that_is_killed_is_status_1(logs: list[Any]) -> None:
    with pytest.raises(SystemExit) as leaving:
        run([child_spec(kill_the_service)], name="shop")
    assert leaving.value.code == 1
    assert one_line(logs, "service failed")["error"] == "shop ended: Killed()"


@pytest.mark.parametrize("exc", [KeyboardInterrupt("ctrl-C"), SystemExit(7)], ids=repr)
def test_an_end_of_the_program_raised_in_a_process_stops_the_tree_and_leaves_as_itself(
    pair: list[Any], said: list[str], exc: BaseException
) -> None:
    with pytest.raises(type(exc)) as leaving:
        run([*pair, child_spec(fail_with, exc)])
    assert leaving.value is exc
    assert said == IN_ORDER


def test_it_is_refused_outside_the_main_thread() -> None:
    caught: list[BaseException] = []

    def elsewhere() -> None:
        try:
            run([child_spec(finish)])
        except RuntimeError as exc:
            caught.append(exc)

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert "outside the main thread" in str(caught[0])


async def test_it_is_refused_inside_trio() -> None:
    before = [signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGINT)]
    with pytest.raises(RuntimeError, match=r"run\(\) from inside"):
        run([child_spec(finish)])
    assert [signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGINT)] == before


def shut_down() -> None:
    done = child_spec(finish).replace(restart="transient", significant=True)
    run([done], auto_shutdown="any_significant")


def give_up() -> None:
    run([child_spec(fail_with, Boom())], max_restarts=0)


def interrupted() -> None:
    run([child_spec(fail_with, KeyboardInterrupt())])


@pytest.mark.parametrize("program", [shut_down, give_up, interrupted])
def test_the_signal_handlers_of_before_are_there_again(program: Callable[[], None]) -> None:
    def mine(number: int, frame: object) -> None:
        """Somebody's handler."""

    before = {one: signal.signal(one, mine) for one in (signal.SIGTERM, signal.SIGINT)}
    try:
        try:
            program()
        except (SystemExit, KeyboardInterrupt):
            pass
        assert signal.getsignal(signal.SIGTERM) is mine
        assert signal.getsignal(signal.SIGINT) is mine
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def test_a_handler_of_the_services_own_can_be_taken_from_inside_the_tree() -> None:
    taken: list[int] = []

    async def on_hangup(*, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        with trio.open_signal_receiver(signal.SIGHUP) as signals:
            task_status.started()
            signal.raise_signal(signal.SIGHUP)
            async for number in signals:
                taken.append(number)
                return

    receiver = child_spec(on_hangup).replace(restart="transient", significant=True)
    run([receiver], auto_shutdown="any_significant")
    assert taken == [signal.SIGHUP]


def test_the_name_is_the_roots_and_instruments_are_the_nodes() -> None:
    started: list[str | None] = []
    instrument = Instrument(
        lambda event: started.append(event.name) if isinstance(event, ProcessStarted) else None,
        (ProcessStarted,),
    )
    done = child_spec(finish).replace(restart="transient", significant=True, name="task")
    run([done], name="shop", auto_shutdown="any_significant", instruments=[instrument])
    assert list(filter(None, started)) == ["otp", "otp.watchdog", "task", "shop"]


def test_the_watchdog_can_be_left_out_and_given_limits() -> None:
    started: list[str | None] = []
    found: list[float] = []

    async def look() -> None:
        found.append(table_var.get().pulse.late())

    def note(event: Event) -> None:
        assert isinstance(event, ProcessStarted)
        started.append(event.name)

    done = child_spec(look).replace(restart="transient", significant=True)
    for watchdog in (False, WatchdogLimits(stall=math.inf)):
        run(
            [done],
            auto_shutdown="any_significant",
            instruments=[Instrument(note, (ProcessStarted,))],
            watchdog=watchdog,
        )
    assert started == [None, None, "otp", "otp.watchdog", None, None]
    assert found == [0.0, 0.0]


def test_what_is_no_watchdog_is_refused() -> None:
    with pytest.raises(TypeError) as refused:
        run([child_spec(finish)], watchdog=0.2)  # type: ignore[arg-type]
    assert str(refused.value) == (
        "watchdog: got 0.2, allowed are True, False and WatchdogLimits(...)"
    )


def test_the_options_of_the_tree_are_those_of_a_supervisor(said: list[str]) -> None:
    async def once(crashes: list[Boom]) -> None:
        if crashes:
            raise crashes.pop()
        raise SystemExit(0)

    children = [Talker.child_spec(said, "first"), child_spec(once, [Boom()])]
    with pytest.raises(SystemExit):
        run(children, strategy="one_for_all", max_restarts=1, max_seconds=60.0)
    assert said == ["first up", "first down", "first up", "first down"]


WRONG: dict[str, tuple[Callable[[], None], type[Exception], str]] = {
    "stop_timeout is negative": (partial(run, [], stop_timeout=-1), ValueError, "stop_timeout"),
    "stop_timeout is no number": (
        partial(run, [], stop_timeout=math.nan),
        ValueError,
        "stop_timeout",
    ),
    "stop_timeout is a string": (
        partial(run, [], stop_timeout="5"),  # type: ignore[arg-type]
        TypeError,
        "stop_timeout",
    ),
    "console is a string": (
        partial(run, [], console="yes"),  # type: ignore[arg-type]
        TypeError,
        "console",
    ),
    "strategy is unknown": (
        partial(run, [], strategy="one_for_none"),  # type: ignore[arg-type]
        ValueError,
        "strategy",
    ),
    "auto_shutdown is unknown": (
        partial(run, [], auto_shutdown="always"),  # type: ignore[arg-type]
        ValueError,
        "auto_shutdown",
    ),
    "max_restarts is negative": (partial(run, [], max_restarts=-1), ValueError, "max_restarts"),
    "max_seconds is negative": (partial(run, [], max_seconds=-1), ValueError, "max_seconds"),
    "backoff is a number": (
        partial(run, [], backoff=2.0),  # type: ignore[arg-type]
        TypeError,
        "backoff",
    ),
    "children are none": (partial(run, 5), TypeError, "children"),  # type: ignore[arg-type]
    "children are one spec": (
        partial(run, child_spec(finish)),  # type: ignore[arg-type]
        TypeError,
        "children",
    ),
    "a child is nothing to start": (
        partial(run, [5]),  # type: ignore[list-item]
        TypeError,
        "children",
    ),
    "name is empty": (partial(run, [], name=""), TypeError, "name"),
    "name is a number": (partial(run, [], name=5), TypeError, "name"),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_is_refused_before_anything_is_touched(what: str) -> None:
    call, error, field = WRONG[what]
    structlog.reset_defaults()
    before = [signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGINT)]
    with pytest.raises(error, match=field):
        call()
    assert [signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGINT)] == before
    assert not structlog.is_configured()


def test_a_child_whose_condition_raises_does_not_start(said: list[str], logs: list[Any]) -> None:
    spec = Talker.child_spec(said, "first")
    with pytest.raises(SystemExit) as leaving:
        run([spec, spec.replace(id="second", enabled=lambda: bool(1 / 0))])
    assert leaving.value.code == 1
    assert said == ["first up", "first down"]
    assert one_line(logs, "service failed")["cause"].startswith("ZeroDivisionError")


def test_it_can_run_twice_in_one_program(pair: list[Any], said: list[str]) -> None:
    for _ in range(2):
        done = child_spec(finish).replace(restart="transient", significant=True)
        run([*pair, done], name="shop", auto_shutdown="any_significant")
    assert said == IN_ORDER * 2


def test_threads_switch_soon_and_what_has_started_is_frozen_while_it_runs() -> None:
    seen: list[tuple[float, bool]] = []

    async def look() -> None:
        await trio.sleep(0.01)  # until the whole tree has started
        seen.append((sys.getswitchinterval(), gc.get_freeze_count() > 0))

    before = sys.getswitchinterval()
    looker = child_spec(look).replace(restart="transient", significant=True)
    run([looker], auto_shutdown="any_significant")
    ((interval, is_frozen),) = seen
    assert interval == pytest.approx(SWITCH_INTERVAL)
    assert is_frozen
    assert (sys.getswitchinterval(), gc.get_freeze_count()) == (before, 0)
