"""The journeys of a user: subclass GenServer, start a tree from main, look at it while it lives.

The programs are those of ``examples``, run as they are; what a user does next stands here.
"""

from __future__ import annotations

import ast
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, assert_type

import pytest

from examples import counter, counter_callbacks
from runtime import (
    CallExit,
    Crashed,
    Node,
    NoProcess,
    UnhandledMessage,
    get_state,
    kill,
    named,
    start,
    wait_exit,
)
from supervisors import ChildInfo, SupervisorRef, open_supervisor
from tests.supervisors.service_program import Service

ROOT = Path(__file__).parents[1]


def finished(*command: str) -> subprocess.CompletedProcess[str]:
    """Run ``python`` with this command line to its end, with every warning an error."""
    return subprocess.run(
        [sys.executable, "-W", "error", *command],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


# ---------------------------------------------------------------------- from main


@pytest.mark.real_clock
@pytest.mark.parametrize(
    "command",
    [["examples/counter.py"], ["-m", "examples.counter"], ["examples/counter_callbacks.py"]],
    ids=" ".join,
)
def test_the_counter_prints_12_and_nothing_else(command: list[str]) -> None:
    done = finished(*command)
    assert (done.returncode, done.stdout, done.stderr) == (0, "12\n", "")


def test_the_counter_is_the_program_the_readme_shows() -> None:
    """But for comments and blank lines."""
    programs = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    (shown,) = (program for program in programs if "# counter.py" in program)
    example = (ROOT / "examples" / "counter.py").read_text()
    assert ast.dump(ast.parse(shown)) == ast.dump(ast.parse(example))


# ---------------------------------------------------------------------- as a service


@pytest.mark.real_clock
@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_the_shop_runs_until_a_signal_and_stops_in_order(number: int, status: int) -> None:
    with Service(file="examples/shop.py") as shop:
        started = shop.logs("service started")
        shop.signal(number)
        assert shop.finish() == status
    assert started["service"] == "shop"
    assert shop.events[-2:] == ["service stopping", "service stopped"]
    assert shop.said == []


# ---------------------------------------------------------------------- while it lives


async def test_a_counter_that_is_killed_comes_back_with_its_first_state() -> None:
    """``named`` follows it, and whoever holds the old incarnation hears of its end."""
    async with open_supervisor(counter.children, name="shop") as shop:
        server = named("counter")
        server.cast(counter.Add(by=2))
        assert await get_state(server) == {"count": 12}
        (line,) = await shop.which_children()
        assert_type(line, ChildInfo)
        assert (line.id, line.status, line.behaviour) == ("counter", "running", "Counter")

        old = server.pid
        kill(server)
        await wait_exit(old)
        await shop.count_children()  # answered when the restart, which came first, is done

        assert server.pid is not old
        assert await server.call(counter.Get()) == 10
        assert await SupervisorRef(named("shop")).which_children() != [line]


async def test_after_the_tree_nobody_is_there(node: Node) -> None:
    async with open_supervisor(counter.children):
        pass
    server = named("counter")
    server.cast(counter.Add())
    with pytest.raises(CallExit) as gone:
        await server.call(counter.Get())
    assert gone.value.reason == NoProcess()


# ---------------------------------------------------------------------- both styles

BY_METHOD = (counter.Counter, counter.Get, counter.Add)
BY_CALLBACK = (counter_callbacks.Counter, counter_callbacks.Get, counter_callbacks.Add)


@pytest.mark.parametrize("style", [BY_METHOD, BY_CALLBACK], ids=["handles", "handle_call"])
async def test_both_styles_of_the_counter_are_one_mechanism(style: Any, node: Node) -> None:
    server_class, get, add = style
    server = await start(server_class.child_spec(10).replace(name="counter"))
    for by in (1, 2, 3):
        server.cast(add(by=by))
    server.cast(add())
    assert await server.call(get()) == 17
    assert await named("counter").call(get()) == 17
    assert await get_state(server) == {"count": 17}
    await server.stop()
    assert named("counter").whereis() is None


@pytest.mark.parametrize("style", [BY_METHOD, BY_CALLBACK], ids=["handles", "handle_call"])
async def test_the_arguments_are_checked_before_anything_is_started(style: Any) -> None:
    server_class, _, _ = style
    with pytest.raises(TypeError, match="arguments of Counter"):
        server_class.child_spec(1, 2)
    with pytest.raises(TypeError, match="arguments of Counter"):
        server_class.child_spec(stop=1)


async def test_a_message_of_the_other_style_is_a_crash_that_names_it(node: Node) -> None:
    server = await counter.Counter.start(10)
    with pytest.raises(CallExit) as gone:
        await server.call(counter_callbacks.Get())
    assert isinstance(gone.value.reason, Crashed)
    assert isinstance(gone.value.__cause__, UnhandledMessage)
    assert "Counter has no handler for the call Get" in str(gone.value.__cause__)
