"""Where the items come from: pulled one at a time, ended once, cleaned up if that is their way."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterator

import pytest
import trio

from runtime.stream_source import Source
from tests.runtime.streaming import channel_of, told, told_later


async def pulled(source: Source[int]) -> list[int]:
    """Everything."""
    items: list[int] = []
    while not source.exhausted:
        items += await source.pull()
    return items


class Countdown:
    """An iterator with state of its own, which raises at 3 when it is told to."""

    def __init__(self, start: int, trap: bool = False) -> None:
        self.left = start
        self.trap = trap

    def __iter__(self) -> Iterator[int]:
        return self

    def __next__(self) -> int:
        self.left -= 1
        if self.trap and self.left == 3:
            raise ValueError("three")
        if self.left < 0:
            raise StopIteration
        return self.left


class Slow:
    """An async iterator that waits in a nursery of its own before each item."""

    def __init__(self, count: int) -> None:
        self.left = count

    def __aiter__(self) -> AsyncIterator[int]:
        return self

    async def __anext__(self) -> int:
        if not self.left:
            raise StopAsyncIteration
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.sleep, 1)
            nursery.start_soon(trio.sleep, 1)
        self.left -= 1
        return self.left


class WithoutAiter:
    """What ``aiter`` accepts and the abstract base class does not."""

    def __init__(self) -> None:
        self.items = [2, 1]

    async def __anext__(self) -> int:
        if not self.items:
            raise StopAsyncIteration
        return self.items.pop()


class Given:
    """An async iterable that is not its own iterator."""

    def __aiter__(self) -> AsyncIterator[int]:
        return WithoutAiter()  # type: ignore[return-value]  # pyright: ignore[reportReturnType]


async def test_a_list_a_generator_an_iterator_and_async_ones_are_pulled_to_their_end() -> None:
    assert await pulled(Source([1, 2])) == [1, 2]
    assert await pulled(Source(told([1, 2], []))) == [1, 2]
    assert await pulled(Source(Countdown(2))) == [1, 0]
    assert await pulled(Source(told_later([1, 2], []))) == [1, 2]
    assert await pulled(Source(Slow(2))) == [1, 0]
    assert await pulled(Source(Given())) == [1, 2]
    assert await pulled(Source(channel_of([1, 2]))) == [1, 2]
    assert await pulled(Source(())) == []


async def test_nothing_is_touched_before_the_first_pull() -> None:
    """STRM-004."""
    log: list[str] = []

    class Touchy:
        def __iter__(self) -> Iterator[int]:
            log.append("touched")
            return iter([1])

    source = Source(Touchy())
    assert log == []
    assert await source.pull() == [1]
    assert log == ["touched"]


async def test_none_and_falsy_items_are_items() -> None:
    source = Source([None, 0, ""])
    assert [await source.pull() for _ in range(4)] == [[None], [0], [""], []]


async def test_a_source_that_raises_is_exhausted() -> None:
    """STRM-026. One that would raise again and again cannot hold up what is on its way."""
    source = Source(Countdown(5, trap=True))
    assert await source.pull() == [4]
    with pytest.raises(ValueError, match="three"):
        await source.pull()
    assert source.exhausted


async def test_what_cannot_even_begin_is_exhausted() -> None:
    class Broken:
        def __iter__(self) -> Iterator[int]:
            raise ValueError("no")

    source = Source(Broken())
    with pytest.raises(ValueError, match="no"):
        await source.pull()
    assert source.exhausted


@pytest.mark.parametrize("after", [0, 0.5])
async def test_a_cancelled_pull_of_an_iterator_is_no_end(after: float) -> None:
    """Also when what it raises is a whole group of ``Cancelled``, from a nursery."""
    source = Source(Slow(2))
    with trio.move_on_after(after) as patience:
        await source.pull()
    assert patience.cancelled_caught
    assert not source.exhausted
    assert await pulled(source) == [1, 0]


async def test_an_error_beside_a_cancellation_is_an_error() -> None:
    class Torn(Slow):
        async def __anext__(self) -> int:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(trio.sleep_forever)
                try:
                    await trio.sleep_forever()
                finally:
                    raise ValueError("clean-up")

    source = Source(Torn(1))
    with pytest.RaisesGroup(ValueError, allow_unwrapped=True, flatten_subgroups=True):
        with trio.move_on_after(1):
            await source.pull()
    assert source.exhausted


async def test_an_async_generator_that_was_cancelled_says_so_instead_of_ending_early() -> None:
    """Python ends it: what it had still to give would be lost without a word."""
    log: list[str] = []
    source = Source(told_later([1, 2], log, pause=1))
    with trio.move_on_after(0.5):
        await source.pull()
    assert not source.exhausted
    with pytest.raises(RuntimeError, match=r"^items: <async_generator .*told_later.* cancelled"):
        await source.pull()
    assert source.exhausted
    await source.close()
    assert log == ["closed"]


async def test_an_async_generator_that_survives_its_cancellation_goes_on() -> None:
    async def stubborn() -> AsyncIterator[int]:
        with trio.move_on_after(1):
            await trio.sleep_forever()
        yield 1
        yield 2

    source = Source(stubborn())
    assert await pulled(source) == [1, 2]


async def test_a_cancelled_generator_made_a_channel_goes_on() -> None:
    log: list[str] = []

    @trio.as_safe_channel
    async def numbers() -> AsyncGenerator[int, None]:
        async for number in told_later([1, 2], log, pause=1):
            yield number

    async with numbers() as channel:
        source = Source(channel)
        with trio.move_on_after(0.5):
            await source.pull()
        assert await pulled(source) == [1, 2]


async def test_only_the_wait_for_a_channel_may_be_interrupted() -> None:
    assert Source(channel_of([1])).may_interrupt
    assert not Source([1]).may_interrupt
    assert not Source(Slow(1)).may_interrupt
    assert not Source(told_later([1], [])).may_interrupt


async def test_closing_lets_a_generator_clean_up_once() -> None:
    """STRM-027."""
    for pulls in (1, 3):
        log: list[str] = []
        plain, waiting = Source(told([1, 2], log)), Source(told_later([1, 2], log))
        for source in (plain, waiting):
            for _ in range(pulls):
                await source.pull()
            await source.close()
            assert log[-1] == "closed"
            await source.close()
        assert log.count("closed") == 2


async def test_what_was_never_pulled_is_not_closed() -> None:
    log: list[str] = []
    generator = told([1, 2], log)
    await Source(generator).close()
    assert list(generator) == [1, 2]


async def test_what_is_no_generator_belongs_to_whoever_made_it() -> None:
    sender, receiver = trio.open_memory_channel[int](2)
    sender.send_nowait(1)
    source = Source(receiver)
    assert await source.pull() == [1]
    await source.close()
    sender.send_nowait(2)
    assert receiver.receive_nowait() == 2


async def test_closing_may_raise_what_the_clean_up_raises() -> None:
    def careless() -> Iterator[int]:
        try:
            yield 1
        finally:
            raise OSError("still open")

    source = Source(careless())
    await source.pull()
    with pytest.raises(OSError, match="still open"):
        await source.close()
