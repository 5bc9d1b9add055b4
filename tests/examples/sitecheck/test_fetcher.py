from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
import trio

from examples.sitecheck.crawl import Crawl
from examples.sitecheck.database import open_database, stored_pages
from examples.sitecheck.fetcher import Fetcher, given_up
from examples.sitecheck.frontier import Frontier
from examples.sitecheck.page import is_broken
from examples.sitecheck.store import Store
from runtime import Event, Instrument, ProcessCrashed, is_alive, kill, open_node, start, wait_exit
from tests.examples.sitecheck.server import Handler, anchors, serve

# Real HTTP, or a database in a thread.
pytestmark = pytest.mark.real_clock


async def test_a_fetcher_works_until_the_frontier_has_nothing_left(tmp_path: Path) -> None:
    routes = {"/": anchors("a", "b"), "/a": anchors("/"), "/b": "<html>"}
    with serve(routes) as site:
        crawl = Crawl(site.url, tmp_path / "site.db", 1.0)
        async with open_node():
            await start(Store.child_spec(crawl).replace(name="store"))
            frontier = await start(Frontier.child_spec(crawl).replace(name="frontier"))
            fetcher = await start(Fetcher.child_spec(crawl))
            await wait_exit(frontier)
            assert is_alive(fetcher)
        with closing(open_database(crawl.database)) as connection:
            pages = stored_pages(connection, site.url)
    assert [(page.url, page.status) for page in pages] == [
        (site.url, 200),
        (site.at("a"), 200),
        (site.at("b"), 200),
    ]


async def test_without_a_store_a_fetcher_waits_to_be_replaced(tmp_path: Path) -> None:
    crashes: list[Event] = []
    watch = Instrument(crashes.append, (ProcessCrashed,))
    asked = trio.Event()

    def answer_late(handler: Handler) -> None:
        trio.from_thread.run_sync(asked.set, trio_token=token)
        site.closing.wait()

    token = trio.lowlevel.current_trio_token()
    with serve({"/": answer_late}) as site:
        crawl = Crawl(site.url, tmp_path / "site.db", 1.0)
        async with open_node(instruments=[watch]):
            store = await start(Store.child_spec(crawl).replace(name="store"))
            await start(Frontier.child_spec(crawl).replace(name="frontier"))
            fetcher = await start(Fetcher.child_spec(crawl))
            await asked.wait()
            kill(store)
            site.closing.set()
            await trio.testing.wait_all_tasks_blocked(0.05)
            assert is_alive(fetcher)
    assert len(crashes) == 1  # the store


def test_an_address_that_is_given_up_has_a_row_that_says_so() -> None:
    page = given_up("http://s.test/deadly")
    assert is_broken(page.status)
    assert page.error == "given up: 3 fetchers died of it"
