"""Checking a batch of addresses: a few at a time, politely, and each in its own time.

    python examples/url_checker.py

Every check waits a moment before it asks, so that the site is not hit by a burst. That moment is a
part of the task, so the time-out of the stream, which runs from the start of the task, must allow
for it. The results come in the order of the addresses; one that fails or takes too long is a result
like the others, with its address. Runs on loopback.
"""

from functools import partial
from http import HTTPStatus

import httpx2
import trio

from runtime import Crashed, Exited, Ok, TimedOut, async_stream_nolink, open_node

PAUSE = 0.05  # before each request
PATIENCE = 0.5  # for the answer
AT_ONCE = 3

PATHS = ["/", "/about", "/old", "/slow", "/gone", "/torn", "/contact"]


async def check(client: httpx2.AsyncClient, path: str) -> HTTPStatus:
    """One polite request."""
    await trio.sleep(PAUSE)
    response = await client.get(path)
    return HTTPStatus(response.status_code)


def verdict(result: Ok[HTTPStatus] | Exited[str]) -> str:
    match result:
        case Ok(status):
            return f"{status} {status.phrase}"
        case Exited(reason=TimedOut(seconds)):
            return f"no answer within {seconds} s"
        case Exited(reason=Crashed(error)):
            return type(error).__name__
        case Exited(reason):
            return repr(reason)


async def check_all(client: httpx2.AsyncClient, paths: list[str]) -> None:
    stream = async_stream_nolink(
        paths, partial(check, client), max_concurrency=AT_ONCE, timeout=PAUSE + PATIENCE,
        on_timeout="kill_task",
    )  # fmt: skip
    good = 0
    async with stream as results:
        for path in paths:
            result = await anext(results)
            print(f"{path:10}{verdict(result)}")
            good += result == Ok(HTTPStatus.OK)
    print(f"{good} of {len(paths)} are fine")


# ---------------------------------------------------------------------- the site

ANSWERS = {"/old": "301 Moved Permanently", "/gone": "410 Gone"}


async def serve(stream: trio.SocketStream) -> None:
    """Answer one request, unless it is for a page that makes trouble."""
    async with stream:
        request = b""
        async for chunk in stream:
            request += chunk
            if b"\r\n\r\n" in request:
                break
        path = request.split()[1].decode()
        if path == "/torn":
            return  # hangs up
        if path == "/slow":
            await trio.sleep_forever()
        status = ANSWERS.get(path, "200 OK")
        await stream.send_all(
            f"HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: 3\r\n\r\nhi\n".encode()
        )


async def main() -> None:
    async with open_node(instruments=[]), trio.open_nursery() as site:  # without crash reports
        listen = partial(trio.serve_tcp, serve, 0, host="127.0.0.1")
        listeners: list[trio.SocketListener] = await site.start(listen)
        base_url = f"http://127.0.0.1:{listeners[0].socket.getsockname()[1]}"
        async with httpx2.AsyncClient(base_url=base_url, trust_env=False) as client:
            await check_all(client, PATHS)
        site.cancel_scope.cancel()


if __name__ == "__main__":
    trio.run(main)
