"""The whole node as one plain value, made in one step, without asking anybody.

It reads what is there and awaits nothing, so nothing changes while it looks; it costs about a
microsecond for each process that is shown and a tenth of that for one that is not.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterable
from heapq import nlargest, nsmallest
from typing import TypeAlias, cast, get_args

from trio.lowlevel import enable_ki_protection

from runtime.containment import clean, short_repr
from runtime.current import Target, current_table, find_process
from runtime.errors import ProcessNotFound
from runtime.inspection.plain import MAX_ITEMS
from runtime.inspection.sampling import Glance, is_busy, sampler_of
from runtime.inspection.views import CrashView, Plain, ProcessView, Snapshot, Sort
from runtime.messages import Envelope
from runtime.pid import Pid
from runtime.process import Process
from runtime.process_table import ProcessTable
from runtime.table_life import TableLife

_Rank: TypeAlias = Callable[[Process], float]


@enable_ki_protection
def snapshot(*, sort: Sort | None = None, limit: int | None = None, find: str = "") -> Snapshot:
    """Every process of this node, as it is now.

    Without ``sort`` they come as the tree: after each process its children, oldest first. With it
    the largest come first (for ``pid`` the oldest); ``limit`` takes only so many of them, and
    ``find`` only those with that text in their name, label or behaviour, in capitals or not.
    """
    _check(sort, limit, find)
    table = current_table()
    glance = sampler_of(table).glance()
    chosen: Iterable[Process] = table.by_pid.values()
    if find:
        chosen = _found(chosen, find.casefold())
    if sort is not None:
        chosen = _ranked(chosen, _rank(sort, glance), limit, oldest_first=sort == "pid")
    else:
        chosen = _as_tree(chosen, table)
        chosen = chosen if limit is None else chosen[:limit]
    return Snapshot(
        at=time.time(),
        up=table.now() - table.opened_at,
        total=len(table.by_pid),
        processes=tuple([_view(process, glance) for process in chosen]),
        alarms=table.alarms,
    )


@enable_ki_protection
def view_of(process: Process) -> ProcessView:
    """One process as it is now."""
    return _view(process, sampler_of(process.table).glance())


def _view(process: Process, glance: Glance) -> ProcessView:
    """On the path of every process of a snapshot."""
    items, name, label, links = process.mailbox.items, process.name, process.label, process._links
    pid, follower = process.pid, process.follower
    handling = busy = None
    if process.current is not None and is_busy(process):
        handling = process.body.describe(process.current)
        busy = glance.sampler.busy(process)
    return ProcessView(
        pid.number,
        process.parent.number,
        clean(process.body.behaviour),
        name if name is None else clean(name),
        label if label is None else clean(label),
        process.status,
        glance.now - process.started_at,
        len(items),
        process.handled,
        process.mailbox.dropped,
        0 if follower is None else follower.restarts,
        handling,
        busy,
        glance.sampler.oldest(process) if items else None,
        glance.rate(process),
        glance.cpu(process) if glance.measured else None,
        () if links is None else tuple([other.pid.number for other in links.linked()]),
        () if links is None else tuple([other.pid.number for _, other in links.watching()]),
        () if links is None else tuple([other.pid.number for _, other, _ in links.watchers()]),
        _facts(process),
    )


def _facts(process: Process) -> dict[str, Plain]:
    """What its behaviour says of itself, and the tables it owns, with how many rows they have."""
    facts = {} if process.status == "starting" else process.body.facts()
    if process.claims:
        tables = [
            cast("TableLife[Hashable, object]", claim)
            for claim in process.claims
            if isinstance(claim, TableLife)
        ]
        if tables:
            facts["tables"] = {
                f"unnamed {number}" if table.name is None else clean(table.name): len(table.rows)
                for number, table in enumerate(tables[:MAX_ITEMS], 1)
            }
    return facts


@enable_ki_protection
def mailbox_of(target: Target, limit: int = 20) -> tuple[str, ...]:
    """The first messages that wait, as text that the server's ``redact`` has passed.

    ``ProcessNotFound`` if it is dead.
    """
    process = find_process(target)
    if process is None:
        raise ProcessNotFound(target)
    waiting = tuple(process.mailbox.items)[: max(0, limit)]
    return tuple(
        process.body.describe(item.content if isinstance(item, Envelope) else item)
        for item in waiting
    )


def crashes(limit: int = 20) -> list[CrashView]:
    """The last processes of this node that ended neither ``Normal`` nor ``Shutdown``, newest last.

    A node keeps the last hundred, as text.
    """
    return current_table().crashes.views(limit)


# -- which of them, and in which order ------------------------------------------------------


def _found(processes: Iterable[Process], text: str) -> list[Process]:
    return [
        process
        for process in processes
        if text in process.body.behaviour.casefold()
        or (process.name is not None and text in process.name.casefold())
        or (process.label is not None and text in process.label.casefold())
    ]


def _rank(sort: Sort, glance: Glance) -> _Rank:
    match sort:
        case "mailbox":
            return lambda process: len(process.mailbox.items)
        case "rate":
            return lambda process: glance.rate(process) or 0.0
        case "cpu":
            return lambda process: glance.cpu(process) or 0.0
        case "restarts":
            return lambda process: 0 if process.follower is None else process.follower.restarts
        case _:
            return lambda process: process.pid.number


def _ranked(
    processes: Iterable[Process], rank: _Rank, limit: int | None, *, oldest_first: bool
) -> list[Process]:
    """The first of them; of equal ones the oldest comes first."""
    if limit is None:
        return sorted(processes, key=rank, reverse=not oldest_first)
    choose = nsmallest if oldest_first else nlargest
    return choose(limit, processes, key=rank)


def _as_tree(processes: Iterable[Process], table: ProcessTable[Process]) -> list[Process]:
    """Each before its children; those whose parent is not among them stand at the top."""
    children: dict[Pid, list[Process]] = {}
    for process in processes:
        siblings = children.get(process.parent)
        if siblings is None:
            children[process.parent] = [process]
        else:
            siblings.append(process)
    order: list[Process] = []
    left = [iter(children.pop(table.owner, ()))]
    while left or children:
        if not left:  # their parent is not among them
            left.append(iter(children.pop(next(iter(children)))))
        for process in left[-1]:
            order.append(process)
            if process.pid in children:
                left.append(iter(children.pop(process.pid)))
                break
        else:
            left.pop()
    return order


def _check(sort: object, limit: object, find: object) -> None:
    if sort is not None and sort not in get_args(Sort):
        allowed = ", ".join(map(repr, get_args(Sort)))
        raise ValueError(f"sort: got {short_repr(sort)}, allowed are {allowed} and None")
    if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int)):
        raise TypeError(f"limit: got {short_repr(limit)}, allowed are an int of 0 or more and None")
    if limit is not None and limit < 0:
        raise ValueError(f"limit: got {limit}, allowed are an int of 0 or more and None")
    if not isinstance(find, str):
        raise TypeError(f"find: got {short_repr(find)}, allowed is a string")
