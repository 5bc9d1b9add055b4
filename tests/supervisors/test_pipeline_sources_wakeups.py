"""Being told of news of a file, from wherever they come in this program."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from supervisors.pipeline.sources import wakeups
from supervisors.pipeline.sources.wakeups import wake, woken_by


async def test_who_waits_for_a_file_is_told_while_it_waits(tmp_path: Path) -> None:
    path, told = tmp_path / "a", list[str]()
    wake(path)
    with woken_by(path, lambda: told.append("one")), woken_by(path, lambda: told.append("two")):
        wake(str(path))
        assert told == []
        await wait_all_tasks_blocked()
        assert sorted(told) == ["one", "two"]
        wake(tmp_path / "b")
        await wait_all_tasks_blocked()
        assert len(told) == 2
    wake(path)
    await wait_all_tasks_blocked()
    assert len(told) == 2
    assert wakeups._watchers == {}


async def test_many_news_at_once_are_told_once(tmp_path: Path) -> None:
    told: list[int] = []

    def note() -> None:
        told.append(1)

    with woken_by(tmp_path / "a", note):
        for _ in range(5):
            wake(tmp_path / "a")
        await wait_all_tasks_blocked()
    assert told == [1]


@pytest.mark.real_clock
async def test_news_come_from_other_threads_too_and_by_any_name_of_the_file(
    tmp_path: Path,
) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "a")
    told = trio.Event()
    with woken_by(tmp_path / "a", told.set):
        await trio.to_thread.run_sync(wake, tmp_path / "link")
        await told.wait()


def test_a_run_that_has_ended_is_passed_over(tmp_path: Path) -> None:
    async def main() -> object:
        waiting = woken_by(tmp_path / "a", told.clear)
        waiting.__enter__()
        return waiting

    told = [1]
    left = trio.run(main)
    wake(tmp_path / "a")
    assert told == [1]
    left.__exit__(None, None, None)  # type: ignore[attr-defined]
