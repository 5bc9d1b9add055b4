from __future__ import annotations

import re

from tests.examples.programs import finish


def test_who_is_faster_gets_more_and_nothing_is_read_that_nobody_wants() -> None:
    done = finish("-W", "error", "examples/demand_stages.py")
    assert (done.returncode, done.stderr) == (0, "")
    *asked, last = done.stdout.splitlines()
    wanted = read = 0
    for line in asked:
        found = re.fullmatch(r"(\d) wanted, (\d+) read", line)
        assert found is not None
        wanted += int(found[1])
        read = int(found[2])
        assert read <= wanted
    assert read == 40
    shares = re.fullmatch(r"fast (\d+), slow (\d+), all of them: True", last)
    assert shares is not None
    fast, slow = map(int, shares.groups())
    assert fast + slow == 40
    assert fast > slow > 0
