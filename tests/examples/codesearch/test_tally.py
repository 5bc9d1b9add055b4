from __future__ import annotations

import trio
import trio.testing

from examples.codesearch.tally import Tally


def test_every_file_is_counted_once_however_often_it_is_handled() -> None:
    tally = Tally(["a", "b", "c", "d"])
    tally.note_parsed("a")
    tally.note_parsed("a")
    tally.note_stored(["a", "b"])
    tally.note_stored(["b"])
    tally.note_failed(["c", "a"])
    tally.note_lost(["a", "d"], "disk full")
    tally.note_lost(["d"], "later")
    assert (tally.total, tally.done, tally.stored, tally.failed) == (4, 4, 2, 1)
    assert tally.lost == {"d": "disk full"}
    assert tally.parsed == {"a"}
    assert tally.is_finished


def test_a_file_that_nobody_asked_for_does_not_count() -> None:
    tally = Tally(["a"])
    tally.note_stored(["x"])
    tally.note_lost(["x"], "disk full")
    assert (tally.done, tally.lost, tally.is_finished) == (0, {}, False)


def test_nothing_to_do_is_done() -> None:
    assert Tally([]).is_finished


async def test_who_waits_hears_of_every_change_and_of_the_end() -> None:
    tally = Tally(["a", "b"])
    heard: list[str] = []

    async def listen() -> None:
        while True:
            await tally.changed()
            heard.append("changed")

    async def wait() -> None:
        await tally.finished()
        heard.append("finished")
        nursery.cancel_scope.cancel()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(listen)
        nursery.start_soon(wait)
        await trio.testing.wait_all_tasks_blocked()
        tally.note_parsed("a")
        await trio.testing.wait_all_tasks_blocked()
        tally.note_stored(["a"])
        await trio.testing.wait_all_tasks_blocked()
        assert heard == ["changed"] * 2
        tally.note_failed(["b"])
    assert sorted(heard) in (["changed"] * 2 + ["finished"], ["changed"] * 3 + ["finished"])
    await tally.finished()
