"""What a crawl left in its database, as far as it must not depend on how the crawl went."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from examples.sitecheck.database import open_database, stored_pages
from tests.examples.sitecheck.walk import Walk


class Found(NamedTuple):
    """Address -> status and error, and who links to what."""

    statuses: dict[str, int | None]
    errors: dict[str, str | None]
    links: set[tuple[str, str]]


def found(start: str, database: Path) -> Found:
    """Read it from the database."""
    with closing(open_database(database)) as connection:
        pages = stored_pages(connection, start)
    return Found(
        {page.url: page.status for page in pages},
        {page.url: page.error for page in pages},
        {(page.url, target) for page in pages for target in page.links},
    )


def expected(walk: Walk, start: str) -> Found:
    """What must be found at ``start``, going by a walk over the files."""
    base = start.rstrip("/")
    return Found(
        {base + path: status for path, status in walk.statuses.items()},
        dict.fromkeys((base + path for path in walk.statuses), None),
        {(base + source, absolute(base, target)) for source, target in walk.links},
    )


def absolute(base: str, target: str) -> str:
    """A path of the site with its address; an address elsewhere as it is."""
    return base + target if target.startswith("/") else target
