"""One page over HTTP: whatever happens, a ``Page`` comes back."""

from __future__ import annotations

import time
from collections.abc import Callable

import httpx2
import msgspec
import trio

from examples.sitecheck.body import BadBody, read_body
from examples.sitecheck.failures import explain
from examples.sitecheck.links import extract_links
from examples.sitecheck.page import Page
from examples.sitecheck.urls import problem, resolve

HTML_TYPES = frozenset({"text/html", "application/xhtml+xml"})
MAX_BYTES = 2 * 1024 * 1024
MAX_REDIRECTS = 10


class ClientClosed(Exception):
    """The client was closed in the middle of it, which says nothing about the page."""


class _Answer(msgspec.Struct, frozen=True):
    """What asking came to; see ``Page``."""

    status: int | None = None
    error: str | None = None
    bytes: int = 0
    content_type: str | None = None
    links: tuple[str, ...] = ()


async def check_page(
    client: httpx2.AsyncClient, url: str, may_ask: Callable[[str], bool], timeout: float
) -> Page:
    """Ask for ``url``, follow redirects to addresses that ``may_ask`` allows, and read the links.

    Takes ``timeout`` seconds at most, plus the time to parse. Raises nothing but ``ClientClosed``.
    """
    started = trio.current_time()
    answer = await _ask(client, url, may_ask, timeout)
    return Page(
        url=url,
        status=answer.status,
        error=answer.error,
        seconds=trio.current_time() - started,
        bytes=answer.bytes,
        content_type=answer.content_type,
        checked_at=time.time(),
        links=answer.links,
    )


async def _ask(
    client: httpx2.AsyncClient, url: str, may_ask: Callable[[str], bool], timeout: float
) -> _Answer:
    bad = problem(url)
    if bad is not None:
        return _Answer(error=bad)
    try:
        with trio.fail_after(timeout):
            return await _follow(client, url, may_ask)
    except trio.TooSlowError:
        return _Answer(error=f"no answer within {timeout:g} s")
    except (httpx2.HTTPError, httpx2.InvalidURL, BadBody, UnicodeError) as error:
        if client.is_closed:
            raise ClientClosed from error
        return _Answer(error=explain(error))


async def _follow(client: httpx2.AsyncClient, url: str, may_ask: Callable[[str], bool]) -> _Answer:
    """Follow redirects; the page redirected to is a page of its own, and here only a link."""
    hops = [url]
    while not client.is_closed:
        async with client.stream("GET", hops[-1], follow_redirects=False) as response:
            target = _redirect_target(response, hops[-1])
            if target is None and len(hops) == 1:
                return await _read(response, url)
            if target is None or not may_ask(target):
                hops += [target] if target is not None else []
                return _Answer(status=response.status_code, links=(hops[1],))
        hops.append(target)
        if target in hops[:-1]:
            return _Answer(error=f"redirect loop back to {target}", links=(hops[1],))
        if len(hops) > 1 + MAX_REDIRECTS:
            return _Answer(error=f"more than {MAX_REDIRECTS} redirects", links=(hops[1],))
    raise ClientClosed


def _redirect_target(response: httpx2.Response, url: str) -> str | None:
    if not response.is_redirect:
        return None
    return resolve(response.headers.get("location", ""), url)


async def _read(response: httpx2.Response, url: str) -> _Answer:
    """Read an HTML page up to ``MAX_BYTES``; of anything else the headers are enough."""
    content_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type not in HTML_TYPES:
        return _Answer(
            status=response.status_code,
            bytes=_announced_bytes(response),
            content_type=content_type or None,
        )
    body, complete = await read_body(response, MAX_BYTES)
    text = body.decode(_charset(response), errors="replace")
    return _Answer(
        status=response.status_code,
        error=None if complete else f"longer than {MAX_BYTES} bytes, the rest was not read",
        bytes=len(body),
        content_type=content_type,
        links=await trio.to_thread.run_sync(extract_links, text, url),
    )


def _announced_bytes(response: httpx2.Response) -> int:
    length = response.headers.get("content-length", "")
    return int(length) if length.isascii() and length.isdigit() else 0


def _charset(response: httpx2.Response) -> str:
    charset = response.charset_encoding or "utf-8"
    try:
        "".encode(charset)
    except LookupError:
        return "utf-8"
    return charset
