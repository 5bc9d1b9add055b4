from __future__ import annotations

from tests.examples.programs import finish

OUTPUT = """\
level='warning' event='event dropped' id=10 user='bob' limit=10
level='warning' event='event dropped' id=11 user='cyd' limit=10
level='warning' event='event dropped' id=12 user='ann' limit=10
level='warning' event='event dropped' id=13 user='bob' limit=10
14 handed over, 10 accepted, 4 dropped
10 events in the database
ann: 4
bob: 3
cyd: 3
"""


def test_what_was_accepted_is_written_and_the_rest_is_dropped_and_logged() -> None:
    done = finish("-W", "error", "examples/bounded_writes.py")
    assert (done.returncode, done.stdout, done.stderr) == (0, OUTPUT, "")
