"""A client that asks again where it is worth it: stamina waits and counts, ``retryable`` decides.

    python examples/retry.py

The server answers 503 with a Retry-After, then 429, then 200. Between two tries the delay doubles
and gets a random part, so that many clients do not come back all at once; a Retry-After replaces
it. 404 and 401 will be the same the next time, so nobody asks twice. Runs on loopback.
"""

from collections import Counter
from functools import partial
from http import HTTPStatus

import httpx2
import stamina
import trio
from stamina.instrumentation import RetryDetails, set_on_retry_hooks

from runtime import retryable

ANSWERS = {
    "/report": ["503 Retry-After: 1", "429", "200"],
    "/gone": ["404"],
    "/private": ["401"],
}

asked: Counter[str] = Counter()


async def serve(stream: trio.SocketStream) -> None:
    """Answer one request with what is next for its path; the last answer stays."""
    async with stream:
        request = b""
        async for chunk in stream:
            request += chunk
            if b"\r\n\r\n" in request:
                break
        path = request.split()[1].decode()
        answers = ANSWERS[path]
        code, _, header = answers[min(asked[path], len(answers) - 1)].partition(" ")
        asked[path] += 1
        status = f"HTTP/1.1 {code} {HTTPStatus(int(code)).phrase}"
        headers = ["Connection: close", "Content-Length: 5", *([header] if header else [])]
        await stream.send_all("\r\n".join([status, *headers, "", "done\n"]).encode())


@stamina.retry(
    on=retryable(max_retry_after=5.0),
    attempts=5,
    timeout=30.0,
    wait_initial=0.05,
    wait_max=1.0,
    wait_jitter=0.05,
)
async def fetch(client: httpx2.AsyncClient, path: str) -> str:
    """One whole try: the request, and whether its answer is a good one."""
    response = await client.get(path)
    response.raise_for_status()
    return response.text.strip()


def on_retry(details: RetryDetails) -> None:
    """Called before each wait; ``details.wait_for`` has the seconds."""
    error = details.caused_by
    assert isinstance(error, httpx2.HTTPStatusError)
    when = "when it says" if "Retry-After" in error.response.headers else "a little later"
    print(f"try {details.retry_num}: {error.response.status_code}, again {when}")


async def main() -> None:
    set_on_retry_hooks([on_retry])
    async with trio.open_nursery() as nursery:
        listening = partial(trio.serve_tcp, serve, 0, host="127.0.0.1")
        listeners: list[trio.SocketListener] = await nursery.start(listening)
        port = listeners[0].socket.getsockname()[1]
        base_url = f"http://127.0.0.1:{port}"
        async with httpx2.AsyncClient(base_url=base_url, trust_env=False) as client:
            for path in ANSWERS:
                try:
                    result = await fetch(client, path)
                except httpx2.HTTPStatusError as error:
                    result = str(error.response.status_code)
                print(f"{path}: {result}, asked {asked[path]} x")
        nursery.cancel_scope.cancel()


if __name__ == "__main__":
    trio.run(main)
