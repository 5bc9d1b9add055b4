"""The last crashes: so many, as text, and at a bounded cost."""

from __future__ import annotations

import gc
import weakref

import pytest

from runtime import Crashed, ExitReason, Killed, Pid, crashes, open_node, start, wait_exit
from runtime.inspection.crash_history import CrashHistory
from tests.support import Do, Scripted


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def raised(text: str = "boom") -> Crashed:
    try:
        raise ValueError(text)
    except ValueError as exc:
        return Crashed(exc)


def record(history: CrashHistory, number: int, reason: ExitReason, last: str | None = None) -> Pid:
    pid = Pid(number, "x")
    history.record(pid, "Counter", None, (), reason, last)
    return pid


def test_the_oldest_go_when_there_are_too_many(clock: Clock) -> None:
    history = CrashHistory(clock, kept=3)
    pids = [record(history, number, Killed()) for number in range(5)]
    assert [one.pid for one in history.views()] == [2, 3, 4]
    assert [one.pid for one in history.views(2)] == [3, 4]
    assert history.views(0) == history.views(-1) == []
    history.followed(pids[0], "nothing: it is forgotten")
    history.followed(pids[3], "restart it")
    assert [one.then for one in history.views()] == [None, "restart it", None]


def test_those_of_one_process(clock: Clock) -> None:
    history = CrashHistory(clock)
    for number in (1, 2, 3):
        record(history, number, Killed())
    assert [one.pid for one in history.views(pid=2)] == [2]
    assert history.views(pid=9) == []


def test_what_followed_the_end_of_nobody_is_left_out(clock: Clock) -> None:
    history = CrashHistory(clock)
    history.followed(None, "restart it")
    history.followed(Pid(5, "x"), "restart it")
    assert history.views() == []


def test_of_many_at_once_most_have_only_the_place(clock: Clock) -> None:
    history = CrashHistory(clock)
    for number in range(22):
        record(history, number, raised())
    texts = [one.traceback for one in history.views(100)]
    assert all(text.startswith("Traceback (most recent") for text in texts[:20])
    line = raised.__code__.co_firstlineno + 2
    short = f"(in short, many crashed at once) {__file__}:{line} raised"
    assert texts[20:] == [short, short]
    clock.now += 0.05
    record(history, 90, raised())
    record(history, 91, raised())
    assert [one.traceback == short for one in history.views(2)] == [False, True]
    clock.now += 1000
    for number in range(100, 122):
        record(history, number, raised())
    assert [one.traceback == short for one in history.views(3)] == [False, True, True]


def test_a_long_traceback_is_cut_in_the_middle(clock: Clock) -> None:
    history = CrashHistory(clock)
    record(history, 1, raised("x" * 20_000))
    (one,) = history.views()
    assert len(one.traceback) < 8_100
    assert one.traceback.startswith("Traceback (most recent")
    assert one.traceback.endswith("xxx")
    assert "characters)" in one.traceback
    assert len(one.reason) < 600


def test_what_cannot_be_shown_or_written_hurts_nobody(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[BaseException] = []
    monkeypatch.setattr("sys.excepthook", lambda kind, exc, trace: told.append(exc))

    class Broken(Exception):
        def __repr__(self) -> str:
            raise ValueError("in repr")

        def __str__(self) -> str:
            raise ValueError("in str")

    history = CrashHistory(clock)
    history.record(Pid(1, "x"), "\udc80", "\udc80", ("\udc80",), Crashed(Broken()), "\udc80")
    (one,) = history.views()
    assert (one.behaviour, one.name, one.ancestors, one.last_message) == (
        "\\udc80",
        "\\udc80",
        ("\\udc80",),
        "\\udc80",
    )
    assert one.reason == "<Broken whose repr raises>"
    assert told == []


class Value:
    """Something that a weak reference can watch."""


async def test_it_keeps_nothing_of_the_dead() -> None:
    watched: list[weakref.ref[Value]] = []

    def crash(one: Scripted) -> None:
        value = Value()
        watched.append(weakref.ref(value))
        one.log.append(value)
        raise ValueError(value)

    async with open_node(instruments=[]):
        server = await start(Scripted.child_spec())
        server.cast(Do(crash))
        await wait_exit(server)
        gc.collect()
        assert [one() for one in watched] == [None]
        assert len(crashes()) == 1
