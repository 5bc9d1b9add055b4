from __future__ import annotations

from examples.sitecheck.page import Page
from examples.sitecheck.summary import BrokenLink, summarise

START = "http://s.test/"


def page(
    path: str, *links: str, status: int | None = 200, error: str | None = None, seconds: float = 0.1
) -> Page:
    return Page(START + path, status, error, seconds, 10, "text/html", 1.0, links)


PAGES = [
    page("", f"{START}a", f"{START}gone", "http://other.test/"),
    page("a", f"{START}gone", f"{START}down", f"{START}later", START, seconds=0.5),
    page("gone", status=404),
    page("down", status=None, error="connection refused"),
    page("big", error="longer than 1 bytes", seconds=0.3),
]


def test_pages_and_links_are_counted() -> None:
    summary = summarise(PAGES, START)
    assert (summary.pages, summary.links, summary.links_leaving) == (5, 7, 1)
    assert summary.unchecked == 1  # "later"


def test_broken_links_come_with_the_pages_they_stand_on() -> None:
    summary = summarise(PAGES, START)
    assert summary.broken == (
        BrokenLink(f"{START}down", None, "connection refused", (f"{START}a",)),
        BrokenLink(f"{START}gone", 404, None, (START, f"{START}a")),
    )
    assert summary.broken_links == 3


def test_a_remark_is_no_broken_link() -> None:
    assert [page.url for page in summarise(PAGES, START).remarks] == [f"{START}big"]


def test_the_slowest_pages_come_first() -> None:
    slowest = [page.url for page in summarise(PAGES, START).slowest]
    assert slowest[:2] == [f"{START}a", f"{START}big"]
    assert len(slowest) == 5


def test_a_start_page_that_is_broken_stands_on_no_page() -> None:
    summary = summarise([page("", status=None, error="unknown host")], START)
    assert summary.broken == (BrokenLink(START, None, "unknown host", ()),)
    assert summary.broken_links == 1


def test_nothing_is_nothing() -> None:
    summary = summarise([], START)
    assert (summary.pages, summary.links, summary.broken_links, summary.unchecked) == (0, 0, 0, 0)
