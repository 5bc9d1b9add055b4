"""How a test fails with the fixtures: for what it leaves, and never otherwise than without them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.supervisors.pytest_parts import run_pytest

LEAKS = """
async def test_leaves(node):
    await start(Log.child_spec("a").replace(name="left over"))

async def test_fails(node):
    assert 1 == 2

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

async def test_gives_up_also_if_it_burns_slowly(start_supervised, autojump_clock):
    async def burns():
        await trio.sleep(0.02)
        raise ValueError("again and again")
    with capture_reports():
        await start_supervised(burns)
        await trio.sleep(600)

async def test_crashes_as_often_as_it_likes(start_supervised, autojump_clock):
    with capture_reports():
        await start_supervised(Log.child_spec("a").replace(name="a"))
        for _ in range(200):
            await crash(named("a"))
            await assert_up(named("a"))
"""


def test_what_is_left_is_named(tmp_path: Path) -> None:
    outcomes, text = run_pytest(tmp_path, LEAKS)
    assert outcomes == {
        "test_leaves": "FAILED",
        "test_fails": "FAILED",
        "test_leaves_and_fails": "FAILED",
        "test_may_leave": "PASSED",
        "test_leaves_nothing": "PASSED",
        "test_a_child_that_starts_a_process_of_its_own_leaks_it": "FAILED",
        "test_gives_up": "FAILED",
        "test_gives_up_also_if_it_burns_slowly": "FAILED",
        "test_crashes_as_often_as_it_likes": "PASSED",
    }, text
    summary = dict(re.findall(r"^FAILED test_it.py::(\w+) - (.*)$", text, re.MULTILINE))
    assert "1 process left running" in summary["test_leaves"]
    assert "name 'left over'" in text
    assert "assert 1 == 2" in summary["test_fails"]
    assert summary["test_leaves_and_fails"] == summary["test_fails"]
    assert "SupervisorGaveUp" in summary["test_gives_up"]
    assert "SupervisorGaveUp" in summary["test_gives_up_also_if_it_burns_slowly"]


CAUSES = """
class Burn(Call[None]): ...

class Server(GenServer):
    @handles(Burn)
    def burn(self, request: Burn) -> None:
        raise ValueError("ash: the real reason")

async def test_a_cause(node):
    with capture_reports():
        server = await start(Server.child_spec())
        await server.call(Burn())

async def test_a_cause_beside_a_leak(node):
    with capture_reports():
        await start(Server.child_spec())
        server = await start(Server.child_spec())
        await server.call(Burn())

async def test_a_context_beside_a_leak(node):
    await start(Server.child_spec())
    try:
        raise ValueError("ash: the real reason")
    except ValueError:
        raise KeyError("came later")

@pytest.fixture
async def fails_too(node):
    yield
    raise OSError("disk")

async def test_several_errors_beside_a_leak(fails_too):
    await start(Server.child_spec())
    raise ValueError("ash: the real reason")

@pytest.mark.xfail(raises=ExceptionGroup, strict=True)
def test_no_async_at_all():
    raise ExceptionGroup("mine", [LeakError([])])
"""


def test_everything_else_is_told_as_it_was(tmp_path: Path) -> None:
    outcomes, text = run_pytest(tmp_path, CAUSES)
    assert outcomes == {
        "test_a_cause": "FAILED",
        "test_a_cause_beside_a_leak": "FAILED",
        "test_a_context_beside_a_leak": "FAILED",
        "test_several_errors_beside_a_leak": "FAILED",
        "test_no_async_at_all": "XFAIL",
    }, text
    assert text.count("direct cause of the following") == 2
    assert text.count("During handling of the above exception") == 1
    assert text.count("ValueError: ash: the real reason") == 4
    assert text.count("OSError: disk") == 1
    assert "left running" not in text


NOT_FAILING = """
async def test_xfail(node):
    spawn(trio.sleep_forever)
    pytest.xfail("why not")

async def test_skip(node):
    spawn(trio.sleep_forever)
    pytest.skip("not today")

@pytest.fixture
async def fails_too(node):
    yield
    raise OSError("disk")

async def test_xfail_beside_an_error(fails_too):
    spawn(trio.sleep_forever)
    pytest.xfail("why not")
"""


def test_an_xfail_and_a_skip_beside_a_leak_stay_what_they_are(tmp_path: Path) -> None:
    outcomes, text = run_pytest(tmp_path, NOT_FAILING)
    assert outcomes == {"test_xfail": "XFAIL", "test_xfail_beside_an_error": "FAILED"}, text
    assert "XFAIL test_it.py::test_xfail - why not\n" in text
    assert re.search(r"^SKIPPED \[1\] test_it.py:\d+: not today$", text, re.MULTILINE), text


CTRL_C = """
async def test_in_a_test(node):
    raise KeyboardInterrupt

@as_process
async def test_in_a_test_that_is_a_process(node):
    raise KeyboardInterrupt

async def test_in_a_process(node):
    async def burns():
        raise KeyboardInterrupt
    spawn(burns)
    await trio.sleep_forever()

async def test_beside_a_leak(node):
    await start(Log.child_spec("a"))
    raise KeyboardInterrupt

def test_comes_after():
    pass
"""


@pytest.mark.parametrize("test", re.findall(r"async def (test_\w+)", CTRL_C))
def test_ctrl_c_ends_the_run(tmp_path: Path, test: str) -> None:
    both = (f"test_it.py::{test}", "test_it.py::test_comes_after")
    outcomes, text = run_pytest(tmp_path, CTRL_C, *both)
    assert outcomes == {}, text
    assert "KeyboardInterrupt !!!!" in text


PROCESSES = """
import contextvars
tenant = contextvars.ContextVar("tenant", default="nobody")

@pytest.fixture
async def as_alice(start_supervised):
    tenant.set("alice")

@as_process
async def test_sees_the_context_of_its_fixtures(as_alice):
    assert tenant.get() == "alice"

@as_process
async def test_may_leave_what_is_linked_to_it(node):
    assert is_alive(await start_link(Log.child_spec("a", log)))

def test_it_was_asked():
    assert log == [("a", "Shutdown")]

async def test_leaves_what_is_about_to_end(node, autojump_clock):
    class Slow(GenServer):
        async def terminate(self, reason):
            await trio.sleep(0.5)
    server = await start(Slow.child_spec())
    with trio.move_on_after(0.1):
        await server.stop()
"""


def test_what_ends_with_the_test_is_no_leak(tmp_path: Path) -> None:
    outcomes, text = run_pytest(tmp_path, PROCESSES)
    assert set(outcomes.values()) == {"PASSED"}, text
    assert len(outcomes) == 4
