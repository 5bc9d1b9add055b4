"""A pipeline of steps: a stream over a stream over a stream.

    python examples/pipeline_steps.py

Each step takes what the one before gives, so many items at a time, and pulls the next one only when
it has a free hand: nothing piles up, however slow a step is. An item that a step cannot handle is
put aside, with the name of the step, and the others go on. A step is an async generator round one
stream; leaving the last one closes them all.
"""

import tempfile
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Iterable
from contextlib import aclosing
from pathlib import Path
from typing import NamedTuple, TypeAlias, TypeVar

import trio

from runtime import Crashed, Exited, Ok, async_stream_nolink, open_node, to_thread

I = TypeVar("I")  # noqa: E741
R = TypeVar("R")

Aside: TypeAlias = list[str]


async def step(
    items: Iterable[I] | AsyncIterable[I],
    fn: Callable[[I], Awaitable[R]],
    aside: Aside,
    *,
    at_once: int = 2,
) -> AsyncGenerator[R, None]:
    """The results of one step, in order, without the items that failed."""
    stream = async_stream_nolink(items, fn, max_concurrency=at_once)
    async with stream as results:
        async for result in results:
            match result:
                case Ok(value):
                    yield value
                case Exited(reason):
                    error = reason.exception if isinstance(reason, Crashed) else reason
                    aside.append(f"{fn.__name__}: {type(error).__name__}")


# ---------------------------------------------------------------------- the steps


class Raw(NamedTuple):
    """A file as it is."""

    name: str
    content: bytes


class Text(NamedTuple):
    """A file that can be read."""

    name: str
    words: list[str]


class Counted(NamedTuple):
    """What is known of it."""

    name: str
    words: int
    longest: str


async def read(path: Path) -> Raw:
    return Raw(path.name, await to_thread(path.read_bytes)())


async def decode(raw: Raw) -> Text:
    return Text(raw.name, raw.content.decode().split())


async def count(text: Text) -> Counted:
    return Counted(text.name, len(text.words), max(text.words, key=len))


FILES = {
    "haiku.txt": b"an old silent pond / a frog jumps into the pond / splash silence again",
    "empty.txt": b"",
    "latin.txt": "caf\xe9".encode("latin-1"),
    "greeting.txt": "gr\xfc\xdf dich".encode(),
}


async def main() -> None:
    aside: Aside = []
    with tempfile.TemporaryDirectory() as folder:
        for name, content in FILES.items():
            (Path(folder) / name).write_bytes(content)
        paths = [Path(folder) / name for name in (*FILES, "missing.txt")]
        async with open_node(instruments=[]):  # without crash reports
            counted = step(step(step(paths, read, aside), decode, aside), count, aside)
            async with aclosing(counted):
                async for name, words, longest in counted:
                    print(f"{name}: {words} words, the longest is {longest}")
    for line in sorted(aside):
        print(f"put aside by {line}")


if __name__ == "__main__":
    trio.run(main)
