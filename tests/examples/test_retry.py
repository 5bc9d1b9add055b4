from __future__ import annotations

from tests.examples.programs import finish

OUTPUT = """\
try 1: 503, again when it says
try 2: 429, again a little later
/report: done, asked 3 x
/gone: 404, asked 1 x
/private: 401, asked 1 x
"""


def test_the_client_asks_again_where_it_is_worth_it() -> None:
    done = finish("-W", "error", "examples/retry.py")
    assert (done.returncode, done.stdout, done.stderr) == (0, OUTPUT, "")
