from __future__ import annotations

from tests.examples.programs import finish


def test_both_see_all_that_they_want_at_the_pace_of_the_slower() -> None:
    done = finish("-W", "error", "examples/broadcast_stages.py")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert [line for line in lines if line.startswith("journal")] == [
        "journal: [18, 19, 31]",
        "journal: [20, 35, 21]",
        "journal: [22, 40, 20]",
    ]
    assert [line for line in lines if line.startswith("alarm")] == [
        "alarm: [31]",
        "alarm: [35]",
        "alarm: [40]",
    ]
    assert len(lines) == 6
