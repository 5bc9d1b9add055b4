from __future__ import annotations

from tests.examples.programs import finish

OUTPUT = """\
all at once: the page
one after the other: the page
the first is good: the page
none of 2 tasks succeeded: OSError, OSError
no answer in time
every connection is closed
"""


def test_the_first_answer_wins_and_no_connection_is_left_open() -> None:
    done = finish("-W", "error", "examples/racing.py")
    assert (done.returncode, done.stdout, done.stderr) == (0, OUTPUT, "")
