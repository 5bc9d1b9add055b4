"""The fixtures, as a user's project gets them: a file of tests, run by pytest."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.supervisors.pytest_parts import run_pytest


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
    assert len(outcomes) == 6


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
    assert f"the order of tasks is repeated with --trio-schedule {seed}\n" in text
    alone = ("-o", "virtual_time=true", "--trio-schedule", seed, "test_it.py::test_order")
    _, again = run_pytest(tmp_path, VIRTUAL, *alone)
    (order,) = re.findall(r"^order .*$", text, re.MULTILINE)
    assert order in again


def test_without_the_setting_nothing_is_seeded_and_nothing_said(tmp_path: Path) -> None:
    _, text = run_pytest(tmp_path, VIRTUAL, "test_it.py::test_order")
    assert "schedule" not in text


OF_OTHERS = """
@pytest.fixture
def anyio_backend():
    return "asyncio"

@pytest.mark.anyio
async def test_anyio(anyio_backend):
    import asyncio
    assert asyncio.current_task()

@pytest.mark.trio
async def test_trio():
    await trio.sleep(365 * 86400)
"""


def test_virtual_time_leaves_the_tests_of_other_plugins_alone(tmp_path: Path) -> None:
    options = ("-o", "trio_mode=false", "-o", "virtual_time=true")
    outcomes, text = run_pytest(tmp_path, OF_OTHERS, *options)
    assert outcomes == {"test_anyio": "PASSED", "test_trio": "PASSED"}, text


OF_WORKERS = """
@pytest.mark.parametrize("number", range(4))
async def test_seed(request, number):
    await trio.sleep(3600)
    assert request.config.option.trio_schedule == "shown"
"""


@pytest.mark.parametrize("given", [(), ("--trio-schedule", "7")])
def test_all_workers_of_xdist_take_the_seed_that_is_printed(
    tmp_path: Path, given: tuple[str, ...]
) -> None:
    pytest.importorskip("xdist")
    _, text = run_pytest(tmp_path, OF_WORKERS, "-n", "2", "-o", "virtual_time=true", *given)
    (printed,) = re.findall(r"is repeated with --trio-schedule (\d+)$", text, re.MULTILINE)
    assert re.findall(r"^schedule: (\d+)$", text, re.MULTILINE) == [printed]
    assert re.findall(r"^\W*AssertionError: assert (\d+) == 'shown'", text, re.MULTILINE) == (
        [printed] * 4
    )
    assert given[1:] in ((), (printed,))


@pytest.mark.parametrize("order", [("supervisors.fixtures", "pytest_trio.plugin"),
                                   ("pytest_trio.plugin", "supervisors.fixtures")])  # fmt: skip
def test_virtual_time_does_not_depend_on_which_plugin_is_found_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, order: tuple[str, str]
) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    plugins = [word for plugin in order for word in ("-p", plugin)]
    a_year = "\nasync def test_a_year():\n    await trio.sleep(365 * 86400)\n"
    outcomes, text = run_pytest(tmp_path, a_year, *plugins, "-o", "virtual_time=true")
    assert outcomes == {"test_a_year": "PASSED"}, text
