"""The frontier: knows what is to be checked and gives it to whoever asks.

It keeps nothing that the store does not have as well: started anew, in this run or in the next, it
asks the store for every known address and goes on with those that are due.
"""

from __future__ import annotations

import msgspec
import trio

from examples.sitecheck.crawl import Crawl
from examples.sitecheck.recheck import is_due
from examples.sitecheck.robots import Robots
from examples.sitecheck.store import STORE, KnownAddresses
from examples.sitecheck.urls import same_site
from examples.sitecheck.worklist import Work, WorkList
from runtime import (
    Call,
    Cast,
    Continue,
    Down,
    GenServer,
    NoReply,
    Pid,
    ReplyTo,
    Stop,
    handles,
    monitor,
    named,
    self_,
    send_after,
)

FRONTIER = named("frontier")


class Next(Call[Work]):
    """The next address for ``fetcher``; the reply comes when there is one."""

    fetcher: Pid


class Finished(Cast):
    """``fetcher`` has stored what it was given; ``links`` stand on that page."""

    fetcher: Pid
    links: tuple[str, ...]


class Progress(Cast):
    """``done`` pages of the ``total`` that are known now; cast to whoever shows it."""

    done: int
    total: int


class GetProgress(Call[Progress]):
    """How far the crawl is."""


class HandOut(msgspec.Struct, frozen=True):
    """The delay that the site asks for has passed: sent by the frontier to itself."""


class Frontier(GenServer):
    """Ends normally, as the first of the tree, when there is nothing left to check."""

    def __init__(self, crawl: Crawl) -> None:
        self.crawl = crawl
        self.robots = Robots(crawl.robots)
        self.work: WorkList[Pid] = WorkList(crawl.limit)
        self.waiting: dict[Pid, ReplyTo[Work]] = {}
        self.monitored: set[Pid] = set()
        self.not_before = 0.0
        self.timer_is_set = False

    async def init(self) -> Continue:
        for known in await STORE.call(KnownAddresses(), timeout=60.0):
            if known.checked_at is not None and known.checked_at >= self.crawl.started_at:
                self.work.done += 1
            if is_due(self.crawl.started_at, known.status, known.checked_at):
                self._add(known.url)
            else:
                self.work.skip(known.url)
        return Continue()

    def handle_continue(self, arg: object) -> Stop | None:
        return self._go_on()

    @handles(Next)
    def next_address(self, request: Next, reply_to: ReplyTo[Work]) -> NoReply:
        if request.fetcher not in self.monitored:
            self.monitored.add(request.fetcher)
            monitor(request.fetcher)
        self.waiting[request.fetcher] = reply_to
        self._hand_out()
        return NoReply()

    @handles(Finished)
    def finished(self, message: Finished) -> Stop | None:
        if self.work.finish(message.fetcher):
            for url in message.links:
                self._add(url)
        return self._go_on()

    @handles(Down)
    def fetcher_down(self, message: Down) -> Stop | None:
        if message.pid is not None:
            self.monitored.discard(message.pid)
            self.waiting.pop(message.pid, None)
            self.work.give_back(message.pid)
        return self._go_on()

    @handles(HandOut)
    def delay_passed(self, message: HandOut) -> None:
        self.timer_is_set = False
        self._hand_out()

    @handles(GetProgress)
    def get_progress(self, request: GetProgress) -> Progress:
        return Progress(self.work.done, self.work.total)

    def _go_on(self) -> Stop | None:
        named("reporter").cast(Progress(self.work.done, self.work.total))
        if self.work.is_finished:
            return Stop()
        self._hand_out()
        return None

    def _add(self, url: str) -> None:
        """Queue ``url`` if it is new, on this site, and may be asked for."""
        if url in self.work:
            return
        if same_site(url, self.crawl.start) and self.robots.allows(url):
            self.work.add(url)
        else:
            self.work.skip(url)

    def _hand_out(self) -> None:
        """Give work to those who wait for it, at the pace that robots.txt asks for."""
        while self.waiting and self.work.has_work and not self.timer_is_set:
            now = trio.current_time()
            if now < self.not_before:
                self.timer_is_set = True
                send_after(self_(), HandOut(), self.not_before - now)
                return
            self.not_before = now + self.robots.delay
            fetcher = next(iter(self.waiting))
            self.waiting.pop(fetcher).reply(self.work.take(fetcher))
