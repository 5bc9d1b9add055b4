from __future__ import annotations

import gzip
import socket
from collections.abc import Callable

import pytest
import trio

from examples.sitecheck.client import open_client
from examples.sitecheck.fetch import MAX_BYTES, MAX_REDIRECTS, ClientClosed, check_page
from examples.sitecheck.page import Page, is_broken
from tests.examples.sitecheck.server import (
    Handler,
    Route,
    anchors,
    answer,
    redirect,
    send,
    serve,
)

# Real HTTP, or a database in a thread.
pytestmark = pytest.mark.real_clock


async def check(
    url: str, timeout: float = 10.0, may_ask: Callable[[str], bool] = lambda url: True
) -> Page:
    async with open_client() as client:
        return await check_page(client, url, may_ask, timeout)


async def test_a_page_has_status_size_type_time_and_links() -> None:
    html = anchors("/a", "b")
    with serve({"/dir/": answer(html, content_type="text/html; charset=utf-8")}) as site:
        page = await check(site.at("/dir/"))
        assert page.links == (site.at("/a"), site.at("/dir/b"))
    assert (page.status, page.error, page.content_type) == (200, None, "text/html")
    assert page.bytes == len(html)
    assert page.seconds > 0


@pytest.mark.parametrize("status", [404, 410, 500, 503])
async def test_an_error_status_is_a_broken_page(status: int) -> None:
    with serve({"/": answer("sorry", status)}) as site:
        page = await check(site.url)
    assert (page.status, page.error) == (status, None)
    assert is_broken(page.status)


async def test_the_links_on_an_error_page_count_too() -> None:
    with serve({"/": answer(anchors("/home"), 404)}) as site:
        page = await check(site.url)
        assert page.links == (site.at("/home"),)


async def test_an_unknown_host() -> None:
    page = await check("http://nosuchhost.invalid/")
    assert (page.status, page.error) == (None, "unknown host")


async def test_a_refused_connection() -> None:
    with socket.socket() as listening_nowhere:
        listening_nowhere.bind(("127.0.0.1", 0))
        page = await check(f"http://127.0.0.1:{listening_nowhere.getsockname()[1]}/")
    assert (page.status, page.error) == (None, "connection refused")


@pytest.mark.parametrize("url", ["http://[::1/", "http://a..b/", "http:///x", "http://h:99999/"])
async def test_a_bad_url(url: str) -> None:
    page = await check(url)
    assert page.status is None
    assert page.error is not None
    assert page.error.startswith("bad URL: ")


async def test_no_answer_in_time() -> None:
    def say_nothing(handler: Handler) -> None:
        site.closing.wait()

    with serve({"/": say_nothing}) as site:
        page = await check(site.url, timeout=0.1)
    assert (page.status, page.error) == (None, "no answer within 0.1 s")


async def test_a_body_that_never_ends_in_time() -> None:
    def drip(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "text/html")
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        while not site.closing.wait(0.01):
            handler.wfile.write(b"x")

    with serve({"/": drip}) as site:
        page = await check(site.url, timeout=0.2)
    assert (page.status, page.error) == (None, "no answer within 0.2 s")


async def test_a_connection_that_breaks_in_the_middle() -> None:
    def hang_up(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "text/html")
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        handler.wfile.write(b"<html>")
        handler.close_connection = True

    with serve({"/": hang_up}) as site:
        page = await check(site.url)
    assert page.status is None
    assert page.error is not None
    assert page.error.startswith("not proper HTTP: ")


async def test_an_answer_that_is_not_http() -> None:
    def babble(handler: Handler) -> None:
        handler.wfile.write(b"220 smtp ready\r\n\r\n")
        handler.close_connection = True

    with serve({"/": babble}) as site:
        page = await check(site.url)
    assert page.status is None
    assert page.error is not None
    assert page.error.startswith("not proper HTTP: ")


async def test_a_server_without_tls_on_https() -> None:
    with serve({}) as site:
        page = await check(site.url.replace("http:", "https:"))
    assert page.status is None
    assert page.error is not None
    assert page.error.startswith("TLS: ")


def encoded(encoding: str, body: bytes) -> Route:
    """A route that says its body is encoded like this."""

    def route(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "text/html")
        handler.send_header("Content-Encoding", encoding)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return route


async def test_a_compressed_page_is_read() -> None:
    html = anchors("/a") + "x" * 100_000
    with serve({"/": encoded("gzip", gzip.compress(html.encode()))}) as site:
        page = await check(site.url)
        assert page.links == (site.at("/a"),)
    assert page.bytes == len(html)


async def test_a_page_that_grows_without_end_when_decompressed_is_cut() -> None:
    html = anchors("/a") + "x" * 50_000_000
    with serve({"/": encoded("gzip", gzip.compress(html.encode(), 1))}) as site:
        page = await check(site.url)
    assert page.bytes == MAX_BYTES
    assert str(page.error).startswith("longer than")


