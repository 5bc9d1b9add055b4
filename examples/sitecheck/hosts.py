"""Politeness: one rate limiter per host, at the pace that its owner asks for in ``robots.txt``."""

from __future__ import annotations

from urllib.parse import urlsplit

from examples.sitecheck.crawl import Crawl
from examples.sitecheck.robots import Robots
from examples.sitecheck.urls import problem
from runtime import ChildSpec
from supervisors import KeyedRateLimiter, KeyedRateLimiterRef

HOSTS: KeyedRateLimiterRef[str] = KeyedRateLimiterRef("hosts")


def host_limits(crawl: Crawl) -> ChildSpec:
    """A host gets as many requests at once as there are workers, one per delay if it names one."""
    delay = Robots(crawl.robots).delay
    if not delay:
        return KeyedRateLimiter.child_spec(crawl.workers)
    return KeyedRateLimiter.child_spec(crawl.workers, rate=1, per=delay, burst=1)


def host_of(url: str) -> str:
    """The host and port that ``url`` leads to; "" of a malformed address."""
    return "" if problem(url) is not None else urlsplit(url).netloc
