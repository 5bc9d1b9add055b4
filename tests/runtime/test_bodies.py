"""What every kind of process says of itself before its first step."""

from __future__ import annotations

import pytest
import trio

from runtime import ChildSpec, GenServer, child_spec
from runtime.process import Body
from supervisors import DynamicSupervisor, Supervisor


@pytest.mark.parametrize(
    ("spec", "is_server", "trap"),
    [
        (child_spec(trio.sleep_forever), False, "no"),
        (GenServer.child_spec(), True, "no"),
        (Supervisor.child_spec([]), True, "not parent"),
        (DynamicSupervisor.child_spec(), True, "not parent"),
    ],
)
def test_the_body_of_a_process_that_has_not_begun(
    spec: ChildSpec, is_server: bool, trap: str
) -> None:
    body: Body = spec.make_body()
    assert (body.is_server, body.trap, body.begun) == (is_server, trap, False)
    assert body.describe("a message") == ("<str>" if is_server else "'a message'")
    assert body.describe_state() is None
    body.release()
    assert not body.begun
