from __future__ import annotations

import threading
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import httpx2
import pytest
import trio

from examples.sitecheck.client import CLIENT, Client, GetClient
from examples.sitecheck.crawl import Crawl
from examples.sitecheck.database import open_database, stored_pages
from examples.sitecheck.fetches import FETCHES, fetch, given_up
from examples.sitecheck.hosts import HOSTS, host_limits, host_of
from examples.sitecheck.page import is_broken
from examples.sitecheck.store import Store
from runtime import Crashed, Exited, Ok, ProcessCrashed, Shutdown, Task, kill, named, wait_exit
from supervisors import TaskSupervisor, open_supervisor
from tests.conftest import Recorder
from tests.examples.sitecheck.server import Handler, Route, Site, anchors, serve

# Real HTTP, or a database in a thread.
pytestmark = pytest.mark.real_clock


class Slow:
    """A route that says when it was asked, and answers when it may."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.may_answer = threading.Event()

    def route(self) -> Route:
        def answer(handler: Handler) -> None:
            self.asked.set()
            self.may_answer.wait(30)
            handler.send_error(404)

        return answer


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "site.db"


@asynccontextmanager
async def service(site: Site, database: Path) -> AsyncGenerator[httpx2.AsyncClient]:
    """Everything a fetch relies on, each by itself: no frontier, and nobody is stopped with it."""
    crawl = Crawl(site.url, database, 1.0, workers=2)
    events = Recorder()
    children = [
        Store.child_spec(crawl).replace(name="store", restart="temporary"),
        host_limits(crawl).replace(name="hosts", restart="temporary"),
        Client.child_spec().replace(name="client", restart="temporary"),
        TaskSupervisor.child_spec().replace(name="fetches"),
    ]
    async with open_supervisor(children, instruments=[events.instrument]):
        yield await CLIENT.call(GetClient())
    ends = [event.reason for event in events.of(ProcessCrashed)]
    assert not any(isinstance(reason, Crashed) for reason in ends)  # some were killed


async def start_fetch(client: httpx2.AsyncClient, url: str) -> Task[tuple[str, ...]]:
    return await FETCHES.start_nolink(fetch, client, url, lambda url: True, 10.0)


def stored(site: Site, database: Path) -> list[tuple[str, int | None]]:
    with closing(open_database(database)) as connection:
        return [(page.url, page.status) for page in stored_pages(connection, site.url)]


async def test_a_fetch_returns_the_links_when_the_page_is_on_disk(database: Path) -> None:
    with serve({"/": anchors("a", "b")}) as site:
        async with service(site, database) as client:
            task = await start_fetch(client, site.url)
            assert await task.wait() == Ok((site.at("a"), site.at("b")))
            assert stored(site, database) == [(site.url, 200)]


async def test_a_malformed_address_is_a_page_too(database: Path) -> None:
    with serve({}) as site:
        async with service(site, database) as client:
            assert await (await start_fetch(client, "http://[::1/")).wait() == Ok(())


@pytest.mark.parametrize("victim", ["store", "client"])
async def test_when_what_it_relies_on_ends_a_fetch_ends_and_nothing_is_stored(
    victim: str, database: Path
) -> None:
    slow = Slow()
    with serve({"/": slow.route()}) as site:
        async with service(site, database) as client:
            task = await start_fetch(client, site.url)
            assert await trio.to_thread.run_sync(slow.asked.wait, 30)
            pid = named(victim).pid
            kill(pid)
            await wait_exit(pid)
            slow.may_answer.set()
            assert await task.wait() == Exited(Shutdown())
        assert stored(site, database) == []


async def test_a_fetch_that_waits_for_its_turn_ends_with_the_limiter(database: Path) -> None:
    with serve({"/": "<html>"}) as site:
        async with service(site, database) as client:
            for _ in range(2):
                await HOSTS.acquire(host_of(site.url))
            task = await start_fetch(client, site.url)
            await trio.testing.wait_all_tasks_blocked(0.05)
            kill(named("hosts"))
            assert await task.wait() == Exited(Shutdown())
        assert site.asked == []


def test_an_address_that_is_given_up_has_a_row_that_says_so() -> None:
    page = given_up("http://s.test/deadly")
    assert is_broken(page.status)
    assert page.error == "given up: 3 fetches died of it"
