from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio

from examples.sitecheck.crawl import Crawl
from examples.sitecheck.frontier import FRONTIER, Finished, Frontier, GetProgress, Next, Progress
from examples.sitecheck.page import Page
from examples.sitecheck.recheck import DAY
from examples.sitecheck.store import STORE, Save, Store
from examples.sitecheck.worklist import Work
from runtime import Normal, Pid, Ref, kill, open_node, receive, spawn, start, wait_exit

# Real HTTP, or a database in a thread.
pytestmark = pytest.mark.real_clock

START = "http://s.test/"
NOW = 1_000 * DAY


@asynccontextmanager
async def frontier_of(
    database: Path, *, limit: int | None = None, robots: str = "", known: Sequence[Page] = ()
) -> AsyncGenerator[Ref, None]:
    crawl = Crawl(START, database, NOW, robots=robots, limit=limit)
    async with open_node():
        await start(Store.child_spec(crawl).replace(name="store"))
        for page in known:
            await STORE.call(Save(page))
        yield await start(Frontier.child_spec(crawl).replace(name="frontier"))


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "site.db"


def page(path: str, *links: str, status: int | None = 200, days: float = 0) -> Page:
    """A page that was checked ``days`` ago."""
    targets = tuple(START + link for link in links)
    return Page(START + path, status, None, 0.1, 10, "text/html", NOW - days * DAY, targets)


async def idle() -> None:
    """A process that stands for a fetcher; the test speaks for it."""
    await receive(lambda message: False)


async def next_of(fetcher: Pid) -> str:
    return (await FRONTIER.call(Next(fetcher))).url


async def test_a_new_crawl_begins_at_the_start_and_ends_when_nothing_is_left(
    database: Path,
) -> None:
    async with frontier_of(database) as frontier:
        fetcher = spawn(idle)
        assert await FRONTIER.call(Next(fetcher)) == Work(START)
        assert await FRONTIER.call(GetProgress()) == Progress(0, 1)
        FRONTIER.cast(Finished(fetcher, (f"{START}a", "http://elsewhere.test/", START)))
        assert await next_of(fetcher) == f"{START}a"
        pid = frontier.pid
        FRONTIER.cast(Finished(fetcher, ()))
        assert await wait_exit(pid) == Normal()


async def test_who_asks_when_there_is_nothing_waits_until_there_is(database: Path) -> None:
    async with frontier_of(database):
        one, two = spawn(idle), spawn(idle)
        await next_of(one)
        urls: list[str] = []

        async def ask() -> None:
            urls.append(await next_of(two))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(ask)
            await trio.testing.wait_all_tasks_blocked()
            assert urls == []
            FRONTIER.cast(Finished(one, (f"{START}a",)))
        assert urls == [f"{START}a"]


async def test_what_a_dead_fetcher_had_goes_to_another(database: Path) -> None:
    async with frontier_of(database):
        one, two = spawn(idle), spawn(idle)
        assert await next_of(one) == START
        kill(one)
        assert await next_of(two) == START


async def test_what_is_due_is_checked_again_and_what_is_not_is_left(database: Path) -> None:
    known = [
        page("", "old", "fresh", "broken", "just-broken", "new", days=1),
        page("old", days=8),
        page("fresh", days=6),
        page("broken", status=404, days=4),
        page("just-broken", status=404, days=2),
    ]
    async with frontier_of(database, known=known):
        fetchers = [spawn(idle) for _ in range(3)]
        urls = [await next_of(fetcher) for fetcher in fetchers]
        assert urls == [f"{START}broken", f"{START}new", f"{START}old"]
        assert await FRONTIER.call(GetProgress()) == Progress(0, 3)


async def test_when_nothing_is_due_the_crawl_is_over_at_once(database: Path) -> None:
    async with frontier_of(database, known=[page("", days=1)]) as frontier:
        # It may have ended before this line asks who it is.
        if (pid := frontier.whereis()) is not None:
            assert await wait_exit(pid) == Normal()


async def test_a_limit_counts_what_this_run_has_checked_before(database: Path) -> None:
    known = [page("", "a", "b", "c"), page("a")]
    async with frontier_of(database, limit=3, known=known):
        one = spawn(idle)
        assert await FRONTIER.call(GetProgress()) == Progress(2, 3)
        assert await next_of(one) == f"{START}b"


async def test_what_robots_txt_forbids_is_not_given_out(database: Path) -> None:
    robots = "User-agent: *\nDisallow: /private\n"
    async with frontier_of(database, robots=robots):
        fetcher = spawn(idle)
        await next_of(fetcher)
        links = (f"{START}private/x", "http://[::1/", f"{START}public")
        FRONTIER.cast(Finished(fetcher, links))
        assert await next_of(fetcher) == "http://[::1/"
        FRONTIER.cast(Finished(fetcher, ()))
        assert await next_of(fetcher) == f"{START}public"


async def test_a_delay_that_robots_txt_asks_for_is_kept(database: Path) -> None:
    robots = "User-agent: *\nCrawl-delay: 1\n"
    known = [page("", "a", "b", days=1)]
    async with frontier_of(database, robots=robots, known=known):
        one, two = spawn(idle), spawn(idle)
        await next_of(one)
        started = trio.current_time()
        await next_of(two)
        assert trio.current_time() - started > 0.8
