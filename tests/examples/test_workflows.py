from __future__ import annotations

from tests.examples.programs import finish

OUTPUT = """\
17: starts, done so far: nothing
17: pay
18: starts, done so far: nothing
18: pay
17: is there already
17: pack
{of_the_crash}18: is to pack and send
17: send
17: is found as None
engines left: 1
"""


def test_a_workflow_that_crashes_goes_on_where_it_was() -> None:
    done = finish("-W", "error", "examples/workflows.py")
    assert (done.returncode, done.stderr) == (0, "")
    # The crash wakes the caller and the supervisor: either may speak first.
    told, again = "18: no box is left\n", "18: starts, done so far: pay\n"
    orders = (told + again, again + told)
    assert done.stdout in [OUTPUT.format(of_the_crash=lines) for lines in orders]
