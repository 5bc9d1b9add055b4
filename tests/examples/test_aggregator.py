from __future__ import annotations

from tests.examples.programs import finish

OUTPUT = """\
name: Ann
orders: missing, no answer in its time
prices: missing, the service answered 500
reviews: missing, nobody is there
news: missing, the page could not wait any longer
name: missing, too many requests at once
"""


def test_a_page_has_the_fields_that_came_and_says_why_the_others_did_not() -> None:
    done = finish("-W", "error", "examples/aggregator.py")
    assert (done.returncode, done.stdout, done.stderr) == (0, OUTPUT, "")
