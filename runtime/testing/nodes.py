"""The node of a test, or what to write to have one."""

from __future__ import annotations

from runtime.current import current_table, node_is_open
from runtime.errors import NoNode
from runtime.process import Process
from runtime.process_table import ProcessTable


def table_of_test() -> ProcessTable[Process]:
    """The table of the node that is open; where there is none, a test has forgotten its fixture."""
    if not node_is_open():
        raise NoNode(
            "no node is open: take the fixture `node` or `start_supervised`, or use "
            "open_supervisor(...) or open_node() around it"
        )
    return current_table()
