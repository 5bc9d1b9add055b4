"""A supervised HTTP server: a GenServer holds the state, an async function serves it over HTTP.

    python examples/http_service.py [PORT]
    curl http://127.0.0.1:8000/hits             # how often somebody asked
    curl -X POST http://127.0.0.1:8000/crash    # the counter crashes and starts anew

``serve_http`` is a child like any other: `Supervisor` takes it as started when it listens, restarts
it when it crashes, and cancels it, with all its connections, to stop it. It is `trio.serve_tcp` and
a few lines of h11; any other server that takes `task_status` would do.
"""

import sys
from http import HTTPStatus

import h11
import trio

from runtime import Call, CallError, Cast, ChildSpec, GenServer, child_spec, handles, named
from supervisors import run


class Hit(Call[int]):
    """Count one more and reply with the count."""


class Crash(Cast):
    """Crash, to see what becomes of the service."""


class Hits(GenServer):
    """How often somebody asked."""

    def __init__(self) -> None:
        self.count = 0

    @handles(Hit)
    def hit(self, request: Hit) -> int:
        self.count += 1
        return self.count

    @handles(Crash)
    def crash(self, message: Crash) -> None:
        raise RuntimeError("asked to crash")


async def answer(method: str, path: str) -> tuple[HTTPStatus, str]:
    """What the service says to one request."""
    match method, path:
        case "GET", "/hits":
            return HTTPStatus.OK, f"{await named('hits').call(Hit())}\n"
        case "POST", "/crash":
            named("hits").cast(Crash())
            return HTTPStatus.ACCEPTED, "crashing\n"
        case _:
            return HTTPStatus.NOT_FOUND, "there is only GET /hits and POST /crash\n"


async def serve_http(
    port: int, *, task_status: trio.TaskStatus[list[trio.SocketListener]] = trio.TASK_STATUS_IGNORED
) -> None:
    """Serve until cancelled; started when it listens."""
    await trio.serve_tcp(serve_connection, port, host="127.0.0.1", task_status=task_status)


async def serve_connection(stream: trio.SocketStream) -> None:
    """Answer the requests of one connection, until it closes or one side says it is the last."""
    connection = h11.Connection(h11.SERVER)
    try:
        while True:
            request = await next_request(connection, stream)
            if request is None:
                return
            await respond(connection, stream, *await outcome(request))
            if connection.our_state is h11.MUST_CLOSE:
                return
            connection.start_next_cycle()
    except (h11.ProtocolError, trio.BrokenResourceError):
        return  # the client talks nonsense, or hung up: its loss, not the service's
    finally:
        await stream.aclose()


async def next_request(connection: h11.Connection, stream: trio.SocketStream) -> h11.Request | None:
    """Read one whole request; ``None`` if the client is done."""
    request = None
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            connection.receive_data(await stream.receive_some())
        elif isinstance(event, h11.Request):
            request = event
        elif isinstance(event, h11.EndOfMessage):
            return request
        elif isinstance(event, h11.ConnectionClosed):
            return None


async def outcome(request: h11.Request) -> tuple[HTTPStatus, str]:
    """The answer, or that the service is in trouble just now: its supervisor sees to it."""
    try:
        return await answer(request.method.decode(), request.target.decode())
    except CallError as error:
        return HTTPStatus.SERVICE_UNAVAILABLE, f"{error}\n"


async def respond(
    connection: h11.Connection, stream: trio.SocketStream, status: HTTPStatus, text: str
) -> None:
    """Send one whole response."""
    body = text.encode()
    headers = [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))]
    response = h11.Response(status_code=status, headers=headers, reason=status.phrase.encode())
    for event in (response, h11.Data(data=body), h11.EndOfMessage()):
        await stream.send_all(connection.send(event) or b"")


def children(port: int) -> list[ChildSpec]:
    """The counter first: who serves it comes after it."""
    return [
        Hits.child_spec().replace(name="hits"),
        child_spec(serve_http, port).replace(name="http"),
    ]


if __name__ == "__main__":
    run(children(int(sys.argv[1]) if len(sys.argv) > 1 else 8000), name="http_service")
