"""Whoever has forgotten the fixture is told so, by all of the kit that needs a node."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from runtime import Node, NoNode, Pid, named
from runtime.testing import as_process, assert_down, capture_reports, crash, no_leaks
from runtime.testing.nodes import table_of_test


@as_process
async def as_a_process() -> None: ...


async def with_reports() -> None:
    with capture_reports():
        pass


async def without_leaks() -> None:
    async with no_leaks():
        pass


async def of_a_name() -> None:
    await crash(named("x"))


async def of_a_pid() -> None:
    await assert_down(Pid(7, "x"))


@pytest.mark.parametrize("use", [as_a_process, with_reports, without_leaks, of_a_name, of_a_pid])
async def test_without_a_node_it_says_what_to_take(use: Callable[[], Awaitable[None]]) -> None:
    with pytest.raises(NoNode) as refused:
        await use()
    assert str(refused.value) == (
        "no node is open: take the fixture `node` or `start_supervised`, or use "
        "open_supervisor(...) or open_node() around it"
    )


def test_outside_of_trio_it_says_that() -> None:
    with pytest.raises(NoNode, match=r"^called outside trio\.run"):
        table_of_test()


async def test_with_a_node_there_is_its_table(node: Node) -> None:
    assert table_of_test().by_pid == {}
