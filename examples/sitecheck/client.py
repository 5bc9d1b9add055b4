"""The HTTP client, and the process that owns it: connections stay open from page to page."""

from __future__ import annotations

from functools import cache
from ssl import SSLContext

import httpx2

from examples.sitecheck.body import ENCODINGS
from examples.sitecheck.robots import AGENT
from runtime import Call, GenServer, handles, named

CLIENT = named("client")


class GetClient(Call[httpx2.AsyncClient]):
    """The client, for all fetches together; not to be closed by who asks."""


class Client(GenServer):
    """Stands before the fetches in the tree, so it is closed after the last of them has ended."""

    client: httpx2.AsyncClient

    async def init(self) -> None:
        self.client = await self.enter(open_client())

    @handles(GetClient)
    def get_client(self, request: GetClient) -> httpx2.AsyncClient:
        return self.client


@cache
def _tls() -> SSLContext:
    """Reading the certificates takes tens of milliseconds: once is enough."""
    return httpx2.create_ssl_context()


def open_client() -> httpx2.AsyncClient:
    """A client as this program wants it; to be closed by ``async with``.

    It has no time limits of its own, because ``check_page`` has one for the whole request, and as
    many connections as there are requests, because ``max_children`` and ``hosts`` bound those.
    """
    headers = {"User-Agent": f"{AGENT}/1.0", "Accept-Encoding": ENCODINGS}
    limits = httpx2.Limits(max_connections=None, max_keepalive_connections=None)
    return httpx2.AsyncClient(verify=_tls(), timeout=None, headers=headers, limits=limits)
