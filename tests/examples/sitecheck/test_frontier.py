from __future__ import annotations

import threading
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager, closing
from pathlib import Path

import httpx2
import pytest
import trio

from examples.sitecheck.crawl import Crawl
from examples.sitecheck.database import open_database, save_pages
from examples.sitecheck.fetch import check_page
from examples.sitecheck.fetches import FETCHES
from examples.sitecheck.frontier import FRONTIER, GetProgress, Progress
from examples.sitecheck.page import Page
from examples.sitecheck.recheck import DAY
from examples.sitecheck.tree import TREE, children
from examples.sitecheck.worklist import MAX_ATTEMPTS
from runtime import Pid, is_alive, kill, wait_exit
from supervisors import open_supervisor
from tests.examples.sitecheck.found import found
from tests.examples.sitecheck.server import Handler, Route, anchors, send, serve

# Real HTTP, or a database in a thread.
pytestmark = pytest.mark.real_clock

NOW = 1_000 * DAY


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "site.db"


@asynccontextmanager
async def service(crawl: Crawl, known: Sequence[Page] = ()) -> AsyncGenerator[None]:
    """The whole tree; the block is left when the frontier has nothing left."""
    with closing(open_database(crawl.database)) as connection:
        save_pages(connection, known)
    async with open_supervisor(children(crawl), instruments=[], **TREE):
        yield


async def complete(crawl: Crawl, known: Sequence[Page] = ()) -> None:
    """Run a crawl to its end."""
    async with service(crawl, known):
        await trio.sleep_forever()


def crawl_of(
    start: str, database: Path, *, limit: int | None = None, robots: str = "", workers: int = 4
) -> Crawl:
    return Crawl(start, database, NOW, robots=robots, workers=workers, limit=limit, quiet=True)


def page(url: str, *links: str, status: int | None = 200, days: float = 0) -> Page:
    """A page that was checked ``days`` ago."""
    return Page(url, status, None, 0.1, 10, "text/html", NOW - days * DAY, links)


class Held:
    """Pages that are answered when the test says so."""

    def __init__(self) -> None:
        self.may_answer = threading.Event()
        self.under_way = self.most = self.asked = 0
        self._changed = threading.Condition()

    def route(self, html: str = "<html>") -> Route:
        def answer(handler: Handler) -> None:
            self._count(1)
            self.may_answer.wait(30)
            self._count(-1)
            send(handler, html)

        return answer

    def _count(self, by: int) -> None:
        with self._changed:
            self.under_way += by
            self.most = max(self.most, self.under_way)
            self.asked += by > 0
            self._changed.notify_all()

    async def until_asked(self, times: int) -> None:
        """Wait until so many requests have come in."""
        await trio.to_thread.run_sync(self._until, lambda: self.asked >= times)

    def _until(self, reached: Callable[[], bool]) -> None:
        with self._changed:
            assert self._changed.wait_for(reached, 30)


async def only_fetch() -> Pid:
    (pid,) = await FETCHES.children()
    return pid


async def test_a_new_crawl_begins_at_the_start_and_ends_when_nothing_is_left(
    database: Path,
) -> None:
    held = Held()
    links = anchors("a", "http://elsewhere.test/", "/")
    with serve({"/": held.route(links), "/a": "<html>"}) as site:
        async with service(crawl_of(site.url, database)):
            await held.until_asked(1)
            assert await FRONTIER.call(GetProgress()) == Progress(0, 1)
            held.may_answer.set()
            await trio.sleep_forever()
        assert site.asked == ["/", "/a"]


async def test_there_are_never_more_fetches_than_workers(database: Path) -> None:
    held = Held()
    routes = {f"/{number}": held.route() for number in range(7)}
    with serve({"/": anchors(*routes), **routes}) as site:
        async with service(crawl_of(site.url, database, workers=3)):
            await held.until_asked(3)
            await trio.testing.wait_all_tasks_blocked(0.05)
            assert len(await FETCHES.children()) == 3
            held.may_answer.set()
            await trio.sleep_forever()
        assert sorted(site.asked) == ["/", *sorted(routes)]
    assert held.most == 3


