"""The whole service over real HTTP, in this process."""

from __future__ import annotations

import time
from pathlib import Path
from typing import NamedTuple

import pytest
import trio

from examples.sitecheck.crawl import Crawl
from examples.sitecheck.restarts import RestartCount
from examples.sitecheck.site_process import PydocSite
from examples.sitecheck.tree import TREE, children
from runtime import kill, named, open_node
from supervisors import open_supervisor
from tests.examples.sitecheck.found import expected, found
from tests.examples.sitecheck.server import Handler, Route, anchors, answer, redirect, send, serve
from tests.examples.sitecheck.slow_site import SlowSite
from tests.examples.sitecheck.walk import walk

# Real HTTP, or a database in a thread.
pytestmark = pytest.mark.real_clock


class Options(NamedTuple):
    """What a test says of its crawl."""

    workers: int = 4
    limit: int | None = None
    timeout: float = 10.0
    chaos: int = 0
    seed: int = 0
    robots: str = ""


PLAIN = Options()


async def crawl(start: str, database: Path, options: Options = PLAIN) -> RestartCount:
    """Run the tree until it ends by itself."""
    config = Crawl(start, database, time.time(), quiet=True, **options._asdict())
    restarts = RestartCount()
    async with open_node(instruments=[restarts.instrument]):
        async with open_supervisor(children(config), **TREE):
            await trio.sleep_forever()
    return restarts


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "site.db"


async def test_a_crawl_finds_what_a_walk_over_the_files_finds(
    small_site: PydocSite, database: Path
) -> None:
    restarts = await crawl(small_site.url, database)
    walked = walk(small_site.directory)
    assert found(small_site.url, database) == expected(walked, small_site.url)
    assert restarts.by_child == {}


@pytest.mark.parametrize("seed", range(1, 4))
async def test_with_chaos_a_crawl_finds_exactly_what_it_finds_without(
    tmp_path: Path, seed: int
) -> None:
    slow = SlowSite(pages=120)
    with serve(slow.routes) as site:
        await crawl(site.url, tmp_path / "calm.db", Options(workers=8))
        calm = found(site.url, tmp_path / "calm.db")
        chaotic = Options(workers=2, chaos=5, seed=seed)
        restarts = await crawl(site.url, tmp_path / "chaos.db", chaotic)
        assert found(site.url, tmp_path / "chaos.db") == calm
        assert calm.statuses == {site.at(path): code for path, code in slow.statuses.items()}
    assert restarts.by_child.total() == 5
    assert {"store", "frontier"} <= restarts.by_child.keys()


@pytest.mark.parametrize("victim", ["store", "hosts", "client", "crawler", "fetches", "frontier"])
async def test_whoever_is_killed_is_restarted_once_and_nothing_is_lost_or_wrong(
    victim: str, database: Path
) -> None:
    slow = SlowSite(pages=40)
    restarts = RestartCount()
    with serve(slow.routes) as site:
        config = Crawl(site.url, database, time.time(), quiet=True, workers=4)
        async with open_node(instruments=[restarts.instrument]):
            async with open_supervisor(children(config), **TREE):
                await trio.to_thread.run_sync(slow.half_way.wait)
                kill(named(victim))
                await trio.sleep_forever()
        after = found(site.url, database)
        assert after.statuses == {site.at(path): code for path, code in slow.statuses.items()}
        assert set(after.errors.values()) == {None}
    assert restarts.by_child == {victim: 1}


async def test_a_finished_crawl_run_again_asks_for_nothing(database: Path) -> None:
    with serve({"/": anchors("a", "gone"), "/a": "<html>"}) as site:
        await crawl(site.url, database)
        assert sorted(site.asked) == ["/", "/a", "/gone"]
        before = found(site.url, database)
        await crawl(site.url, database)
        assert len(site.asked) == 3
        assert found(site.url, database) == before


async def test_a_crawl_that_was_limited_is_completed_by_the_next(database: Path) -> None:
    routes = {"/": anchors("a", "b", "c", "d"), "/a": anchors("e")}
    with serve(routes) as site:
        await crawl(site.url, database, Options(limit=3))
        assert len(site.asked) == 3
        assert len(found(site.url, database).statuses) == 3
        await crawl(site.url, database)
        assert sorted(site.asked) == ["/", "/a", "/b", "/c", "/d", "/e"]


async def test_everything_that_can_be_wrong_with_a_page_is_a_row(database: Path) -> None:
    def hang(handler: Handler) -> None:
        site.closing.wait()

    def huge(handler: Handler) -> None:
        send(handler, b"<html>" + b"x" * 50_000_000)

    routes: dict[str, Route] = {
        "/": anchors(
            "missing", "fails", "hangs", "loop", "image", "huge", "broken", "http://[::1/", "ok",
            "http://127.0.0.1:1/", "mailto:x@y.test",
        ),
        "/fails": answer("", 500),
        "/hangs": hang,
        "/loop": redirect("/pool"),
        "/pool": redirect("/loop"),
        "/image": answer("png", content_type="image/png"),
        "/huge": huge,
        "/broken": '<html <![<a href="ok"',
        "/ok": "<html>",
    }  # fmt: skip
    with serve(routes) as site:
        await crawl(site.url, database, Options(workers=8, timeout=1.0))
    statuses, errors, links = found(site.url, database)
    rows = {url.removeprefix(site.url): (status, errors[url]) for url, status in statuses.items()}
    assert rows == {
        site.url.removeprefix(site.url): (200, None),
        "missing": (404, None),
        "fails": (500, None),
        "hangs": (None, "no answer within 1 s"),
        "loop": (None, f"redirect loop back to {site.at('loop')}"),
        "pool": (None, f"redirect loop back to {site.at('pool')}"),
        "image": (200, None),
        "huge": (200, "longer than 2097152 bytes, the rest was not read"),
        "broken": (200, None),
        "http://[::1/": (None, "bad URL: Invalid IPv6 URL"),
        "ok": (200, None),
    }
    assert (site.url, "http://127.0.0.1:1/") in links


@pytest.mark.parametrize(
    ("start", "error"),
    [
        ("http://nosuchhost.invalid/", "unknown host"),
        ("http://127.0.0.1:1/", "connection refused"),
    ],
)
async def test_a_site_that_is_not_there_is_a_row(start: str, error: str, database: Path) -> None:
    await crawl(start, database)
    assert found(start, database) == ({start: None}, {start: error}, set())


async def test_robots_txt_is_honoured(database: Path) -> None:
    with serve({"/": anchors("public", "private"), "/public": "<html>"}) as site:
        await crawl(site.url, database, Options(robots="User-agent: *\nDisallow: /private"))
        assert sorted(site.asked) == ["/", "/public"]
        assert site.at("private") not in found(site.url, database).statuses


async def test_leaving_in_the_middle_is_an_orderly_end_and_the_next_run_goes_on(
    database: Path,
) -> None:
    slow = SlowSite(pages=40)
    with serve(slow.routes) as site:
        config = Crawl(site.url, database, time.time(), quiet=True, workers=2)
        async with open_supervisor(children(config), **TREE):
            await trio.to_thread.run_sync(slow.half_way.wait)
        before = found(site.url, database).statuses
        assert 1 < len(before) < 40
        asked = len(site.asked)
        await crawl(site.url, database)
        again = {site.at(path) for path in site.asked[asked:]} - {site.at("/5")}
        assert not again & before.keys()
        after = found(site.url, database).statuses
        assert after == {site.at(path): code for path, code in slow.statuses.items()}
