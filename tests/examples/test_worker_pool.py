from __future__ import annotations

from tests.examples.programs import finish

OUTPUT = """\
connections: 2
after 20 transfers: 400
after a death halfway: 400
"""


def test_the_pool_lends_its_connections_and_replaces_one_whose_client_died() -> None:
    done = finish("examples/worker_pool.py")
    assert (done.returncode, done.stdout, done.stderr) == (0, OUTPUT, "")
