from __future__ import annotations

import math
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest
import trio

from examples.sitecheck.crawl import Crawl
from examples.sitecheck.database import Known, open_database, stored_pages
from examples.sitecheck.page import Page
from examples.sitecheck.store import STORE, KnownAddresses, Save, Store
from runtime import CallExit, Ref, kill, open_node, start

# Real HTTP, or a database in a thread.
pytestmark = pytest.mark.real_clock

START = "http://s.test/"


def page(path: str, *links: str) -> Page:
    return Page(START + path, 200, None, 0.1, 10, "text/html", 1.0, links)


def on_disk(database: Path) -> list[Page]:
    with closing(open_database(database)) as connection:
        return stored_pages(connection, START)


@asynccontextmanager
async def store_of(database: Path) -> AsyncGenerator[Ref, None]:
    async with open_node():
        crawl = Crawl(START, database, 1.0)
        yield await start(Store.child_spec(crawl).replace(name="store"))


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "site.db"


async def test_when_a_save_is_answered_the_page_is_on_disk(database: Path) -> None:
    async with store_of(database):
        await STORE.call(Save(page("")), timeout=math.inf)
        assert on_disk(database) == [page("")]


async def test_pages_that_arrive_together_are_all_stored(database: Path) -> None:
    links = tuple(f"{START}{number:03}" for number in range(300))
    async with store_of(database):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(STORE.call, Save(page("", *links)))
            for number in range(300):
                nursery.start_soon(STORE.call, Save(page(f"{number:03}")))
    assert len(on_disk(database)) == 301


async def test_what_is_known_is_told(database: Path) -> None:
    async with store_of(database):
        assert await STORE.call(KnownAddresses()) == [Known(START, None, None)]
        await STORE.call(Save(page("", f"{START}a")))
        assert await STORE.call(KnownAddresses()) == [
            Known(START, 200, 1.0),
            Known(f"{START}a", None, None),
        ]


async def test_what_was_answered_survives_a_kill(database: Path) -> None:
    async with store_of(database) as store:
        await STORE.call(Save(page("")))
        kill(store)
        with pytest.raises(CallExit):
            await STORE.call(Save(page("late")))
    assert on_disk(database) == [page("")]


async def test_what_was_not_answered_is_stored_when_the_store_is_stopped(database: Path) -> None:
    async with store_of(database) as store:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_save_and_lose, page(""))
            await trio.testing.wait_all_tasks_blocked()
            nursery.cancel_scope.cancel()
        await store.stop()
    assert on_disk(database) == [page("")]


async def _save_and_lose(saved: Page) -> None:
    await STORE.call(Save(saved))