@pytest.mark.parametrize("encoding", ["gzip", "br"])
async def test_a_body_that_is_not_what_its_headers_say(encoding: str) -> None:
    with serve({"/": encoded(encoding, b"<html>")}) as site:
        page = await check(site.url)
    assert page.status is None
    assert page.error is not None
    assert page.error.startswith("body cannot be decoded: ")


async def test_a_redirect_ends_with_the_last_status_and_links_to_the_first_target() -> None:
    with serve({"/": redirect("/a"), "/a": redirect("b", 301), "/b": "<html>"}) as site:
        page = await check(site.url)
        assert (page.status, page.error, page.links) == (200, None, (site.at("/a"),))
        assert site.asked == ["/", "/a", "/b"]


async def test_a_redirect_to_a_missing_page_is_broken() -> None:
    with serve({"/": redirect("/gone")}) as site:
        page = await check(site.url)
    assert page.status == 404


async def test_a_redirect_that_leads_where_we_may_not_ask_is_not_followed() -> None:
    with serve({"/": redirect("/private"), "/private": "<html>"}) as site:
        page = await check(site.url, may_ask=lambda url: "private" not in url)
        assert (page.status, page.error, page.links) == (302, None, (site.at("/private"),))
        assert site.asked == ["/"]


async def test_a_redirect_loop() -> None:
    with serve({"/": redirect("/a"), "/a": redirect("/b"), "/b": redirect("/a")}) as site:
        page = await check(site.url)
        assert (page.status, page.links) == (None, (site.at("/a"),))
        assert page.error == f"redirect loop back to {site.at('/a')}"
        assert site.asked == ["/", "/a", "/b"]


async def test_too_many_redirects() -> None:
    routes = {f"/{number}": redirect(f"/{number + 1}") for number in range(20)}
    with serve(routes) as site:
        page = await check(site.at("/0"))
        assert (page.status, page.error) == (None, f"more than {MAX_REDIRECTS} redirects")
        assert len(site.asked) == MAX_REDIRECTS + 1


@pytest.mark.parametrize("location", ["http://[::1/", "mailto:x@y.test"])
async def test_a_redirect_to_a_bad_url(location: str) -> None:
    with serve({"/": redirect(location)}) as site:
        page = await check(site.url)
    assert page.status == 302 or str(page.error).startswith("bad URL")


async def test_of_what_is_not_html_only_the_headers_are_read() -> None:
    def video(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "video/mp4")
        handler.send_header("Content-Length", "1000000000")
        handler.end_headers()

    with serve({"/": video}) as site:
        page = await check(site.url)
    assert (page.status, page.error, page.content_type) == (200, None, "video/mp4")
    assert (page.bytes, page.links) == (1_000_000_000, ())


async def test_a_page_of_50_mb_is_read_only_so_far_and_says_so() -> None:
    sent = 0

    def pour(handler: Handler) -> None:
        nonlocal sent
        handler.send_response(200)
        handler.send_header("Content-Type", "text/html")
        handler.send_header("Content-Length", str(50 * 1024 * 1024))
        handler.end_headers()
        handler.wfile.write(anchors("/early").encode())
        for _ in range(50 * 16):
            handler.wfile.write(b"x" * 65536)
            sent += 65536

    with serve({"/": pour}) as site:
        page = await check(site.url)
        assert page.links == (site.at("/early"),)
    assert (page.status, page.bytes) == (200, MAX_BYTES)
    assert page.error == f"longer than {MAX_BYTES} bytes, the rest was not read"
    assert not is_broken(page.status)
    assert sent < 40 * 1024 * 1024


@pytest.mark.parametrize(
    "content_type", ["text/html; charset=latin-1", "text/html; charset=bogus", "text/html"]
)
async def test_any_charset_yields_the_links(content_type: str) -> None:
    def page(handler: Handler) -> None:
        send(handler, b'\xff\xfe <a href="x">\xfc</a>', content_type=content_type)

    with serve({"/": page}) as site:
        assert (await check(site.url)).links == (site.at("/x"),)


async def test_when_the_client_is_closed_in_the_middle_there_is_no_page() -> None:
    asked = trio.Event()
    token = trio.lowlevel.current_trio_token()

    def hang(handler: Handler) -> None:
        trio.from_thread.run_sync(asked.set, trio_token=token)
        site.closing.wait()

    async def close_when_asked() -> None:
        await asked.wait()
        await client.aclose()

    with serve({"/": hang}) as site:
        async with open_client() as client, trio.open_nursery() as nursery:
            nursery.start_soon(close_when_asked)
            with pytest.raises(ClientClosed):
                await check_page(client, site.url, lambda url: True, 10.0)


async def test_of_a_closed_client_nothing_is_asked() -> None:
    with serve({}) as site:
        async with open_client() as client:
            pass
        with pytest.raises(ClientClosed):
            await check_page(client, site.url, lambda url: True, 10.0)
    assert site.asked == []
