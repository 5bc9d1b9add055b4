from __future__ import annotations

from tests.examples.programs import finish

OUTPUT = """\
AAA 10.00 went to 2
BBB 2.50 went to 1
CCC 0.01 went to 0
bob saw AAA 10.00, BBB 2.50
AAA 10.01 went to 1
ann saw AAA 10.00, AAA 10.01
"""


def test_prices_reach_those_who_watch_them() -> None:
    done = finish("examples/pubsub.py")
    assert (done.returncode, done.stdout, done.stderr) == (0, OUTPUT, "")
