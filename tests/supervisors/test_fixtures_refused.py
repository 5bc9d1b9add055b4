"""Tests that cannot have the fixtures: each is told what to write, and the others are untouched."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.supervisors.pytest_parts import run_pytest

SYNC = """
@pytest.fixture
async def tree(start_supervised):
    yield await start_supervised(Log.child_spec("a"))

@pytest.fixture
async def of_its_own():
    yield

class TestMethods:
    def test_method(self, node):
        pass

def test_sync(start_supervised):
    pass

def test_by_way_of_another(tree):
    pass

def test_later(request):
    request.getfixturevalue("node")

def test_of_another_fixture(of_its_own):
    pass

@pytest.fixture(scope="module")
def broken():
    raise RuntimeError("mine")

def test_broken(broken):
    pass

@pytest.mark.trio
def test_marked(node):
    pass

@pytest.mark.skip
def test_skipped(node):
    pass

@pytest.mark.xfail(strict=True)
def test_xfail(node):
    pass

async def test_async(start_supervised, tree, node, of_its_own):
    assert processes()

async def test_async_later(request, node):
    assert request.getfixturevalue("node")

@pytest.mark.real_clock
async def test_real_clock(tree):
    assert processes()

def test_without():
    pass
"""

REFUSED = "the fixtures `node` and `start_supervised` are for async tests, run by pytest-trio: "
USE_TRIO = "set `trio_mode = true` for pytest, or mark the test `@pytest.mark.trio`"


def said(text: str) -> list[str]:
    """What each refused test is told, as a whole."""
    return re.findall(rf"^{REFUSED}(.*)$", text, re.MULTILINE)


@pytest.mark.parametrize("virtual", ["true", "false"])
def test_a_plain_test_is_told_to_be_async(tmp_path: Path, virtual: str) -> None:
    outcomes, text = run_pytest(tmp_path, SYNC, "-o", f"virtual_time={virtual}")
    assert outcomes == {
        "TestMethods": "ERROR",
        "test_sync": "ERROR",
        "test_by_way_of_another": "ERROR",
        "test_later": "FAILED",
        "test_of_another_fixture": "ERROR",
        "test_broken": "ERROR",
        "test_marked": "FAILED",
        "test_async": "PASSED",
        "test_async_later": "PASSED",
        "test_real_clock": "PASSED",
        "test_without": "PASSED",
    }, text
    assert "XFAIL at setup of test_it.py::test_xfail\n" in text
    assert said(text)[:4] == ["write `async def`"] * 4, text
    assert "is marked trio but is not async" in text
    assert "ERROR test_it.py::test_broken - RuntimeError: mine\n" in text


UNMARKED = """
async def test_unmarked(start_supervised):
    pass

@pytest.mark.trio
async def test_marked(start_supervised):
    assert processes()

@pytest.fixture
def anyio_backend():
    return "trio"

@pytest.mark.anyio
async def test_run_by_anyio(anyio_backend, node):
    await (await start(Log.child_spec("a"))).stop()
"""


def test_an_async_test_that_trio_does_not_run_is_told_how(tmp_path: Path) -> None:
    outcomes, text = run_pytest(tmp_path, UNMARKED, "-o", "trio_mode=false")
    assert outcomes == {
        "test_unmarked": "ERROR",
        "test_marked": "PASSED",
        "test_run_by_anyio": "PASSED",
    }, text
    assert said(text) == [USE_TRIO]


@pytest.mark.parametrize("virtual", ["true", "false"])
def test_without_pytest_trio_it_says_so(tmp_path: Path, virtual: str) -> None:
    unmarked = "\nasync def test_unmarked(start_supervised):\n    pass\n"
    plain = "\ndef test_plain(node):\n    pass\n\ndef test_without():\n    pass\n"
    options = ("-p", "no:trio", "-W", "ignore", "-o", f"virtual_time={virtual}")
    outcomes, text = run_pytest(tmp_path, unmarked + plain, *options)
    assert outcomes == {"test_unmarked": "ERROR", "test_plain": "ERROR", "test_without": "PASSED"}
    assert said(text) == ["pip install pytest-trio", "write `async def`"], text


UNDER_HYPOTHESIS = """
from hypothesis import HealthCheck, given, settings, strategies as st
quick = settings(max_examples=2, suppress_health_check=list(HealthCheck), database=None)

@quick
@given(st.integers())
async def test_async(node, number):
    pass

@quick
@given(st.integers())
def test_plain(node, number):
    pass

@quick
@given(st.integers())
def test_without(number):
    pass
"""


@pytest.mark.parametrize(
    ("mode", "outcome", "todos"),
    [
        ("true", "PASSED", ["write `async def`"]),
        ("false", "ERROR", [USE_TRIO, "write `async def`"]),
    ],
)
def test_under_hypothesis_it_is_the_inner_function_that_counts(
    tmp_path: Path, mode: str, outcome: str, todos: list[str]
) -> None:
    outcomes, text = run_pytest(tmp_path, UNDER_HYPOTHESIS, "-o", f"trio_mode={mode}")
    assert outcomes == {"test_async": outcome, "test_plain": "ERROR", "test_without": "PASSED"}
    assert said(text) == todos, text
