"""What the owner of a site asks of crawlers: ``robots.txt``."""

from __future__ import annotations

from urllib.parse import urljoin
from urllib.robotparser import RobotFileParser

import httpx2
import trio

from examples.sitecheck.body import BadBody, read_body
from examples.sitecheck.urls import problem

AGENT = "sitecheck"
MAX_BYTES = 512 * 1024

ALLOW_ALL = ""
DISALLOW_ALL = "User-agent: *\nDisallow: /\n"


class Robots:
    """The rules of one ``robots.txt``, given as its text."""

    def __init__(self, text: str) -> None:
        self._parser = RobotFileParser()
        self._parser.parse(text.splitlines())

    def allows(self, url: str) -> bool:
        """Whether we may ask for ``url``; yes if it is malformed, since then nobody is asked."""
        return problem(url) is not None or self._parser.can_fetch(AGENT, url)

    @property
    def delay(self) -> float:
        """The seconds to leave between two requests; 0.0 if nothing is asked."""
        return float(self._parser.crawl_delay(AGENT) or 0.0)


async def read_robots(client: httpx2.AsyncClient, start: str, timeout: float) -> str:
    """The text of the site's ``robots.txt``, by RFC 9309.

    A missing one allows everything; one that the server fails to deliver forbids everything. If
    nobody answers at all, everything is allowed, so that the pages say themselves what is wrong.
    """
    url = urljoin(start, "/robots.txt")
    try:
        with trio.fail_after(timeout):
            async with client.stream("GET", url, follow_redirects=True) as response:
                if response.status_code >= 500:
                    return DISALLOW_ALL
                if response.status_code >= 300:
                    return ALLOW_ALL
                body, _ = await read_body(response, MAX_BYTES)
                return body.decode("utf-8-sig", errors="replace")
    except BadBody:
        return DISALLOW_ALL
    except (trio.TooSlowError, httpx2.HTTPError, httpx2.InvalidURL):
        return ALLOW_ALL
