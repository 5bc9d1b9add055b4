"""A fetcher: asks the frontier for an address, fetches it, has it stored, and again.

A page counts as done only when the store has said so. If the store or the frontier is gone, the
fetcher does nothing: it stands behind them in a ``rest_for_one`` tree and is about to be replaced.
"""

from __future__ import annotations

import math
import time

import httpx2

from examples.sitecheck.crawl import Crawl
from examples.sitecheck.fetch import check_page, open_client
from examples.sitecheck.frontier import FRONTIER, Finished, Next
from examples.sitecheck.page import Page
from examples.sitecheck.robots import Robots
from examples.sitecheck.store import STORE, Save
from examples.sitecheck.urls import same_site
from examples.sitecheck.worklist import MAX_ATTEMPTS, Work
from runtime import CallExit, Continue, GenServer, self_

SAVE_TIMEOUT = 60.0


class Fetcher(GenServer):
    """Fetches one page at a time, over a connection of its own that stays open."""

    client: httpx2.AsyncClient

    def __init__(self, crawl: Crawl) -> None:
        self.crawl = crawl
        self.robots = Robots(crawl.robots)

    async def init(self) -> Continue:
        self.client = await self.enter(open_client())
        return Continue()

    async def handle_continue(self, arg: object) -> Continue | None:
        try:
            work = await FRONTIER.call(Next(self_()), timeout=math.inf)
            page = await self._check(work)
            await STORE.call(Save(page), timeout=SAVE_TIMEOUT)
        except CallExit:
            return None
        FRONTIER.cast(Finished(self_(), page.links))
        return Continue()

    async def _check(self, work: Work) -> Page:
        if work.hopeless:
            return given_up(work.url)
        return await check_page(self.client, work.url, self._may_ask, self.crawl.timeout)

    def _may_ask(self, url: str) -> bool:
        return same_site(url, self.crawl.start) and self.robots.allows(url)


def given_up(url: str) -> Page:
    """The row for an address that ended every fetcher that had it."""
    return Page(
        url=url,
        status=None,
        error=f"given up: {MAX_ATTEMPTS} fetchers died of it",
        seconds=0.0,
        bytes=0,
        content_type=None,
        checked_at=time.time(),
    )
