from __future__ import annotations

from tests.examples.programs import finish

OUTPUT = """\
example.net: 1 fetched, at most 1 at once
example.org: 8 fetched, at most 2 at once
a permit now: None
a permit soon: no
a permit when they have ended: yes
its limiter, when nobody has asked for a while: Normal()
"""


def test_every_host_is_asked_politely() -> None:
    done = finish("examples/rate_limiter.py")
    assert (done.returncode, done.stdout, done.stderr) == (0, OUTPUT, "")
