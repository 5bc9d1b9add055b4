from __future__ import annotations

from tests.examples.programs import finish

OUTPUT = """\
0: {'/help': 1, '/shop': 2}
1: {'/news': 1}
2: {'/': 3}
3: {'/cart': 1}
partition 0 is killed
0: {'/shop': 1}
1: {'/news': 1}
2: {'/': 3}
3: {'/cart': 1}
"""


def test_the_same_page_is_counted_in_the_same_partition() -> None:
    done = finish("-W", "error", "examples/partitioned_counter.py")
    assert (done.returncode, done.stdout, done.stderr) == (0, OUTPUT, "")
