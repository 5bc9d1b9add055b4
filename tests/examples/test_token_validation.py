from __future__ import annotations

from tests.examples.programs import finish

OUTPUT = """\
3 under way, and the server answers
dan: try later: too many at once
ann: ann
bob: nobody
cyd: try later: the authority did not answer
0 under way
"""


def test_the_server_answers_while_it_validates_and_refuses_when_it_has_enough() -> None:
    done = finish("-W", "error", "examples/token_validation.py")
    assert (done.returncode, done.stdout, done.stderr) == (0, OUTPUT, "")
