"""What a crawl found, counted: from stored pages to plain data for tables."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from examples.sitecheck.page import Page, is_broken
from examples.sitecheck.urls import same_site

SLOWEST = 5


class BrokenLink(msgspec.Struct, frozen=True):
    """An address that does not work and the pages it stands on (none: it is the start page)."""

    url: str
    status: int | None
    error: str | None
    found_on: tuple[str, ...]


class Summary(msgspec.Struct, frozen=True):
    """Everything the tables show. Links are counted once per page that they stand on."""

    pages: int
    links: int
    links_leaving: int
    unchecked: int
    broken: tuple[BrokenLink, ...]
    slowest: tuple[Page, ...]
    remarks: tuple[Page, ...]

    @property
    def broken_links(self) -> int:
        """How many links are broken, once per page that they stand on; a start page is one link."""
        return sum(max(1, len(link.found_on)) for link in self.broken)


def summarise(pages: Iterable[Page], start: str) -> Summary:
    """Count what is in ``pages``, all of which belong to the site of ``start``."""
    pages = list(pages)
    found_on = _backlinks(pages)
    on_site = {url for url in found_on if same_site(url, start)}
    broken = [page for page in pages if is_broken(page.status)]
    return Summary(
        pages=len(pages),
        links=sum(len(sources) for sources in found_on.values()),
        links_leaving=sum(len(found_on[url]) for url in found_on.keys() - on_site),
        unchecked=len(on_site - {page.url for page in pages}),
        broken=tuple(
            BrokenLink(page.url, page.status, page.error, tuple(found_on.get(page.url, ())))
            for page in sorted(broken, key=lambda page: page.url)
        ),
        slowest=tuple(sorted(pages, key=lambda page: (-page.seconds, page.url))[:SLOWEST]),
        remarks=tuple(page for page in pages if page.error and not is_broken(page.status)),
    )


def _backlinks(pages: Iterable[Page]) -> dict[str, list[str]]:
    """Target -> the pages that link to it, sorted."""
    found_on: dict[str, list[str]] = {}
    for page in sorted(pages, key=lambda page: page.url):
        for target in page.links:
            found_on.setdefault(target, []).append(page.url)
    return found_on
