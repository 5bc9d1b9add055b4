"""A site that takes its time, so that something can happen in the middle of a crawl."""

from __future__ import annotations

import threading
import time

from tests.examples.sitecheck.server import Handler, Route, anchors, answer, redirect, send

SECONDS = 0.03


class SlowSite:
    """``pages`` pages that form a tree, with some dead ends and a redirect.

    ``half_way`` is set when half of the pages have been asked for.
    """

    def __init__(self, pages: int) -> None:
        self.pages = pages
        self.half_way = threading.Event()
        self.routes: dict[str, Route] = {f"/{n}": self._page(n) for n in range(1, pages)}
        self.routes["/"] = self._page(0)
        self.routes["/moved"] = redirect("/5")
        self.routes["/gone3"] = answer("", 500)
        self._asked = 0

    @property
    def statuses(self) -> dict[str, int]:
        """What a complete crawl finds."""
        good = dict.fromkeys(self.routes, 200)
        return {**good, "/gone0": 404, "/gone1": 404, "/gone2": 404, "/gone3": 500}

    def _page(self, number: int) -> Route:
        below = (f"/{n}" for n in (2 * number + 1, 2 * number + 2) if n < self.pages)
        html = anchors(*below, f"/gone{number % 4}", "/moved", "/")

        def route(handler: Handler) -> None:
            time.sleep(SECONDS)
            self._asked += 1
            if self._asked >= self.pages // 2:
                self.half_way.set()
            send(handler, html)

        return route
