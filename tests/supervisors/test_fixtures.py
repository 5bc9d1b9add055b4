"""The fixtures, as a user's project gets them: a file of tests, run by pytest."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

HEAD = """
import pytest, trio
from runtime import *
from runtime.testing import *
from supervisors import *

class Log(GenServer):
    def __init__(self, name, log=None):
        self.name, self.log = name, log
    def terminate(self, reason):
        if self.log is not None:
            self.log.append((self.name, type(reason).__name__))

log = []

"""


def run_pytest(folder: Path, tests: str, *options: str) -> tuple[dict[str, str], str]:
    """What became of each test, and what was printed."""
    (folder / "test_it.py").write_text(HEAD + tests)
    (folder / "pytest.ini").write_text("[pytest]\ntrio_mode = true\nfilterwarnings = error\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-rA", "--strict-markers", "-p", "no:cacheprovider",
         "--color=no", *options],
        cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200"},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    found = re.findall(r"^(PASSED|FAILED|ERROR) test_it\.py::(\w+)", done.stdout, re.MULTILINE)
    return {name: outcome for outcome, name in found}, done.stdout + done.stderr


def test_the_plugin_is_found_by_itself(tmp_path: Path) -> None:
    outcomes, text = run_pytest(tmp_path, "", "--fixtures")
    assert outcomes == {}
    assert "fixtures.py" in text
    assert re.search(
        r"^start_supervised .*\n    Starts children for the length", text, re.MULTILINE
    )


STOPS = """
async def test_children_are_stopped_last_first(start_supervised, autojump_clock):
    for name in "abc":
        await start_supervised(Log.child_spec(name, log))

def test_so_they_were():
    assert log == [("c", "Shutdown"), ("b", "Shutdown"), ("a", "Shutdown")]

async def test_they_are_restarted(start_supervised, autojump_clock):
    first = await start_supervised(Log.child_spec("a").replace(name="a"))
    kill(first)
    assert await assert_down(first) == Killed()
    await trio.testing.wait_all_tasks_blocked()
    assert whereis("a") not in (None, first.pid)
    await crash(named("a"))
    await trio.testing.wait_all_tasks_blocked()
    assert whereis("a")

async def test_one_can_be_stopped(start_supervised, autojump_clock):
    one = await start_supervised(Log.child_spec("a").replace(name="a"))
    two = await start_supervised(Log.child_spec("b"))
    await start_supervised.stop(one)
    assert whereis("a") is None and is_alive(two)
    with pytest.raises(ChildNotFound):
        await start_supervised.stop(one)
    again = await start_supervised(Log.child_spec("c").replace(name="a"))
    await crash(again)
    await trio.testing.wait_all_tasks_blocked()
    await start_supervised.stop(again)
    assert whereis("a") is None

async def test_one_can_be_stopped_by_its_name(start_supervised, autojump_clock):
    await start_supervised(Log.child_spec("a").replace(name="a"))
    await crash(named("a"))
    await assert_up(named("a"))
    await start_supervised.stop(named("a"))
    assert whereis("a") is None
    with pytest.raises(ChildNotFound):
        await start_supervised.stop(named("a"))

async def test_a_start_that_fails_is_raised(start_supervised):
    class Bad(GenServer):
        def init(self):
            raise OSError("disk")
    with pytest.raises(StartFailed):
        await start_supervised(Bad)

async def test_a_function_is_a_child(start_supervised):
    async def serve(task_status):
        task_status.started()
        await trio.sleep_forever()
    assert is_alive(await start_supervised(serve))

async def test_a_test_can_be_a_process(start_supervised, autojump_clock):
    @as_process
    async def test():
        server = await start_supervised(Log.child_spec("a"))
        monitor(server)
        await crash(server)
        assert (await assert_receive(Down)).pid == server.pid
        await refute_receive()
    await test()
"""


def test_children_live_as_long_as_the_test(tmp_path: Path) -> None:
    outcomes, text = run_pytest(tmp_path, STOPS)
    assert set(outcomes.values()) == {"PASSED"}, text
    assert len(outcomes) == 8


LEAKS = """
async def test_leaves(node):
    await start(Log.child_spec("a").replace(name="left over"))

