from __future__ import annotations

from tests.examples.programs import finish


def test_sessions_outlive_a_crash_of_their_server() -> None:
    done = finish("examples/table.py")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "token of ann: ann, token of bob: nobody",
        "token of ann: ann",
        "[('token of ann', 'ann'), ('token of cyd', 'cyd')]",
    ]
