"""The body of a response: decompressed, and only up to a size."""

from __future__ import annotations

import zlib
from collections.abc import Callable

import httpx2
import trio

# What to send as Accept-Encoding: `read_body` can undo it, with a bound on what comes out.
ENCODINGS = "gzip"


class BadBody(Exception):
    """The body is not what the headers say."""


async def read_body(response: httpx2.Response, most: int) -> tuple[bytes, bool]:
    """The first ``most`` bytes of a streamed response, and whether that is all of it.

    Raises ``BadBody`` if it cannot be decompressed.
    """
    decode = _decoder(response.headers.get("content-encoding", ""))
    body = bytearray()
    problem: zlib.error | None = None
    # The client's stream is several generators deep. Leaving the loop would abandon the inner ones
    # to the garbage collector; a cancellation goes through all of them.
    with trio.CancelScope() as enough:
        async for chunk in response.aiter_raw():
            if enough.cancel_called:
                continue
            try:
                body += decode(chunk, most + 1 - len(body))
            except zlib.error as error:
                problem = error
            if problem or len(body) > most:
                enough.cancel()
    if problem:
        raise BadBody(f"body cannot be decoded: {problem}")
    return bytes(body[:most]), len(body) <= most


def _decoder(encoding: str) -> Callable[[bytes, int], bytes]:
    """A function from what has arrived and the most bytes to make of it to what it means."""
    match encoding.strip().lower():
        case "" | "identity":
            return lambda data, most: data
        case "gzip" | "x-gzip":
            return zlib.decompressobj(wbits=16 + zlib.MAX_WBITS).decompress
        case other:
            raise BadBody(f"body cannot be decoded: unknown encoding {other!r}")
