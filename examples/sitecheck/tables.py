"""The final tables, as ``rich`` renderables made of plain data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit, urlunsplit

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from examples.sitecheck.page import Page
from examples.sitecheck.summary import BrokenLink, Summary
from examples.sitecheck.urls import problem, same_site

SHOWN_BROKEN = 20
SHOWN_PAGES = 3


def render(
    summary: Summary, start: str, seconds: float, restarts: Mapping[str, int], *, full: bool
) -> RenderableType:
    """All tables of a run: the counts, broken links, remarks, slowest pages."""
    tables: list[RenderableType] = [counts_table(summary, start, seconds, restarts)]
    if summary.broken:
        tables.append(broken_table(summary.broken, start, None if full else SHOWN_BROKEN))
    if summary.remarks:
        tables.append(remarks_table(summary.remarks, start))
    if summary.slowest:
        tables.append(slowest_table(summary.slowest, start))
    return Group(*tables)


def counts_table(
    summary: Summary, start: str, seconds: float, restarts: Mapping[str, int]
) -> Table:
    """The numbers: pages, links, broken links, restarts."""
    table = _table(f"sitecheck of {start}", "", "")
    table.columns[1].justify = "right"
    table.show_header = False
    table.add_row("pages", str(summary.pages))
    table.add_row("links", str(summary.links))
    table.add_row("  that leave the site, not checked", str(summary.links_leaving))
    table.add_row("broken links", str(summary.broken_links))
    table.add_row("  broken addresses", str(len(summary.broken)))
    if summary.unchecked:
        table.add_row("not checked (robots.txt or --limit)", str(summary.unchecked))
    table.add_row("restarts", str(sum(restarts.values())))
    for name, times in sorted(restarts.items()):
        table.add_row(f"  of {name}", str(times))
    table.add_row("seconds", f"{seconds:.1f}")
    return table


def broken_table(broken: Sequence[BrokenLink], start: str, shown: int | None = None) -> Table:
    """Broken links with the pages that they stand on; the first ``shown`` of them."""
    table = _table("broken links", "address", "what", "on")
    for link in broken[:shown]:
        table.add_row(
            _address(link.url, start),
            _outcome(link.status, link.error),
            _pages(link.found_on, start),
        )
    if shown is not None and len(broken) > shown:
        table.caption = f"and {len(broken) - shown} more; --full shows them all"
    return table


def remarks_table(pages: Sequence[Page], start: str) -> Table:
    """Pages that are there but have something about them."""
    table = _table("remarks", "address", "what")
    for page in pages:
        table.add_row(_address(page.url, start), _outcome(page.status, page.error))
    return table


def slowest_table(pages: Sequence[Page], start: str) -> Table:
    """The pages that took longest."""
    table = _table("slowest pages", "address", "seconds", "bytes")
    for page in pages:
        table.add_row(_address(page.url, start), f"{page.seconds:.3f}", str(page.bytes))
    for column in table.columns[1:]:
        column.justify = "right"
    return table


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", caption_justify="left")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _cell(text: str) -> Text:
    """Text from a foreign site is shown as it is: rich would read ``[...]`` as markup."""
    return Text("".join(char if char.isprintable() else "?" for char in text))


def _outcome(status: int | None, error: str | None) -> Text:
    return _cell(" ".join(str(part) for part in (status, error) if part is not None))


def _address(url: str, start: str) -> Text:
    """An address on the site without what all of them have in common."""
    return _cell(_short(url, start))


def _short(url: str, start: str) -> str:
    if problem(url) is not None or not same_site(url, start):
        return url
    parts = urlsplit(url)
    return urlunsplit(("", "", parts.path, parts.query, ""))


def _pages(urls: Sequence[str], start: str) -> Text:
    if not urls:
        return _cell("(the start page)")
    names = ", ".join(_short(url, start) for url in urls[:SHOWN_PAGES])
    more = len(urls) - SHOWN_PAGES
    return _cell(f"{names} and {more} more" if more > 0 else names)
