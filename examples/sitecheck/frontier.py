"""The frontier: knows what is to be checked, and has it fetched.

It starts a fetch for one address after the other until the task supervisor takes no more, and goes
on when one has ended: that is all there is to the limit. It keeps nothing that the store does not
have as well: started anew, in this run or in the next, it asks the store for every known address
and goes on with those that are due. What was under way then has ended with it: the fetches and the
frontier live and die together.
"""

from __future__ import annotations

from functools import partial

import httpx2

from examples.sitecheck.client import CLIENT, GetClient
from examples.sitecheck.crawl import Crawl
from examples.sitecheck.fetches import FETCHES, fetch, given_up
from examples.sitecheck.recheck import is_due
from examples.sitecheck.robots import Robots
from examples.sitecheck.store import SAVE_TIMEOUT, STORE, KnownAddresses, Save
from examples.sitecheck.urls import same_site
from examples.sitecheck.worklist import WorkList
from runtime import (
    Call,
    CallExit,
    Cast,
    Continue,
    Crashed,
    Down,
    GenServer,
    Pid,
    Stop,
    TaskDone,
    handles,
    named,
)
from supervisors import MaxChildren

FRONTIER = named("frontier")


class Progress(Cast):
    """``done`` pages of the ``total`` that are known now; cast to whoever shows it."""

    done: int
    total: int


class GetProgress(Call[Progress]):
    """How far the crawl is."""


class Frontier(GenServer):
    """Ends normally, as the first of the tree, when there is nothing left to check."""

    client: httpx2.AsyncClient

    def __init__(self, crawl: Crawl) -> None:
        self.crawl = crawl
        self.may_ask = partial(may_ask, crawl.start, Robots(crawl.robots))
        self.work: WorkList[Pid | None] = WorkList(crawl.limit)

    async def init(self) -> Continue:
        self.client = await CLIENT.call(GetClient())
        for known in await STORE.call(KnownAddresses(), timeout=60.0):
            if known.checked_at is not None and known.checked_at >= self.crawl.started_at:
                self.work.done += 1
            if is_due(self.crawl.started_at, known.status, known.checked_at):
                self._add(known.url)
            else:
                self.work.skip(known.url)
        return Continue()

    async def handle_continue(self, arg: object) -> Stop | None:
        return await self._go_on()

    @handles(TaskDone)
    async def fetched(self, message: TaskDone[tuple[str, ...]]) -> Stop | None:
        self.work.finish(message.task.pid)
        for url in message.value:
            self._add(url)
        return await self._go_on()

    @handles(Down)
    async def fetch_failed(self, message: Down) -> Stop | None:
        """A fetch that was ended by somebody is asked again, one that crashed only so often."""
        crashed = isinstance(message.reason, Crashed)
        deadly = self.work.count_death(message.pid) if crashed else None
        if deadly is None:
            self.work.give_back(message.pid)
        else:
            await STORE.call(Save(given_up(deadly)), timeout=SAVE_TIMEOUT)
            self.work.finish(message.pid)
        return await self._go_on()

    @handles(GetProgress)
    def get_progress(self, request: GetProgress) -> Progress:
        return Progress(self.work.done, self.work.total)

    async def _go_on(self) -> Stop | None:
        named("reporter").cast(Progress(self.work.done, self.work.total))
        if self.work.is_finished:
            return Stop()
        await self._start_fetches()
        return None

    def _add(self, url: str) -> None:
        """Queue ``url`` if it is new, on this site, and may be asked for."""
        if url in self.work:
            return
        if self.may_ask(url):
            self.work.add(url)
        else:
            self.work.skip(url)

    async def _start_fetches(self) -> None:
        """As many as there may be at once; this is called again whenever one has ended."""
        while (url := self.work.next) is not None:
            try:
                task = await FETCHES.start_nolink(
                    fetch, self.client, url, self.may_ask, self.crawl.timeout
                )
            except (MaxChildren, CallExit):  # as many as may be; or gone, as this soon will be
                return
            self.work.take(task.pid)


def may_ask(start: str, robots: Robots, url: str) -> bool:
    """Whether ``url`` belongs to the site of ``start`` and its owner lets us ask for it."""
    return same_site(url, start) and robots.allows(url)
