from __future__ import annotations

import pytest

from examples.sitecheck.client import open_client
from examples.sitecheck.robots import ALLOW_ALL, DISALLOW_ALL, Robots, read_robots
from tests.examples.sitecheck.server import answer, redirect, serve

# Real HTTP, or a database in a thread.
pytestmark = pytest.mark.real_clock

RULES = "User-agent: other\nDisallow: /\n\nUser-agent: *\nDisallow: /private\nCrawl-delay: 2\n"


async def rules_of(start: str) -> str:
    async with open_client() as client:
        return await read_robots(client, start, timeout=5.0)


def test_rules_are_those_for_everybody_and_for_us() -> None:
    robots = Robots(RULES)
    assert robots.allows("http://site.test/public")
    assert not robots.allows("http://site.test/private/x")
    assert robots.delay == 2.0


def test_without_rules_everything_is_allowed_at_once() -> None:
    robots = Robots(ALLOW_ALL)
    assert robots.allows("http://site.test/x")
    assert robots.delay == 0.0
    assert not Robots(DISALLOW_ALL).allows("http://site.test/x")


def test_a_malformed_address_is_allowed_since_nobody_is_asked() -> None:
    assert Robots(DISALLOW_ALL).allows("http://[::1/")


async def test_the_rules_are_read_from_the_root_of_the_site() -> None:
    with serve({"/robots.txt": answer(RULES, content_type="text/plain")}) as site:
        assert await rules_of(site.at("/deep/page.html")) == RULES
        assert site.asked == ["/robots.txt"]


async def test_rules_are_read_through_a_redirect() -> None:
    with serve({"/robots.txt": redirect("/r.txt"), "/r.txt": RULES}) as site:
        assert await rules_of(site.url) == RULES


async def test_no_robots_txt_allows_everything() -> None:
    with serve({}) as site:
        assert await rules_of(site.url) == ALLOW_ALL


async def test_a_server_that_fails_to_say_forbids_everything() -> None:
    with serve({"/robots.txt": answer("", 503)}) as site:
        assert await rules_of(site.url) == DISALLOW_ALL


async def test_when_nobody_answers_everything_is_allowed() -> None:
    with serve({}) as site:
        url = site.url
    assert await rules_of(url) == ALLOW_ALL


async def test_of_an_endless_robots_txt_only_the_beginning_counts() -> None:
    text = "User-agent: *\nDisallow: /x\n" + "#" * 10_000_000
    with serve({"/robots.txt": text}) as site:
        rules = await rules_of(site.url)
    assert len(rules) < 1_000_000
    assert not Robots(rules).allows(site.at("/x"))
