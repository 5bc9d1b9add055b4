from __future__ import annotations

from tests.examples.programs import finish

OUTPUT = """\
database locked: 6 orders handed over, 0 saved
all done: 18 orders handed over, 18 saved
18 orders in the database
tried again after: MailboxFull, OperationalError
"""


def test_nothing_is_lost_and_producers_go_no_faster_than_the_database() -> None:
    done = finish("-W", "error", "examples/queue_and_retry.py")
    assert (done.returncode, done.stdout, done.stderr) == (0, OUTPUT, "")
