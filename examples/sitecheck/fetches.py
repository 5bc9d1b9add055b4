"""Fetches: each page is fetched and stored by a task of its own, under a task supervisor.

A fetch returns when the store has said that its page is on disk, and not before. It is never
restarted: the frontier hears how it ended, and has the address fetched again if it must be. So a
page is asked for at least once; storing it twice is the same as storing it once.

A fetch can also end because what it relies on has: the store, the limiters, the client. All of them
stand before it in a ``rest_for_one`` tree, so it is about to be stopped anyway, and that says
nothing about its page.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import httpx2

from examples.sitecheck.fetch import ClientClosed, check_page
from examples.sitecheck.hosts import HOSTS, host_of
from examples.sitecheck.page import Page
from examples.sitecheck.store import SAVE_TIMEOUT, STORE, Save
from examples.sitecheck.worklist import MAX_ATTEMPTS
from runtime import CallExit, ProcessExit, Shutdown
from supervisors import TaskSupervisorRef

FETCHES = TaskSupervisorRef("fetches")


async def fetch(
    client: httpx2.AsyncClient, url: str, may_ask: Callable[[str], bool], timeout: float
) -> tuple[str, ...]:
    """Wait for the turn of ``url``, fetch it, have it stored; the links on it are returned."""
    try:
        async with HOSTS.permit(host_of(url)):
            page = await check_page(client, url, may_ask, timeout)
        await STORE.call(Save(page), timeout=SAVE_TIMEOUT)
    except (CallExit, ClientClosed) as error:
        raise ProcessExit(Shutdown()) from error
    return page.links


def given_up(url: str) -> Page:
    """The row for an address that every fetch of it died of."""
    return Page(
        url=url,
        status=None,
        error=f"given up: {MAX_ATTEMPTS} fetches died of it",
        seconds=0.0,
        bytes=0,
        content_type=None,
        checked_at=time.time(),
    )
