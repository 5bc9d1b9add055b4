from __future__ import annotations

from tests.examples.programs import finish

OUTPUT = """\
50 parameters, 3 for a row: 16 rows in a chunk
90 rows from (0, 0) on: too many SQL variables
10 of 100 rows written, 90 in a chunk
100 of 100 rows written, 16 in a chunk
30 of 30 rows written, 16 in a chunk
rows and their sum: 100 160.0
"""


def test_rows_are_written_in_chunks_that_fit_and_as_often_as_one_likes() -> None:
    done = finish("-W", "error", "examples/chunked_upserts.py")
    assert (done.returncode, done.stdout, done.stderr) == (0, OUTPUT, "")
