"""At least once, by real crashes: programs are killed by the system, and nothing is missing."""

from __future__ import annotations

import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from supervisors.pipeline.sources import QueueStore
from tests.supervisors.crashing import begin, check, environment_seed, lives, logged
from tests.supervisors.source_program import DEMAND, POISON, PROCESSORS

KILLS = 5
MOST = DEMAND * PROCESSORS


@pytest.fixture(autouse=True)
def seed() -> int:
    return environment_seed()


def fill(folder: Path, count: int) -> set[str]:
    with QueueStore(folder / "queue") as store:
        store.put_many([(str(number).encode(), None) for number in range(count)])
    return {str(number) for number in range(count)}


def waiting(folder: Path) -> set[str]:
    """What is in the queue still, leased or not."""
    with QueueStore(folder / "queue") as store, store._file.reading() as db:
        return {bytes(data).decode() for (data,) in db.execute("SELECT data FROM messages")}


def test_a_queue_loses_nothing_and_delivers_again_only_what_was_under_way(tmp_path: Path) -> None:
    everything = fill(tmp_path, 1500)
    found = lives("queue", tmp_path, KILLS, lambda: waiting(tmp_path))
    check(found, everything, MOST)


def test_a_message_that_kills_its_program_is_a_dead_letter_after_its_attempts(
    tmp_path: Path,
) -> None:
    everything = fill(tmp_path, 50)
    found = lives("poison", tmp_path, 0, lambda: waiting(tmp_path))
    assert len(found) == 3, "two attempts, and a life without it"
    assert logged(tmp_path).count(str(POISON)) == 2
    with QueueStore(tmp_path / "queue") as store:
        letters = store.dead_letters()
    assert str(POISON) in {letter.data.decode() for letter in letters}
    assert {letter.reason for letter in letters} == {
        "attempt 2 was never answered: its lease ended"
    }
    dead = {letter.data.decode() for letter in letters}
    assert len(dead) <= MOST, "only what was under way with it"
    assert set(logged(tmp_path)) | dead == everything


def test_programs_that_share_a_queue_see_each_message_once(tmp_path: Path) -> None:
    everything = fill(tmp_path, 100)

    def put(who: int) -> set[str]:
        names = {f"{who}-{number}" for number in range(20)}
        with QueueStore(tmp_path / "queue") as store:
            for name in names:
                assert store.put(name.encode(), key=name)
                assert not store.put(b"twice", key=name)
        return names

    programs: list[subprocess.Popen[bytes]] = []
    with ThreadPoolExecutor(3) as pool:
        putting = [pool.submit(put, who) for who in range(3)]
        programs += [begin("loop", tmp_path) for _ in range(3)]
        everything |= {name for one in putting for name in one.result()}
    assert [program.wait(60) for program in programs] == [0] * 3
    assert waiting(tmp_path) == set()
    assert sorted(logged(tmp_path)) == sorted(everything)


def test_programs_that_share_a_queue_and_are_killed_lose_nothing(tmp_path: Path) -> None:
    """Two at a time: what the killed ones had comes to the others."""
    everything = fill(tmp_path, 600)
    other = begin("queue", tmp_path)
    lives("queue", tmp_path, KILLS, lambda: waiting(tmp_path))
    assert other.wait(60) == 0
    log = logged(tmp_path)
    assert waiting(tmp_path) == set()
    assert set(log) == everything
    assert len(log) - len(everything) <= KILLS * MOST
