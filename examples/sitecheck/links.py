"""Which addresses a page leads to, read with the parser of the standard library."""

from __future__ import annotations

from html.parser import HTMLParser

from examples.sitecheck.urls import resolve

# Tag -> the attribute that holds an address.
LINKING = {
    "a": "href",
    "area": "href",
    "audio": "src",
    "embed": "src",
    "frame": "src",
    "iframe": "src",
    "img": "src",
    "link": "href",
    "script": "src",
    "source": "src",
    "video": "src",
}

# What the parser has not made sense of when the page ends is given up if it is longer than this:
# forcing it through takes quadratic time, and a page can be made to abuse that.
LEFT_OVER = 16 * 1024


class _LinkParser(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.base: str | None = None
        self.hrefs: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "base" and self.base is None:
            self.base = dict(attrs).get("href")
        elif tag in LINKING:
            href = dict(attrs).get(LINKING[tag])
            if href is not None:
                self.hrefs.append(href)

    def parse_html_declaration(self, i: int) -> int:
        """Skip a declaration that older Pythons stumble over, up to its ``>``, as browsers do."""
        try:
            return super().parse_html_declaration(i)
        except AssertionError:
            return self.parse_bogus_comment(i)


def extract_links(html: str, url: str) -> tuple[str, ...]:
    """The addresses other than its own that the page ``html`` at ``url`` leads to, sorted.

    Never fails: broken HTML yields what can be made out of it.
    """
    parser = _LinkParser()
    parser.feed(html)
    if len(parser.rawdata) <= LEFT_OVER:
        parser.close()
    base = url if parser.base is None else resolve(parser.base, url) or url
    targets = {resolve(href, base) for href in parser.hrefs}
    return tuple(sorted(target for target in targets - {url} if target is not None))
