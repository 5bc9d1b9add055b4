"""Streams against a plain model of their steps, which knows nothing of Trio or processes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import trio
from hypothesis import example, given, settings
from hypothesis import strategies as st

from runtime import (
    Crashed,
    Exited,
    Normal,
    Ok,
    ProcessExit,
    TimedOut,
    async_stream,
    async_stream_nolink,
    open_node,
    processes,
    self_,
)
from runtime.testing import run_in_virtual_time
from tests.runtime.streaming import channel_of
from tests.support import in_process

Kind = Literal["ok", "exit", "crash", "normal"]
KINDS: tuple[Kind, ...] = ("ok", "ok", "ok", "exit", "crash", "normal")
EPSILON = 2.0**-20


@dataclass(frozen=True)
class Item:
    """Takes so many seconds, and ends like that."""

    number: int
    seconds: int
    kind: Kind

    @property
    def duration(self) -> float:
        """A little different for each, so that no two of them end at the same time."""
        return self.seconds + EPSILON * (1 << self.number)


@dataclass(frozen=True)
class Case:
    """One run of a stream."""

    items: tuple[Item, ...]
    concurrency: int
    ordered: bool
    timeout: float
    pause: int  # of the consumer after each result
    linked: bool
    from_channel: bool


@dataclass
class Seen:
    """What happened."""

    results: list[tuple[int, str, float]]  # number, how it ended, when it was handed out
    starts: list[tuple[int, float]]
    peak: int


@st.composite
def cases(draw: st.DrawFn) -> Case:
    count = draw(st.integers(0, 12))
    items = [
        Item(number, draw(st.integers(0, 4)), draw(st.sampled_from(KINDS)))
        for number in range(count)
    ]
    return Case(
        tuple(items),
        draw(st.integers(1, 5)),
        draw(st.booleans()),
        draw(st.sampled_from((math.inf, math.inf, 2.0, 3.5))),
        draw(st.sampled_from((0, 0, 1, 3))),
        draw(st.booleans()),
        draw(st.booleans()),
    )


@dataclass
class Running:
    """A task of the model."""

    item: Item
    end: float
    how: str
    seen: bool = False


def expected(case: Case) -> Seen:
    """The model: hand out what is due, else pull if a slot is free, else wait for one end."""
    now, left, running, queue = 0.0, list(case.items), list[Running](), list[Running]()
    seen = Seen([], [], 0)
    while True:
        if queue and queue[0].seen:
            one = queue.pop(0)
            seen.results.append((one.item.number, one.how, now))
            now += case.pause
            continue
        over = [one for one in running if one.end <= now]
        # From a channel, ends come before items.
        if left and len(running) < case.concurrency and not (case.from_channel and over):
            item = left.pop(0)
            late = item.duration > case.timeout
            end = now + min(item.duration, case.timeout)
            running.append(Running(item, end, "late" if late else item.kind))
            if case.ordered:
                queue.append(running[-1])
            seen.starts.append((item.number, now))
        elif running:
            head = queue[0] if queue else running[0]
            first = min(running, key=lambda one: (one.end, one.item.number))
            one = head if case.ordered and head.end <= max(now, first.end) else first
            now = max(now, one.end)
            one.seen = True
            running.remove(one)
            if not case.ordered:
                queue.append(one)
        else:
            seen.peak = peak_of(case, seen.starts)
            return seen


def peak_of(case: Case, starts: list[tuple[int, float]]) -> int:
    """How many ran at once."""
    spans = [
        (start, start + min(case.items[number].duration, case.timeout)) for number, start in starts
    ]
    return max((sum(a <= at < b for a, b in spans) for at, _ in spans), default=0)


async def observed(case: Case) -> Seen:
    """The stream itself."""
    seen = Seen([], [], 0)
    alive: set[int] = set()

    async def work(item: Item) -> Item:
        seen.starts.append((item.number, trio.current_time()))
        alive.add(item.number)
        seen.peak = max(seen.peak, len(alive))
        try:
            await trio.sleep(item.duration)
        finally:
            alive.remove(item.number)
        match item.kind:
            case "ok":
                return item
            case "exit":
                raise ProcessExit("exit")
            case "crash":
                raise ValueError(item.number)
            case "normal":
                raise ProcessExit(Normal())

    async def consume() -> None:
        make = async_stream if case.linked else async_stream_nolink
        stream = make(
            channel_of(case.items) if case.from_channel else case.items,
            work,
            max_concurrency=case.concurrency,
            ordered=case.ordered,
            timeout=case.timeout,
            on_timeout="kill_task",
            zip_input_on_exit=True,
        )
        async with stream as results:
            async for result in results:
                item = result.value if isinstance(result, Ok) else result.input
                assert item is not None
                seen.results.append((item.number, how_of(result), trio.current_time()))
                await trio.sleep(case.pause)
        assert processes() == [self_()]

    async with open_node(instruments=[]):
        await in_process(consume, trap=True)
        assert processes() == []
    return seen


def how_of(result: Ok[Item] | Exited[Item]) -> str:
    match result:
        case Ok():
            return "ok"
        case Exited(reason=Crashed(exception=error), input=item):
            assert item is not None
            assert error.args == (item.number,)
            return "crash"
        case Exited(reason=TimedOut()):
            return "late"
        case Exited(reason=Normal()):
            return "normal"
        case _:
            assert result.reason == "exit"
            return "exit"


# Two ends wait for a busy consumer: what it is to get next comes first, and one more is pulled.
BUSY = Case(
    tuple(Item(number, seconds, "ok") for number, seconds in enumerate((0, 2, 1, 0, 0, 0))),
    concurrency=3,
    ordered=True,
    timeout=math.inf,
    pause=3,
    linked=False,
    from_channel=False,
)


@settings(max_examples=300, deadline=None, derandomize=True)
@example(BUSY)
@given(cases())
def test_results_their_order_and_time_and_the_number_of_tasks_are_those_of_the_model(
    case: Case,
) -> None:
    """STRM-001, 002, 007, 010, 011, 013, 014, 020, 021, 022, in any combination."""
    seen = run_in_virtual_time(lambda: observed(case))
    model = expected(case)
    assert sorted(seen.starts) == model.starts  # those of one tick begin in any order
    assert seen.peak == model.peak <= case.concurrency
    if case.ordered:
        assert [number for number, _, _ in seen.results] == [item.number for item in case.items]
    if case.ordered or case.timeout == math.inf:
        assert seen.results == model.results
    else:  # those that time out at the same time come in any order
        assert sorted((n, how) for n, how, _ in seen.results) == sorted(
            (n, how) for n, how, _ in model.results
        )
        assert [at for _, _, at in seen.results] == [at for _, _, at in model.results]
