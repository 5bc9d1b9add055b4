from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from examples.sitecheck.worklist import MAX_ATTEMPTS, Work, WorkList


def test_an_address_is_given_out_once_however_often_it_is_added() -> None:
    work: WorkList[str] = WorkList()
    for url in ("a", "b", "a"):
        work.add(url)
    assert [work.take("x"), work.take("y")] == [Work("a"), Work("b")]
    assert not work.has_work
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
    work.take("x")
    work.give_back("x")
    assert work.take("y") == Work("a")
    work.give_back("nobody")
    assert work.take("z") == Work("b")


def test_an_address_that_ends_every_holder_is_given_up() -> None:
    work: WorkList[str] = WorkList()
    work.add("a")
    for _ in range(MAX_ATTEMPTS):
        assert work.take("x") == Work("a")
        work.give_back("x")
    assert work.take("x") == Work("a", hopeless=True)
    assert work.finish("x")
    assert work.is_finished


def test_to_finish_what_one_does_not_have_does_not_count() -> None:
    work: WorkList[str] = WorkList()
    assert not work.finish("x")
    assert work.done == 0


def test_no_more_than_the_limit_is_given_out_those_done_before_included() -> None:
    work: WorkList[str] = WorkList(limit=3, done=1)
    for url in "abc":
        work.add(url)
    work.take("x")
    work.take("y")
    assert not work.has_work
    assert work.total == 3
    work.give_back("x")
    assert work.has_work
    work.take("x")
    work.finish("x")
    work.finish("y")
    assert work.is_finished


@settings(deadline=None)
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
        elif step == "take" and number not in held and work.has_work:
            held[number] = work.take(number).url
        elif step == "finish" and work.finish(number):
            done.append(held.pop(number))
        elif step == "lose":
            work.give_back(number)
            held.pop(number, None)
    while work.has_work:
        done.append(work.take(99).url)
        work.finish(99)
    assert sorted(done + list(held.values())) == sorted(added)
    assert work.done == len(done)
