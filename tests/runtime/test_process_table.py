"""What one node knows, and nobody else."""

from __future__ import annotations

import contextvars
import threading

import pytest
import trio

from runtime import Node, NoNode, processes, registered, spawn
from runtime.current import current_table
from runtime.instruments import Instruments
from runtime.process_table import ProcessTable, check_name
from tests.support import stop_all

colour: contextvars.ContextVar[str] = contextvars.ContextVar("colour", default="none")


@pytest.fixture
async def table() -> ProcessTable[str]:
    """A table of processes that are only strings."""
    colour.set("the node's")
    return ProcessTable(Instruments(), lambda _exc: None)


@pytest.mark.parametrize("name", ["x", "a longer name", "ünïcode", "1"])
def test_any_text_is_a_name(name: str) -> None:
    assert check_name("name", name) == name


@pytest.mark.parametrize("garbage", ["", None, True, 1, b"x", ["x"]])
def test_what_is_no_text_is_no_name(garbage: object) -> None:
    """PROC-067."""
    with pytest.raises(TypeError, match=r"^title: got .*, allowed is a non-empty string$"):
        check_name("title", garbage)


async def test_before_it_is_open_nothing_can_be_started(table: ProcessTable[str]) -> None:
    with pytest.raises(NoNode, match="not open yet"):
        _ = table.nursery
    assert not table.opened.is_set()
    async with trio.open_nursery() as nursery:
        table.open(nursery)
        assert table.nursery is nursery
    assert table.opened.is_set()


async def test_pids_are_numbered_from_one(table: ProcessTable[str]) -> None:
    assert [table.new_pid("x").number for _ in range(3)] == [1, 2, 3]
    assert table.owner.number == 0


async def test_what_is_added_is_found_and_what_is_removed_is_gone(
    table: ProcessTable[str],
) -> None:
    root, child = table.new_pid("root"), table.new_pid("child")
    table.add(root, "root", "name", 5.0)
    table.add(child, "child", None, None)
    assert table.by_pid == {root: "root", child: "child"}
    assert table.by_name == {"name": "root"}
    assert list(table.roots) == ["root"]
    table.remove(root, "root", "name")
    table.remove(child, "child", None)
    assert (table.by_pid, table.by_name, table.roots) == ({}, {}, {})


async def test_removing_a_process_leaves_its_former_name_to_the_new_holder(
    table: ProcessTable[str],
) -> None:
    old, new = table.new_pid("old"), table.new_pid("new")
    table.add(old, "old", "name", 5.0)
    table.add(new, "new", "name", 5.0)
    table.remove(old, "old", "name")
    assert table.by_name == {"name": "new"}
    table.remove(old, "old", "nobody's")


async def test_a_table_keeps_the_context_and_thread_it_was_made_in(
    table: ProcessTable[str],
) -> None:
    """Contract 7."""
    colour.set("changed later")
    assert table.context.run(colour.get) == "the node's"
    assert table.thread == threading.get_ident()
    assert table.token is trio.lowlevel.current_trio_token()


async def test_a_node_lists_what_lives_in_it_oldest_first(node: Node) -> None:
    pids = [spawn(trio.sleep_forever, name=f"name {number}") for number in range(3)]
    assert processes() == pids
    assert registered() == ["name 0", "name 1", "name 2"]
    assert [process.pid for process in current_table().roots] == pids
    await stop_all(pids[1])
    assert processes() == [pids[0], pids[2]]
    await stop_all(*pids)
