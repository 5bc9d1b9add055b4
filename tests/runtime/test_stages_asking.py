"""The functions that ask stages: by name, by pid, with a time-out, and what they refuse."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import trio

from runtime import CallCycle, CallExit, CallTimeout, Node, is_alive, kill, start, wait_exit
from runtime.stages import (
    BadSubscription,
    Subscription,
    buffered_count,
    get_demand,
    queue_info,
    resubscribe,
    set_demand,
    subscribe,
)
from tests.runtime.staging import (
    Begin,
    Do,
    Log,
    Sink,
    Source,
    chunks,
    demands,
    emitted,
    joined,
    settled,
)


async def nap(stage: object) -> None:
    """Keeps a stage busy."""
    await trio.sleep(5)


Asked = Callable[[Any, Any, Subscription, float], Any]

ASKED: list[Asked] = [
    lambda c, p, s, timeout: subscribe(c, p, timeout=timeout),
    lambda c, p, s, timeout: resubscribe(s, p, timeout=timeout),
    lambda c, p, s, timeout: set_demand(p, "forward", timeout=timeout),
    lambda c, p, s, timeout: get_demand(p, timeout=timeout),
    lambda c, p, s, timeout: buffered_count(p, timeout=timeout),
    lambda c, p, s, timeout: queue_info(p, 1, timeout=timeout),
]


async def named_stages(log: Log | None = None) -> Any:
    """A producer and a consumer with names."""
    p = await start(Source.child_spec(None, 3).replace(name="p"))
    c = await start(Sink.child_spec(log).replace(name="c"))
    return p, c


async def test_by_name_pid_and_handle(node: Node) -> None:
    log: Log = []
    p, c = await named_stages(log)
    for consumer, producer in (("c", "p"), (c.pid, p.pid), (c, p)):
        subscription = await subscribe(consumer, producer, cancel="temporary")
        assert (subscription.consumer, subscription.producer) == (c.pid, p.pid)
    for producer in ("p", p.pid, p):
        await set_demand(producer, "forward")
        assert await get_demand(producer) == "forward"
        assert await buffered_count(producer) == 0
        await queue_info(producer, 5)
    await settled()
    assert chunks(log) == [[0, 1, 2]]
    assert await p.call(Do(lambda stage: stage.log.count(("info", 5)))) == 3


@pytest.mark.parametrize("wrong", [5, None, b"c"])
async def test_what_is_no_address(node: Node, wrong: Any) -> None:
    p, c = await named_stages()
    with pytest.raises(TypeError, match=r"^consumer: got .*, allowed are a name, a Pid and a Ref"):
        await subscribe(wrong, p)
    with pytest.raises(TypeError, match=r"^to: got "):
        await subscribe(c, wrong)
    with pytest.raises(TypeError, match=r"^producer: got "):
        await get_demand(wrong)
    with pytest.raises(TypeError, match=r"^producer: got "):
        await set_demand(wrong, "forward")
    with pytest.raises(TypeError, match=r"^stage: got "):
        await buffered_count(wrong)
    with pytest.raises(TypeError, match=r"^stage: got "):
        await queue_info(wrong, 1)


@pytest.mark.parametrize("asked", ASKED)
async def test_who_is_not_there(node: Node, asked: Asked) -> None:
    p, c = await named_stages()
    subscription = await joined(c, p)
    for one in (p, c):
        kill(one)
        await wait_exit(one)
    with pytest.raises(CallExit):
        await asked(c, p, subscription, 5)


@pytest.mark.parametrize("asked", ASKED)
async def test_who_is_busy(node: Node, asked: Asked) -> None:
    """The time-out is the caller's; what was asked still happens."""
    p, c = await named_stages()
    subscription = await joined(c, p, cancel="temporary")
    for one in (p, c):
        one.cast(Begin(nap))
    with pytest.raises(CallTimeout):
        await asked(c, p, subscription, 1)
    await trio.sleep(10)
    assert is_alive(p)
    assert is_alive(c)


async def test_a_stage_that_asks_itself_waits_for_itself(node: Node) -> None:
    _, c = await named_stages()

    async def ask(stage: Any) -> None:
        with pytest.raises(CallCycle):
            await subscribe("c", "p")

    await c.call(Do(ask))


async def test_it_returns_when_the_request_is_sent(node: Node) -> None:
    """GS-17: whether the producer takes it is told later."""
    up: Log = []
    p, c = await Source.start(up), await Sink.start()
    subscription = await subscribe(c, p, partition=5, cancel="temporary")
    assert demands(up) == []
    await settled()
    assert isinstance(subscription, Subscription)
    assert is_alive(c)


async def test_options_are_checked_by_the_caller(node: Node) -> None:
    p, c = await named_stages()
    subscription = await joined(c, p)
    wrong: Any = "always"
    with pytest.raises(BadSubscription, match=r"^cancel: got 'always'"):
        await subscribe("nobody", p, cancel=wrong)
    with pytest.raises(BadSubscription, match=r"^cancel: got 'always'"):
        await resubscribe(subscription, p, cancel=wrong)
    await emitted(p, 1)
    assert is_alive(c)
