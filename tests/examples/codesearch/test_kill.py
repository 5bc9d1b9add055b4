"""``kill -9`` at random moments, twenty times in a row: every file is indexed exactly once."""

from __future__ import annotations

import random
import signal
import time
from pathlib import Path

import pytest

from tests.examples.codesearch.trees import content, indexed, write_many
from tests.examples.programs import finish, start

INDEX = ("-m", "examples.codesearch", "index")
FILES = 400
KILLS = 20


@pytest.mark.real_clock
def test_killed_twenty_times_at_random_moments_every_file_is_indexed_exactly_once(
    tmp_path: Path,
) -> None:
    root = write_many(tmp_path / "tree", FILES)
    database = tmp_path / "index.db"
    arguments = (*INDEX, str(root), "--db", str(database), "--batch", "4")
    chance = random.Random(20)
    stored = 0
    for kill in range(KILLS):
        with start(*arguments, "--workers", str(1 + kill % 2)) as program:
            assert program.stderr is not None
            for _ in range(chance.randrange(1, 5)):
                assert program.stderr.readline().startswith("codesearch: ")
            time.sleep(chance.uniform(0, 0.02))
            program.kill()
        assert program.returncode == -signal.SIGKILL
        before, stored = stored, len(content(database)[0])
        assert before <= stored < FILES
    assert stored > 0
    done = finish(*arguments)
    assert done.returncode == 0, done.stderr
    assert f"codesearch: {FILES - stored} of {FILES} files are new" in done.stderr
    assert content(database) == indexed(root)