async def test_a_fetch_that_is_killed_is_asked_again_however_often(database: Path) -> None:
    held = Held()
    with serve({"/": held.route(anchors("/a")), "/a": "<html>"}) as site:
        async with service(crawl_of(site.url, database)):
            for times in range(1, MAX_ATTEMPTS + 3):
                await held.until_asked(times)
                kill(await only_fetch())
            await held.until_asked(MAX_ATTEMPTS + 3)
            held.may_answer.set()
            await trio.sleep_forever()
        assert found(site.url, database).statuses == {site.url: 200, site.at("a"): 200}


async def test_when_the_frontier_is_killed_its_fetches_end_and_are_asked_again(
    database: Path,
) -> None:
    held = Held()
    with serve({"/": held.route()}) as site:
        async with service(crawl_of(site.url, database)):
            await held.until_asked(1)
            before = await only_fetch()
            kill(FRONTIER)
            await wait_exit(before)
            await held.until_asked(2)
            assert not is_alive(before)
            assert await only_fetch() != before
            held.may_answer.set()
            await trio.sleep_forever()
        assert found(site.url, database).statuses == {site.url: 200}


async def test_an_address_that_every_fetch_dies_of_is_given_up(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    died = 0

    async def deadly(
        client: httpx2.AsyncClient, url: str, may_ask: Callable[[str], bool], timeout: float
    ) -> Page:
        nonlocal died
        if url.endswith("deadly"):
            died += 1
            raise MemoryError
        return await check_page(client, url, may_ask, timeout)

    monkeypatch.setattr("examples.sitecheck.fetches.check_page", deadly)
    with serve({"/": anchors("deadly", "a"), "/a": "<html>"}) as site:
        await complete(crawl_of(site.url, database))
        statuses, errors, _ = found(site.url, database)
        assert statuses == {site.url: 200, site.at("a"): 200, site.at("deadly"): None}
        assert errors[site.at("deadly")] == "given up: 3 fetches died of it"
    assert died == MAX_ATTEMPTS


async def test_what_is_due_is_checked_again_and_what_is_not_is_left(database: Path) -> None:
    names = ("old", "fresh", "broken", "just-broken", "new")
    with serve({f"/{name}": "<html>" for name in names}) as site:
        known = [
            page(site.url, *map(site.at, names), days=1),
            page(site.at("old"), days=8),
            page(site.at("fresh"), days=6),
            page(site.at("broken"), status=404, days=4),
            page(site.at("just-broken"), status=404, days=2),
        ]
        await complete(crawl_of(site.url, database, workers=1), known)
        assert site.asked == ["/broken", "/new", "/old"]


async def test_when_nothing_is_due_the_crawl_is_over_at_once(database: Path) -> None:
    with serve({}) as site:
        await complete(crawl_of(site.url, database), [page(site.url, days=1)])
        assert site.asked == []


async def test_a_limit_counts_what_this_run_has_checked_before(database: Path) -> None:
    held = Held()
    with serve({"/b": held.route()}) as site:
        known = [page(site.url, *map(site.at, "abc")), page(site.at("a"))]
        async with service(crawl_of(site.url, database, limit=3), known):
            assert await FRONTIER.call(GetProgress()) == Progress(2, 3)
            held.may_answer.set()
            await trio.sleep_forever()
        assert site.asked == ["/b"]


async def test_what_robots_txt_forbids_is_not_asked_for(database: Path) -> None:
    robots = "User-agent: *\nDisallow: /private\n"
    with serve({"/": anchors("private/x", "http://[::1/", "public")}) as site:
        await complete(crawl_of(site.url, database, robots=robots))
        assert site.asked == ["/", "/public"]
        assert "http://[::1/" in found(site.url, database).statuses


async def test_a_delay_that_robots_txt_asks_for_is_kept(database: Path) -> None:
    robots = "User-agent: *\nCrawl-delay: 1\n"
    times: list[float] = []

    def note_time(handler: Handler) -> None:
        times.append(time.monotonic())
        send(handler, anchors("a", "b"))

    with serve({"/": note_time, "/a": note_time, "/b": note_time}) as site:
        await complete(crawl_of(site.url, database, robots=robots))
    first, second, third = times
    assert min(second - first, third - second) > 0.8
