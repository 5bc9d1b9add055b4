from __future__ import annotations

from tests.examples.programs import finish

OUTPUT = """\
30 connections are open, and the service stops
 3 cut off after 0.5 s
24 said goodbye
 3 said what now? instead
none is open any more
"""


def test_every_connection_is_closed_and_none_holds_up_the_others() -> None:
    done = finish("-W", "error", "examples/connection_cleanup.py")
    assert (done.returncode, done.stdout, done.stderr) == (0, OUTPUT, "")
