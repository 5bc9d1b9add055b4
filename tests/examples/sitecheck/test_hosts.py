from __future__ import annotations

from pathlib import Path

import pytest
import trio

from examples.sitecheck.crawl import Crawl
from examples.sitecheck.hosts import HOSTS, host_limits, host_of
from supervisors import open_supervisor


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("http://site.test/a?b", "site.test"),
        ("https://site.test:8443/", "site.test:8443"),
        ("http://[::1]:80/", "[::1]:80"),
        ("http://[::1/", ""),
        ("mailto:x@site.test", ""),
    ],
)
def test_a_host_is_known_by_its_name_and_port(url: str, host: str) -> None:
    assert host_of(url) == host


async def when_granted(robots: str, hosts: list[str], workers: int = 2) -> list[float]:
    """After how many seconds each of ``hosts`` may be asked, when the answers take a second."""
    crawl = Crawl("http://s.test/", Path(), 0.0, robots=robots, workers=workers)
    times = [0.0] * len(hosts)

    async def ask(number: int) -> None:
        async with HOSTS.permit(hosts[number]):
            times[number] = trio.current_time() - started
            await trio.sleep(1)

    async with open_supervisor([host_limits(crawl).replace(name="hosts")], instruments=[]):
        started = trio.current_time()
        async with trio.open_nursery() as nursery:
            for number in range(len(hosts)):
                nursery.start_soon(ask, number)
    return sorted(times)


async def test_without_a_delay_a_host_gets_as_many_at_once_as_there_are_workers() -> None:
    assert await when_granted("", ["a"] * 5) == [0, 0, 1, 1, 2]


async def test_the_delay_that_robots_txt_asks_for_lies_between_two_requests_to_a_host() -> None:
    robots = "User-agent: *\nCrawl-delay: 7\n"
    assert await when_granted(robots, ["a"] * 3) == pytest.approx([0, 7, 14])


async def test_one_host_does_not_wait_for_another() -> None:
    robots = "User-agent: *\nCrawl-delay: 7\n"
    assert await when_granted(robots, ["a", "b", "a", "b"]) == pytest.approx([0, 0, 7, 7])