async def test_leaves_and_fails(node):
    await start(Log.child_spec("a"))
    assert 1 == 2

@pytest.mark.leaves_processes
async def test_may_leave(node):
    await start(Log.child_spec("a"))

async def test_leaves_nothing(node):
    server = await start(Log.child_spec("a"))
    await server.stop()
    kill(spawn(trio.sleep_forever))

async def test_a_child_that_starts_a_process_of_its_own_leaks_it(start_supervised):
    async def parent():
        spawn(trio.sleep_forever)
        await trio.sleep_forever()
    await start_supervised(parent)
    await trio.testing.wait_all_tasks_blocked()

async def test_gives_up(start_supervised, autojump_clock):
    async def burns():
        raise ValueError("again and again")
    await start_supervised(burns)
    await trio.sleep(1)
"""


def test_what_is_left_is_named(tmp_path: Path) -> None:
    outcomes, text = run_pytest(tmp_path, LEAKS)
    assert outcomes == {
        "test_leaves": "FAILED",
        "test_leaves_and_fails": "FAILED",
        "test_may_leave": "PASSED",
        "test_leaves_nothing": "PASSED",
        "test_a_child_that_starts_a_process_of_its_own_leaks_it": "FAILED",
        "test_gives_up": "FAILED",
    }, text
    summary = dict(re.findall(r"^FAILED test_it.py::(\w+) - (.*)$", text, re.MULTILINE))
    assert "1 process left running" in summary["test_leaves"]
    assert "name 'left over'" in text
    assert summary["test_leaves_and_fails"] == "assert 1 == 2"
    assert "SupervisorGaveUp" in summary["test_gives_up"]


def test_without_trio_mode_a_marked_test_gets_them_too(tmp_path: Path) -> None:
    marked = "\n@pytest.mark.trio\nasync def test_it(start_supervised):\n    assert processes()\n"
    outcomes, text = run_pytest(tmp_path, marked, "-o", "trio_mode=false")
    assert outcomes == {"test_it": "PASSED"}, text


@pytest.mark.parametrize("name", ["node", "start_supervised"])
def test_a_fixture_of_the_users_own_comes_first(tmp_path: Path, name: str) -> None:
    fixture = f"\n@pytest.fixture\ndef {name}():\n    return 1\n"
    test = f"\ndef test_it({name}):\n    assert {name} == 1\n"
    outcomes, text = run_pytest(tmp_path, fixture + test)
    assert outcomes == {"test_it": "PASSED"}, text


VIRTUAL = """
async def test_an_hour(start_supervised):
    await trio.sleep(3600)

@pytest.mark.real_clock
async def test_the_real_clock():
    assert not isinstance(trio.lowlevel.current_clock(), trio.testing.MockClock)

async def test_waits_for_ever():
    await trio.sleep_forever()

order = []

async def test_order():
    async def note(number):
        for _ in range(20):
            await trio.lowlevel.checkpoint()
            order.append(number)
    async with trio.open_nursery() as nursery:
        for number in range(3):
            nursery.start_soon(note, number)
    print("order", order)
"""


def test_virtual_time_is_a_setting_and_its_order_is_repeated(tmp_path: Path) -> None:
    outcomes, text = run_pytest(tmp_path, VIRTUAL, "-o", "virtual_time=true")
    assert outcomes == {
        "test_an_hour": "PASSED",
        "test_the_real_clock": "PASSED",
        "test_waits_for_ever": "FAILED",
        "test_order": "PASSED",
    }, text
    (seed,) = re.findall(r"^schedule: (\d+)$", text, re.MULTILINE)
    assert f"the order of tasks is repeated with --schedule {seed}\n" in text
    alone = ("-o", "virtual_time=true", "--schedule", seed, "test_it.py::test_order")
    _, again = run_pytest(tmp_path, VIRTUAL, *alone)
    (order,) = re.findall(r"^order .*$", text, re.MULTILINE)
    assert order in again


def test_without_the_setting_nothing_is_seeded_and_nothing_said(tmp_path: Path) -> None:
    _, text = run_pytest(tmp_path, VIRTUAL, "test_it.py::test_order")
    assert "schedule" not in text
