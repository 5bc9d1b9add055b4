from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from examples.sitecheck.worklist import MAX_ATTEMPTS, WorkList


def take(work: WorkList[str], holder: str) -> str | None:
    """What ``holder`` is given."""
    url = work.next
    if url is not None:
        work.take(holder)
    return url


def test_an_address_is_given_out_once_however_often_it_is_added() -> None:
    work: WorkList[str] = WorkList()
    for url in ("a", "b", "a"):
        work.add(url)
    assert [take(work, "x"), take(work, "y")] == ["a", "b"]
    assert work.next is None
    assert not work.is_finished


def test_a_skipped_address_is_never_given_out() -> None:
    work: WorkList[str] = WorkList()
    work.skip("a")
    work.add("a")
    assert work.is_finished
    assert "a" in work


def test_what_a_lost_holder_had_is_given_to_the_next() -> None:
    work: WorkList[str] = WorkList()
    work.add("a")
    work.add("b")
    take(work, "x")
    work.give_back("x")
    assert take(work, "y") == "a"
    work.give_back("nobody")
    assert take(work, "z") == "b"


def test_an_address_that_every_holder_dies_of_is_given_up() -> None:
    work: WorkList[str] = WorkList()
    work.add("a")
    for _ in range(MAX_ATTEMPTS - 1):
        assert take(work, "x") == "a"
        assert work.count_death("x") is None
        work.give_back("x")
    assert take(work, "x") == "a"
    assert work.count_death("x") == "a"
    work.finish("x")
    assert work.is_finished
    assert work.done == 1


def test_a_holder_that_is_lost_by_no_fault_of_its_address_does_not_count() -> None:
    work: WorkList[str] = WorkList()
    work.add("a")
    for _ in range(MAX_ATTEMPTS * 2):
        assert take(work, "x") == "a"
        work.give_back("x")
    take(work, "x")
    assert work.count_death("x") is None
    assert work.count_death("nobody") is None


def test_to_finish_what_one_does_not_have_does_not_count() -> None:
    work: WorkList[str] = WorkList()
    work.finish("x")
    assert work.done == 0


def test_no_more_than_the_limit_is_given_out_those_done_before_included() -> None:
    work: WorkList[str] = WorkList(limit=3, done=1)
    for url in "abc":
        work.add(url)
    take(work, "x")
    take(work, "y")
    assert work.next is None
    assert work.total == 3
    work.give_back("x")
    assert work.next is not None
    take(work, "x")
    work.finish("x")
    work.finish("y")
    assert work.is_finished


@given(st.lists(st.tuples(st.sampled_from("add take finish lose".split()), st.integers(0, 5))))
def test_nothing_is_lost_and_nothing_is_done_twice(steps: list[tuple[str, int]]) -> None:
    work: WorkList[int] = WorkList()
    added: set[str] = set()
    held: dict[int, str] = {}
    done: list[str] = []
    for step, number in steps:
        if step == "add":
            work.add(str(number))
            added.add(str(number))
        elif step == "take" and number not in held and work.next is not None:
            held[number] = work.next
            work.take(number)
        elif step == "finish":
            work.finish(number)
            done += [held.pop(number)] if number in held else []
        elif step == "lose":
            work.give_back(number)
            held.pop(number, None)
    while work.next is not None:
        done.append(work.next)
        work.take(99)
        work.finish(99)
    assert sorted(done + list(held.values())) == sorted(added)
    assert work.done == len(done)
