"""What the tests of streams have in common: sources that tell, functions that last, a collector."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Generator, Iterable
from typing import TypeVar

import trio

from runtime import Exited, Normal, Ok, ProcessExit, Shutdown, Stream, kill, self_

I = TypeVar("I")  # noqa: E741
R = TypeVar("R")
T = TypeVar("T")


async def collect(stream: Stream[I, R]) -> list[Ok[R] | Exited[I]]:
    """All results of a stream."""
    async with stream as results:
        return [result async for result in results]


async def values(stream: Stream[I, R]) -> list[R]:
    """All values of a stream whose tasks all succeed."""
    return [value_of(result) for result in await collect(stream)]


def value_of(result: Ok[R] | Exited[I]) -> R:
    """The value of a task that has succeeded."""
    assert isinstance(result, Ok), result
    return result.value


async def take(count: int, results: AsyncIterator[T]) -> list[T]:
    """So many results, or fewer if there are no more."""
    taken: list[T] = []
    while len(taken) < count:
        try:
            taken.append(await anext(results))
        except StopAsyncIteration:
            break
    return taken


async def double(number: int) -> int:
    """At once."""
    return number * 2


async def nap(seconds: float) -> float:
    """As long as the item says."""
    await trio.sleep(seconds)
    return seconds


async def for_ever(item: object) -> None:
    """Until it is killed."""
    await trio.sleep_forever()


async def mixed(item: object) -> object:
    """What the ``job`` of the OTP traces does; a number is milliseconds, and is doubled."""
    match item:
        case "slow":
            await trio.sleep(10)
        case "exit":
            raise ProcessExit("boom")
        case "raise":
            raise RuntimeError("bad input")
        case "kill":
            kill(self_())
            await trio.sleep_forever()
        case "normal":
            raise ProcessExit(Normal())
        case "shutdown":
            raise ProcessExit(Shutdown("early"))
        case int():
            await trio.sleep(item / 1000)
            return item * 2
        case _:
            pass
    return None


def told(items: Iterable[T], log: list[str]) -> Generator[T]:
    """A source that says what is pulled from it, and when it is cleaned up."""
    try:
        for item in items:
            log.append(f"pulled {item}")
            yield item
    finally:
        log.append("closed")


async def told_later(items: Iterable[T], log: list[str], pause: float = 0.0) -> AsyncGenerator[T]:
    """The same as an async generator, with a pause before each item."""
    try:
        for item in items:
            await trio.sleep(pause)
            log.append(f"pulled {item}")
            yield item
    finally:
        log.append("closed")


def channel_of(items: Iterable[T]) -> AsyncIterable[T]:
    """A channel that holds the items and is closed behind them."""
    held = list(items)
    sender, receiver = trio.open_memory_channel[T](len(held))
    for item in held:
        sender.send_nowait(item)
    sender.close()
    return receiver
