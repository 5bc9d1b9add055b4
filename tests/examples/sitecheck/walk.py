"""What a crawl must find, worked out without the crawler: a walk over the files on disk.

One page after the other, with its own idea of how to read a page: pydoc writes every link as
``<a href="...">`` and every link within the site as a file name, so a regular expression will do.
"""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import NamedTuple

HREF = re.compile(r'<a\b[^>]*?\shref="([^"]*)"')


class Walk(NamedTuple):
    """Path -> status, and who links to what; paths within the site, addresses outside."""

    statuses: dict[str, int]
    links: set[tuple[str, str]]


def walk(directory: Path) -> Walk:
    """Walk over everything that can be reached from the start page."""
    statuses: dict[str, int] = {}
    links: set[tuple[str, str]] = set()
    todo = ["/"]
    while todo:
        path = todo.pop()
        if path in statuses:
            continue
        file = directory / (path.lstrip("/") or "index.html")
        statuses[path] = 200 if file.is_file() else 404
        if file.is_file():
            targets = targets_in(file.read_text(encoding="utf-8")) - {path}
            links |= {(path, target) for target in targets}
            todo += [target for target in targets if target.startswith("/")]
    return Walk(statuses, links)


def targets_in(page: str) -> set[str]:
    """Where the links of one page lead to."""
    hrefs = {html.unescape(href).partition("#")[0] for href in HREF.findall(page)}
    return {target for href in hrefs if (target := target_of(href)) is not None}


def target_of(href: str) -> str | None:
    """A path for a page of the site, the address for one elsewhere, else nothing."""
    if re.match(r"https?:", href):
        host_only = re.fullmatch(r"https?://[^/?]+", href)
        return href + "/" if host_only else href
    if re.match(r"[a-z]+:", href):
        return None
    if href == "":  # a place on the same page
        return None
    return "/" if href == "." else f"/{href}"
