"""The service as a tree: who stands where, and what is restarted with whom.

::

    sitecheck      rest_for_one: what follows a child depends on it and is restarted with it
    |-- chaos      only with --chaos
    |-- store      the database
    |-- frontier   rebuilds itself from the store; when it is done, so is the tree
    |-- fetchers   one_for_one: a fetcher is nobody's business but its own
    |   |-- fetcher-1
    |   `-- ...
    `-- reporter   only on a terminal
"""

from __future__ import annotations

from typing import TypedDict

from examples.sitecheck.chaos import cause_chaos, choose_spacing, choose_victims
from examples.sitecheck.crawl import Crawl
from examples.sitecheck.fetcher import Fetcher
from examples.sitecheck.frontier import Frontier
from examples.sitecheck.reporter import Reporter
from examples.sitecheck.store import Store
from runtime import ChildSpec, child_spec
from supervisors import AutoShutdown, Strategy, Supervisor

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
        Frontier.child_spec(crawl).replace(name="frontier", restart="transient", significant=True),
        _fetchers(crawl),
        None if crawl.quiet else Reporter.child_spec().replace(name="reporter"),
    ]


def _fetchers(crawl: Crawl) -> ChildSpec:
    fetchers = [Fetcher.child_spec(crawl).replace(name=name) for name in _fetcher_names(crawl)]
    return Supervisor.child_spec(
        fetchers, strategy="one_for_one", max_restarts=MAX_RESTARTS, max_seconds=MAX_SECONDS
    ).replace(name="fetchers")


def _fetcher_names(crawl: Crawl) -> list[str]:
    return [f"fetcher-{number}" for number in range(1, crawl.workers + 1)]


def _chaos(crawl: Crawl) -> ChildSpec | None:
    if not crawl.chaos:
        return None
    others = ["fetchers", *_fetcher_names(crawl)]
    if not crawl.quiet:
        others.append("reporter")
    victims = choose_victims(crawl.chaos, others, crawl.seed)
    spacing = choose_spacing(crawl.chaos, MAX_RESTARTS, MAX_SECONDS)
    return child_spec(cause_chaos, victims, spacing, [ROOT, "fetchers"]).replace(
        name="chaos", restart="temporary", significant=True
    )
