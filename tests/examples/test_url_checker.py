from __future__ import annotations

from tests.examples.programs import finish

OUTPUT = """\
/         200 OK
/about    200 OK
/old      301 Moved Permanently
/slow     no answer within 0.55 s
/gone     410 Gone
/torn     RemoteProtocolError
/contact  200 OK
3 of 7 are fine
"""


def test_every_address_has_a_verdict_in_its_place() -> None:
    done = finish("-W", "error", "examples/url_checker.py")
    assert (done.returncode, done.stdout, done.stderr) == (0, OUTPUT, "")
