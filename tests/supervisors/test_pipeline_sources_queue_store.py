"""The durable queue as a plain class: each rule by itself, in time that is set by hand."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from supervisors.pipeline.sources.queue_store import QueueStore
from supervisors.pipeline.sources.queue_values import Failure, Lease, Leased, QueueStatistics
from supervisors.pipeline.sources.sqlite_file import UnusableFile
from tests.supervisors.queue_parts import Timed, texts, timed_queue


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[Timed]:
    with timed_queue(tmp_path) as queue:
        yield queue


def put(queue: QueueStore, *names: str, **options: Any) -> int:
    return queue.put_many([(name.encode(), None) for name in names], **options)


def take(queue: QueueStore, count: int = 1, seconds: float = 30.0, **options: Any) -> list[Leased]:
    return queue.lease(count, seconds, **options)


# ---------------------------------------------------------------------- putting and leasing


def test_messages_are_leased_in_the_order_in_which_they_were_put(queue: Timed) -> None:
    assert put(queue, "a", "b") == 2
    queue.wait(1)
    assert queue.put(b"c")
    assert texts(take(queue, 2)) == ["a", "b"]
    assert texts(take(queue, 2)) == ["c"]
    assert take(queue, 2) == []


def test_a_lease_says_what_it_is_for(queue: Timed) -> None:
    queue.put(b"a", key="k")
    queue.wait(5)
    assert take(queue, seconds=30.0) == [Leased(Lease(1, 1), b"a", "k", 1, 1000.0, 1035.0, None)]


def test_nothing_is_leased_for_nobody(queue: Timed) -> None:
    put(queue, "a")
    assert take(queue, 0) == []
    assert queue.statistics().ready == 1


def test_a_delayed_message_waits(queue: Timed) -> None:
    put(queue, "late", delay=10.0)
    put(queue, "soon")
    assert texts(take(queue, 5)) == ["soon"]
    queue.wait(9.9)
    assert take(queue) == []
    queue.wait(0.1)
    assert texts(take(queue)) == ["late"]


def test_many_are_put_all_or_none(queue: Timed) -> None:
    bad: Any = "text"
    one: Any = 1
    with pytest.raises(TypeError, match="data: got a str, allowed are bytes"):
        queue.put_many([(b"a", None), (bad, None)])
    with pytest.raises(TypeError, match="key: got 1, allowed are a string and None"):
        queue.put_many([(b"a", None), (b"b", one)])
    with pytest.raises(UnicodeEncodeError):
        queue.put_many([(b"a", None), (b"b", "\udc80")])
    assert queue.statistics().ready == 0


# ---------------------------------------------------------------------- keys


def test_a_message_with_a_key_is_put_once(queue: Timed) -> None:
    assert queue.put(b"first", key="k")
    assert not queue.put(b"second", key="k")
    assert queue.put_many([(b"third", "k"), (b"a", "l"), (b"b", "l"), (b"c", None)]) == 2
    assert texts(take(queue, 5)) == ["first", "a", "c"]


def test_a_key_is_taken_while_its_message_is_leased_and_a_while_after_it_is_done(
    queue: Timed,
) -> None:
    queue.put(b"a", key="k")
    (leased,) = take(queue)
    assert not queue.put(b"b", key="k")
    queue.acknowledge([leased.lease])
    queue.wait(86_399)
    assert not queue.put(b"b", key="k")
    queue.wait(1)
    assert queue.put(b"b", key="k")
    assert not queue.put(b"c", key="k")


def test_how_long_a_key_is_remembered_can_be_said(tmp_path: Path) -> None:
    with timed_queue(tmp_path, remember_keys=0.0) as queue:
        queue.put(b"a", key="k")
        (leased,) = take(queue)
        queue.acknowledge([leased.lease])
        assert queue.put(b"b", key="k")


def test_the_key_of_a_dead_letter_is_taken_until_it_is_discarded(tmp_path: Path) -> None:
    with timed_queue(tmp_path, remember_keys=5.0) as queue:
        queue.put(b"a", key="k")
        (leased,) = take(queue)
        queue.fail([Failure(leased.lease, "bad", None)])
        queue.wait(1000)
        assert not queue.put(b"b", key="k")
        queue.discard()
        assert not queue.put(b"b", key="k")
        queue.wait(5)
        assert queue.put(b"b", key="k")


def test_keys_whose_time_is_over_are_cleared_away_little_by_little(queue: Timed) -> None:
    queue.put_many([(b"", str(number)) for number in range(250)])
    queue.acknowledge([leased.lease for leased in take(queue, 250)])
    queue.wait(86_400)

    def keys() -> int:
        with queue._file.reading() as db:
            (count,) = db.execute("SELECT count(*) FROM keys").fetchone()
        return int(count)

    left = []
    for _ in range(4):
        put(queue, "x")
        left.append(keys())
    assert left == [150, 50, 0, 0]


# ---------------------------------------------------------------------- answers


def test_what_is_acknowledged_is_gone(queue: Timed) -> None:
    put(queue, "a", "b")
    one, other = take(queue, 2)
    assert queue.acknowledge([one.lease]) == 1
    assert queue.acknowledge([one.lease]) == 0
    queue.wait(30)
    assert texts(take(queue, 2)) == ["b"]
    assert other.lease.delivery == 1


def test_a_lease_that_ends_is_leased_again(queue: Timed) -> None:
    put(queue, "a")
    take(queue, seconds=30)
    queue.wait(29.9)
    assert take(queue) == []
    queue.wait(0.1)
    (again,) = take(queue)
    assert (again.lease, again.attempt, again.last_failure) == (Lease(1, 2), 2, None)


def test_an_answer_for_a_lease_that_somebody_else_has_changes_nothing(queue: Timed) -> None:
    put(queue, "a")
    (old,) = take(queue)
    queue.wait(30)
    (new,) = take(queue)
    assert queue.acknowledge([old.lease]) == 0
    assert queue.fail([Failure(old.lease, "late")]) == 0
    assert queue.give_back([old.lease]) == 0
    assert queue.extend([old.lease], 1000) == []
    assert queue.next_due() == 30.0
    assert queue.acknowledge([new.lease]) == 1


def test_an_answer_after_the_lease_has_ended_counts_if_nobody_else_has_it(queue: Timed) -> None:
    put(queue, "a")
    (leased,) = take(queue)
    queue.wait(1000)
    assert queue.acknowledge([leased.lease]) == 1
    assert queue.statistics() == QueueStatistics(0, 0, 0, 0, 0.0)


def test_what_failed_comes_again_after_its_delay_and_knows_why(queue: Timed) -> None:
    put(queue, "a")
    (first,) = take(queue)
    assert queue.fail([Failure(first.lease, "no network", 10.0)]) == 1
    assert queue.fail([Failure(first.lease, "twice", 0.0)]) == 0
    queue.wait(9.9)
    assert take(queue) == []
    queue.wait(0.1)
    (second,) = take(queue)
    assert (second.attempt, second.last_failure) == (2, "no network")


def test_what_was_given_back_comes_at_once_at_its_old_place_and_it_was_no_attempt(
    queue: Timed,
) -> None:
    put(queue, "a")
    queue.wait(1)
    put(queue, "b")
    (leased,) = take(queue)
    queue.wait(1)
    assert queue.give_back([leased.lease]) == 1
    assert queue.give_back([leased.lease]) == 0
    first, second = take(queue, 2)
    assert (first.data, first.attempt, first.lease) == (b"a", 1, Lease(1, 2))
    assert second.data == b"b"


def test_what_was_given_back_can_be_taken_though_the_clock_was_set_back(queue: Timed) -> None:
    put(queue, "a")
    (leased,) = take(queue)
    queue.wait(-100)
    queue.give_back([leased.lease])
    assert texts(take(queue)) == ["a"]


def test_a_lease_can_be_extended_as_long_as_nobody_else_has_it(queue: Timed) -> None:
    put(queue, "a", "b")
    one, other = take(queue, 2, seconds=30)
    queue.wait(20)
    assert queue.extend([one.lease], 30) == [one.lease]
    queue.wait(10)
    assert texts(take(queue, 2)) == ["b"]
    queue.wait(1000)
    assert queue.extend([other.lease, one.lease], 30) == [one.lease]
    assert texts(take(queue, 2)) == ["b"]


# ---------------------------------------------------------------------- dead letters


def test_what_fails_too_often_is_a_dead_letter_with_its_reason(queue: Timed) -> None:
    queue.put(b"a", key="k")
    for number in (1, 2, 3):
        (leased,) = take(queue, max_attempts=3)
        assert leased.attempt == number
        queue.wait(1)
        queue.fail([Failure(leased.lease, f"no {number}")], max_attempts=3)
    assert take(queue) == []
    (letter,) = queue.dead_letters()
    assert (letter.id, letter.data, letter.key, letter.attempts) == (1, b"a", "k", 3)
    assert (letter.put_at, letter.died_at, letter.reason) == (1000.0, 1003.0, "no 3")


def test_what_can_never_go_well_is_a_dead_letter_at_once(queue: Timed) -> None:
    put(queue, "a")
    (leased,) = take(queue)
    assert queue.fail([Failure(leased.lease, "nonsense", None)]) == 1
    assert [(one.attempts, one.reason) for one in queue.dead_letters()] == [(1, "nonsense")]


def test_what_is_never_answered_is_a_dead_letter_when_its_attempts_are_used_up(
    queue: Timed,
) -> None:
    put(queue, "kills")
    for number in (1, 2):
        assert [one.attempt for one in take(queue, max_attempts=2)] == [number]
        queue.wait(30)
    put(queue, "b", "c")
    assert texts(take(queue, 2, max_attempts=2)) == ["b", "c"]
    (letter,) = queue.dead_letters()
    assert letter.reason == "attempt 2 was never answered: its lease ended"


def test_an_attempt_that_was_never_answered_tells_of_the_failure_before_it(queue: Timed) -> None:
    put(queue, "a")
    (leased,) = take(queue)
    queue.fail([Failure(leased.lease, "refused")])
    take(queue)
    queue.wait(30)
    assert take(queue, max_attempts=2) == []
    (letter,) = queue.dead_letters()
    assert letter.reason == ("attempt 2 was never answered: its lease ended; before that: refused")


def make_dead(queue: Timed, *names: str) -> None:
    put(queue, *names)
    queue.fail([Failure(one.lease, "bad", None) for one in take(queue, len(names))])


def test_dead_letters_are_listed_in_pages(queue: Timed) -> None:
    make_dead(queue, "a", "b", "c")
    page = queue.dead_letters(limit=2)
    assert [one.data for one in page] == [b"a", b"b"]
    assert [one.data for one in queue.dead_letters(after=page[-1].id)] == [b"c"]
    assert queue.dead_letters(limit=0) == []


def test_dead_letters_can_be_put_back_and_have_all_their_attempts_again(queue: Timed) -> None:
    make_dead(queue, "a", "b", "c")
    assert queue.put_back([2, 99]) == 1
    (leased,) = take(queue, 5)
    assert (leased.data, leased.attempt, leased.last_failure) == (b"b", 1, "bad")
    assert leased.lease == Lease(2, 2)
    assert queue.put_back() == 2
    assert queue.put_back() == 0
    assert texts(take(queue, 5)) == ["a", "c"]


def test_dead_letters_can_be_discarded(queue: Timed) -> None:
    make_dead(queue, "a", "b", "c")
    assert queue.discard([2, 99]) == 1
    assert [one.data for one in queue.dead_letters()] == [b"a", b"c"]
    assert queue.discard() == 2
    assert queue.statistics().dead == 0


def test_an_id_is_never_used_again(queue: Timed) -> None:
    make_dead(queue, "a")
    queue.discard()
    put(queue, "b")
    (leased,) = take(queue)
    assert leased.lease.message == 2


# ---------------------------------------------------------------------- numbers


def test_the_numbers_of_a_queue(queue: Timed) -> None:
    assert queue.statistics() == QueueStatistics(0, 0, 0, 0, 0.0)
    make_dead(queue, "a")
    put(queue, "b", "c", "d")
    queue.wait(10)
    put(queue, "e", delay=100.0)
    take(queue, 2, seconds=30)
    assert queue.statistics() == QueueStatistics(ready=1, delayed=1, leased=2, dead=1, oldest=10.0)
    queue.wait(30)
    assert queue.statistics() == QueueStatistics(ready=3, delayed=1, leased=0, dead=1, oldest=40.0)
    queue.wait(-1000)
    assert queue.statistics().oldest == 0.0


def test_when_there_is_something_to_lease(queue: Timed) -> None:
    assert queue.next_due() is None
    put(queue, "a", delay=10.0)
    assert queue.next_due() == 10.0
    put(queue, "b")
    queue.wait(1)
    assert queue.next_due() == 0.0


# ---------------------------------------------------------------------- the file


def test_everything_is_there_when_the_file_is_opened_again(tmp_path: Path) -> None:
    with timed_queue(tmp_path) as queue:
        make_dead(queue, "a")
        queue.put(b"b", key="k")
        (leased,) = take(queue)
        before = queue.statistics()
    with timed_queue(tmp_path) as queue:
        assert queue.path == tmp_path / "queue.sqlite"
        assert queue.statistics() == before == QueueStatistics(0, 0, 1, 1, 0.0)
        assert not queue.put(b"c", key="k")
        assert queue.acknowledge([leased.lease]) == 1


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("no database at all, and longer than a header " * 10)
    with pytest.raises(UnusableFile, match=r"notes\.txt: file is not a database"):
        QueueStore(path)


BAD_OPTIONS: dict[str, tuple[dict[str, Any], str]] = {
    "remember_keys": ({"remember_keys": -1}, "remember_keys: got -1, allowed is 0 or more seconds"),
    "busy_timeout": ({"busy_timeout": "1"}, "busy_timeout: got '1', allowed is a number of sec"),
    "no end": ({"busy_timeout": math.inf}, "busy_timeout: got inf, allowed is a day at most"),
}


@pytest.mark.parametrize("name", BAD_OPTIONS)
def test_a_bad_option_is_refused(tmp_path: Path, name: str) -> None:
    options, text = BAD_OPTIONS[name]
    with pytest.raises((TypeError, ValueError), match=text):
        QueueStore(tmp_path / "q", **options)
    assert not (tmp_path / "q").exists()


def test_a_bad_argument_is_refused(queue: Timed) -> None:
    with pytest.raises(ValueError, match="delay: got -1"):
        queue.put(b"", delay=-1)
    with pytest.raises(ValueError, match="count: got -1"):
        queue.lease(-1, 1.0)
    with pytest.raises(ValueError, match="seconds: got -1"):
        queue.lease(1, -1.0)
    with pytest.raises(ValueError, match="max_attempts: got 0"):
        queue.lease(1, 1.0, max_attempts=0)
    with pytest.raises(ValueError, match="max_attempts: got 0"):
        queue.fail([], max_attempts=0)
    with pytest.raises(ValueError, match="seconds: got nan"):
        queue.extend([], math.nan)
    with pytest.raises(ValueError, match="limit: got -1"):
        queue.dead_letters(limit=-1)
