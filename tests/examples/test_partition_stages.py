from __future__ import annotations

from tests.examples.programs import finish

OUTPUT = [
    "partition 0: cyd +50 = 50",
    "partition 0: cyd +100 = 150",
    "partition 1: ann +10 = 10",
    "partition 1: ann +30 = 40",
    "partition 1: ann +70 = 110",
    "partition 1: ann +90 = 200",
    "partition 2: bob +20 = 20",
    "partition 2: bob +60 = 80",
]


def test_an_account_is_in_one_place_and_its_bookings_in_order() -> None:
    done = finish("-W", "error", "examples/partition_stages.py")
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(done.stdout.splitlines(), key=lambda line: line[:11]) == OUTPUT
