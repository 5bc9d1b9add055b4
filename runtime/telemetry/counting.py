"""Counting what a node holds, for whoever exports it.

Exporters run in threads of their own, at times of their own. So this reads what is there, in any
thread, and asks the loop nothing: a service pays only while somebody looks, and one whose loop is
stuck can still be counted.
"""

from __future__ import annotations

from runtime.process import Process
from runtime.process_table import ProcessTable
from runtime.telemetry.node_counts import BehaviourCounts


def count_processes(table: ProcessTable[Process]) -> dict[str, BehaviourCounts]:
    """The living processes of a node, by behaviour."""
    counts: dict[str, list[int]] = {}
    living = table.by_pid.copy()  # in one step, whatever the loop does meanwhile
    for process in living.values():
        waiting = len(process.mailbox)
        count = counts.get(process.behaviour)
        if count is None:
            counts[process.behaviour] = [1, waiting, waiting]
        else:
            count[0] += 1
            count[1] += waiting
            if waiting > count[2]:
                count[2] = waiting
    return {behaviour: BehaviourCounts(*count) for behaviour, count in counts.items()}
