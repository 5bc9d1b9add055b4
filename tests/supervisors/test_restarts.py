"""The restart account of one supervisor: counting, delays, and what led to giving up."""

from __future__ import annotations

import pytest
import trio

from runtime import Crashed, ExitReason, Killed, Normal, Shutdown
from supervisors import Backoff, GaveUp, Intensity
from supervisors.children import Child
from supervisors.restarts import Restarts
from tests.supervisors.tree_parts import worker


def row(tag: str = "a") -> Child:
    return Child(worker([], tag))


def detail(reason: Shutdown) -> GaveUp:
    assert isinstance(reason.detail, GaveUp)
    return reason.detail


async def test_restarts_of_all_children_are_one_account() -> None:
    account = Restarts(Intensity(2, 5.0), None)
    a, b = row("a"), row("b")
    assert account.recent == 0
    assert account.record(a, "boom")
    assert account.record(b, "boom")
    assert not account.record(a, "boom")
    assert account.recent == 3
    assert (a.restarts, b.restarts) == (2, 1)


async def test_old_ones_are_forgotten() -> None:
    account = Restarts(Intensity(1, 5.0), None)
    for _ in range(5):
        assert account.record(row(), "boom")
        assert account.recent == 1
        await trio.sleep(5.01)


async def test_without_a_backoff_there_is_no_delay() -> None:
    account = Restarts(Intensity(), None)
    child = row()
    account.record(child, "boom")
    assert account.delay(child) == 0.0


async def test_the_delay_grows_with_each_restart_of_the_child() -> None:
    account = Restarts(Intensity(10, 5.0), Backoff(1.0, 3.0, 2.0, jitter=0.0))
    child, other = row(), row()
    delays = list[float]()
    for _ in range(4):
        account.record(child, "boom")
        delays.append(account.delay(child))
    account.record(other, "boom")
    assert (delays, account.delay(other)) == ([1, 2, 3, 3], 1)


@pytest.mark.parametrize(("up", "delay"), [(4, 8), (5, 8), (6, 1)])
async def test_a_child_that_stayed_up_for_longer_than_the_window_begins_anew(
    up: float, delay: float
) -> None:
    account = Restarts(Intensity(10, 5.0), Backoff(1.0, 100.0, 2.0, jitter=0.0))
    child = row()
    for _ in range(3):
        account.record(child, "boom")
    child.up_since = trio.current_time()
    await trio.sleep(up)
    account.record(child, "boom")
    assert account.delay(child) == delay


async def test_it_must_also_stay_up_for_longer_than_it_was_waited_for() -> None:
    """Or a child that fails now and then would never get to the maximum."""
    account = Restarts(Intensity(10, 5.0), Backoff(60.0, 60.0, 1.0, jitter=0.0))
    child = row()
    account.record(child, "boom")
    child.up_since = trio.current_time()
    await trio.sleep(30)
    account.record(child, "boom")
    assert child.streak == 2


async def test_what_was_down_all_the_time_was_not_stable() -> None:
    account = Restarts(Intensity(10, 5.0), Backoff(1.0, 100.0, 2.0, jitter=0.0))
    child = row()
    for expected in (1, 2, 4):
        await trio.sleep(20)
        account.record(child, "boom")
        assert account.delay(child) == expected


async def test_the_jitter_is_drawn_anew_each_time_and_stays_in_its_bounds() -> None:
    account = Restarts(Intensity(10, 5.0), Backoff(10.0, 30.0, 2.0, jitter=0.5))
    child = row()
    account.record(child, "boom")
    delays = {account.delay(child) for _ in range(50)}
    assert len(delays) > 1
    assert all(5.0 <= delay <= 10.0 for delay in delays)


