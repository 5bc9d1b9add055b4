"""The service as a tree: who stands where, and what is restarted with whom.

::

    sitecheck          rest_for_one: what follows a child depends on it and is restarted with it
    |-- chaos          only with --chaos
    |-- store          the database
    |-- hosts          a rate limiter per host
    |-- client         the connections
    |-- crawler        one_for_all: done when the frontier is, and so is the tree then
    |   |-- fetches    runs each fetch as a task, so many at once
    |   `-- frontier   starts the fetches; rebuilds itself from the store
    `-- reporter       only on a terminal

The fetches are temporary children, never restarted: the frontier has an address fetched again. When
one of the two ends, the other does, so no fetch outlives the frontier that waits for it.
"""

from __future__ import annotations

from typing import TypedDict

from examples.sitecheck.chaos import cause_chaos, choose_spacing, choose_victims
from examples.sitecheck.client import Client
from examples.sitecheck.crawl import Crawl
from examples.sitecheck.frontier import Frontier
from examples.sitecheck.hosts import host_limits
from examples.sitecheck.reporter import Reporter
from examples.sitecheck.store import Store
from runtime import ChildSpec, child_spec
from supervisors import AutoShutdown, Strategy, Supervisor, TaskSupervisor

ROOT = "sitecheck"

# Restarts are few but for chaos. What cannot work, such as a full disk, is given up after so many.
MAX_RESTARTS = 20
MAX_SECONDS = 30.0


class TreeOptions(TypedDict):
    """The keywords of ``open_supervisor`` and ``run`` that belong to the tree."""

    name: str
    strategy: Strategy
    max_restarts: int
    max_seconds: float
    auto_shutdown: AutoShutdown


TREE: TreeOptions = {
    "name": ROOT,
    "strategy": "rest_for_one",
    "max_restarts": MAX_RESTARTS,
    "max_seconds": MAX_SECONDS,
    "auto_shutdown": "all_significant",
}


def children(crawl: Crawl) -> list[ChildSpec | None]:
    """The children of the root, for ``open_supervisor(children(crawl), **TREE)``."""
    return [
        _chaos(crawl),
        Store.child_spec(crawl).replace(name="store"),
        host_limits(crawl).replace(name="hosts"),
        Client.child_spec().replace(name="client"),
        crawler(crawl).replace(name="crawler", restart="transient", significant=True),
        None if crawl.quiet else Reporter.child_spec().replace(name="reporter"),
    ]


def crawler(crawl: Crawl) -> ChildSpec:
    """The frontier and its fetches; ends by itself when there is nothing left to check."""
    fetches = TaskSupervisor.child_spec(max_children=crawl.workers)
    frontier = Frontier.child_spec(crawl)
    return Supervisor.child_spec(
        [
            fetches.replace(name="fetches"),
            frontier.replace(name="frontier", restart="transient", significant=True),
        ],
        strategy="one_for_all",
        max_restarts=MAX_RESTARTS,
        max_seconds=MAX_SECONDS,
        auto_shutdown="any_significant",
    )


def _chaos(crawl: Crawl) -> ChildSpec | None:
    if not crawl.chaos:
        return None
    others = ["hosts", "client", "crawler", "fetches"]
    if not crawl.quiet:
        others.append("reporter")
    victims = choose_victims(crawl.chaos, others, crawl.seed)
    spacing = choose_spacing(crawl.chaos, MAX_RESTARTS, MAX_SECONDS)
    return child_spec(
        cause_chaos, victims, spacing, [ROOT, "crawler"], "fetches", crawl.seed
    ).replace(name="chaos", restart="temporary", significant=True)
