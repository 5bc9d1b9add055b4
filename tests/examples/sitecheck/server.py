"""A real web server on loopback that serves what a test tells it to, also what is wrong."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from typing import TypeAlias

Handler: TypeAlias = http.server.BaseHTTPRequestHandler
Route: TypeAlias = str | bytes | Callable[[Handler], None]


class Site:
    """A running server: its address, and what it was asked for."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.asked: list[str] = []
        self.closing = threading.Event()

    def at(self, path: str) -> str:
        return self.url + path.lstrip("/")


@contextmanager
def serve(routes: Mapping[str, Route]) -> Generator[Site, None, None]:
    """Serve ``routes``: path -> an HTML page, or what to do with the request. Others: 404."""

    class RouteHandler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            site.asked.append(self.path)
            route = routes.get(self.path)
            if route is None:
                self.send_error(404)
            elif callable(route):
                route(self)
            else:
                send(self, route)

        def log_message(self, format: str, *args: object) -> None:
            pass

    class Server(http.server.ThreadingHTTPServer):
        request_queue_size = 128

        def handle_error(self, request: object, client_address: object) -> None:
            pass

    server = Server(("127.0.0.1", 0), RouteHandler)
    site = Site(f"http://127.0.0.1:{server.server_address[1]}/")
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield site
    finally:
        site.closing.set()
        server.shutdown()
        thread.join()
        server.server_close()


def send(
    handler: Handler, body: str | bytes, status: int = 200, content_type: str = "text/html"
) -> None:
    """A whole answer."""
    data = body.encode() if isinstance(body, str) else body
    handler.send_response(status)
    handler.send_header("Content-Type", content_type)
    handler.send_header("Content-Length", str(len(data)))
    handler.end_headers()
    handler.wfile.write(data)


def answer(body: str, status: int = 200, content_type: str = "text/html") -> Route:
    """A route that gives this answer."""
    return lambda handler: send(handler, body, status, content_type)


def redirect(to: str, status: int = 302) -> Route:
    """A route that sends the client elsewhere."""

    def route(handler: Handler) -> None:
        handler.send_response(status)
        handler.send_header("Location", to)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return route


def anchors(*hrefs: str) -> str:
    """A page with links."""
    return "<html>" + "".join(f'<a href="{href}">x</a>' for href in hrefs)
