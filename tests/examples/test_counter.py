from __future__ import annotations

import pytest

from tests.examples.programs import finish


@pytest.mark.parametrize("program", ["counter", "counter_callbacks"])
def test_the_counter_counts(program: str) -> None:
    done = finish(f"examples/{program}.py")
    assert (done.returncode, done.stdout, done.stderr) == (0, "12\n", "")


SHOP = """
import os, signal, sys, threading
sys.path.insert(0, "examples")

from runtime import child_spec
import counter

async def stop_when_up() -> None:
    os.kill(os.getpid(), signal.{signal})

counter.children.append(child_spec(stop_when_up).replace(restart="temporary"))
import shop
"""


@pytest.mark.parametrize(("how", "status"), [("SIGTERM", 0), ("SIGINT", 130)])
def test_the_shop_is_open_until_it_is_told_to_stop(how: str, status: int) -> None:
    done = finish("-c", SHOP.replace("{signal}", how))
    assert (done.returncode, done.stdout) == (status, "")