@pytest.mark.parametrize(
    ("reason", "text"),
    [
        (Crashed(ValueError("no")), "crashed: ValueError('no')"),
        (Killed(), "Killed()"),
        (
            Normal(),
            "ended normally; a permanent child is restarted whatever it ends with",
        ),
        (Shutdown("x"), "Shutdown(detail='x')"),
        ("boom", "'boom'"),
        (Shutdown(GaveUp(("deep",), None)), "gave up restarting"),
        ("x" * 500, "'" + "x" * 199 + "... (502 characters)"),
    ],
)
async def test_the_history_says_when_who_and_why(reason: ExitReason, text: str) -> None:
    account = Restarts(Intensity(), None)
    account.record(row(), reason)
    assert detail(account.gave_up("last")).history[0] == f"+0.000 s  child 'a': {text}"


async def test_the_last_crash_is_the_exception() -> None:
    error = ValueError("no")
    account = Restarts(Intensity(), None)
    account.record(row(), Crashed(KeyError("earlier")))
    account.record(row(), Crashed(error))
    assert detail(account.gave_up(Crashed(error))).exception is error


async def test_without_a_last_crash_there_is_no_exception() -> None:
    account = Restarts(Intensity(), None)
    account.record(row(), Crashed(KeyError("earlier")))
    account.record(row(), Killed())
    assert detail(account.gave_up(Killed())).exception is None


async def test_what_a_supervisor_below_had_to_tell_comes_indented() -> None:
    error = ValueError("deep")
    below = Shutdown(GaveUp(("+0.000 s  one", "  +0.000 s  two"), error))
    account = Restarts(Intensity(), None)
    account.record(row("inner"), below)
    told = detail(account.gave_up(below))
    assert told.exception is error
    assert told.history == (
        "+0.000 s  child 'inner': gave up restarting",
        "  +0.000 s  one",
        "    +0.000 s  two",
    )


async def test_only_the_last_twenty_are_kept_and_the_others_counted() -> None:
    account = Restarts(Intensity(1000, 5.0), None)
    for number in range(50):
        account.record(row(), number)
        await trio.sleep(1)
    told = detail(account.gave_up(49))
    assert len(told.history) == 21
    assert told.history[:2] == ("(30 earlier ones are left out)", "-19.000 s  child 'a': 30")
    assert told.history[-1] == "+0.000 s  child 'a': 49"


async def test_none_is_left_out_of_twenty() -> None:
    account = Restarts(Intensity(1000, 5.0), None)
    for number in range(20):
        account.record(row(), number)
    told = detail(account.gave_up(19))
    assert told.history == tuple(f"+0.000 s  child 'a': {number}" for number in range(20))


class Rude:
    """Its repr raises."""

    def __repr__(self) -> str:
        raise RuntimeError("rude")


async def test_a_reason_whose_repr_raises_does_no_harm(
    capsys: pytest.CaptureFixture[str],
) -> None:
    account = Restarts(Intensity(), None)
    account.record(row(), Rude())
    assert "<Rude whose repr raises>" in detail(account.gave_up("last")).history[0]
    assert "RuntimeError: rude" in capsys.readouterr().err


HALVES: dict[str, tuple[int, list[float], list[int]]] = {
    "the third of four": (4, [0, 0, 0, 0], [0, 0, 1, 0]),
    "the first of one": (1, [0], [1]),
    "those that are forgotten do not count": (4, [0, 0, 6, 0, 0], [0, 0, 0, 0, 1]),
    "again once it was no more than half": (4, [0, 0, 0, 6, 0, 0], [0, 0, 1, 0, 0, 1]),
    "it hovers": (3, [0, 3, 3, 3, 3], [0, 1, 0, 0, 0]),
    "of one, each time that it was quiet": (1, [0, 6, 6], [1, 1, 1]),
}  # fmt: skip


@pytest.mark.parametrize("case", HALVES)
async def test_the_restart_that_passes_half_of_what_may_be(case: str) -> None:
    """With so many seconds before each."""
    max_restarts, waits, expected = HALVES[case]
    account, child = Restarts(Intensity(max_restarts, 5.0), None), row()
    found: list[bool] = []
    for seconds in waits:
        await trio.sleep(seconds)
        account.record(child, "boom")
        found.append(account.passed_half)
    assert found == [bool(one) for one in expected]
