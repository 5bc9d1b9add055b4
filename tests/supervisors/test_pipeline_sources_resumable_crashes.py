"""At least once, by real crashes: killed programs lose no line and no file."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from supervisors.pipeline.sources.checkpoint_statements import CHECKPOINT
from supervisors.pipeline.sources.sqlite_file import SqliteFile
from tests.supervisors.crashing import check, environment_seed, lives
from tests.supervisors.source_program import DEMAND, PROCESSORS

KILLS = 5
MOST = DEMAND * PROCESSORS


@pytest.fixture(autouse=True)
def seed() -> int:
    return environment_seed()


def lines_left(folder: Path, lines: dict[int, str]) -> set[str]:
    """The lines that are not done, by where they begin."""
    file = SqliteFile(folder / "checkpoint", CHECKPOINT)
    with file.reading() as db:
        row = db.execute("SELECT done FROM lines").fetchone()
    file.close()
    done = msgspec.json.decode(row[0], type=list[tuple[int, int]]) if row else []
    return {
        line
        for start, line in lines.items()
        if not any(first <= start < last for first, last in done)
    }


def test_lines_are_not_lost_and_come_again_only_if_they_were_under_way(tmp_path: Path) -> None:
    places: dict[int, str] = {}
    with (tmp_path / "lines").open("w") as file:
        for number in range(1500):
            places[file.tell()] = f"line-{number}"
            file.write(f"line-{number}\n")
    found = lives("lines", tmp_path, KILLS, lambda: lines_left(tmp_path, places))
    check(found, set(places.values()), MOST)


def files_left(folder: Path) -> set[str]:
    file = SqliteFile(folder / "checkpoint", CHECKPOINT)
    with file.reading() as db:
        done = {bytes(path).decode() for (path,) in db.execute("SELECT path FROM files")}
    file.close()
    return {path.name for path in (folder / "files").iterdir()} - done


def test_files_are_not_lost_and_come_again_only_if_they_were_under_way(tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    for number in range(1500):
        (tmp_path / "files" / f"file-{number}").touch()
    everything = {f"file-{number}" for number in range(1500)}
    found = lives("files", tmp_path, KILLS, lambda: files_left(tmp_path))
    check(found, everything, MOST)
