"""05_async_stream_mixed.exs: streams over items that end in every way there is."""

from __future__ import annotations

from functools import partial

import trio

from runtime import (
    Normal,
    ProcessExit,
    Shutdown,
    StreamKeywords,
    async_stream,
    kill,
    self_,
)
from supervisors import TaskSupervisor, TaskSupervisorRef
from tests.oracle.rendering import Thrown, say
from tests.oracle.trace import Trace, attempt, died, each, flush, settle

INPUT: list[int | str] = [
    1, "slow", 5, "exit", "raise", "throw", 3, "kill", "normal", "shutdown", 2,
]  # fmt: skip
WITH_EXIT: list[int | str] = [1, "exit", 2]
WITH_SLOW: list[int | str] = [1, "slow", "slow"]

BASE: StreamKeywords = {"timeout": 0.08, "on_timeout": "kill_task", "max_concurrency": 4}
ZIPPED: StreamKeywords = {**BASE, "zip_input_on_exit": True}
UNORDERED: StreamKeywords = {**BASE, "ordered": False}


async def job(item: int | str) -> object:
    match item:
        case "slow":
            await trio.sleep(10)
        case "exit":
            raise ProcessExit("boom")
        case "raise":
            raise RuntimeError("bad input")
        case "throw":
            raise Thrown("ball")
        case "kill":
            kill(self_())
            await trio.lowlevel.checkpoint()
        case "normal":
            raise ProcessExit(Normal())
        case "shutdown":
            raise ProcessExit(Shutdown("early"))
        case int(n):
            await trio.sleep(n / 1000)
            return n * 2
        case _:
            raise AssertionError(item)
    return None


async def nap(ms: int) -> int:
    await trio.sleep(ms / 1000)
    return ms


async def scenario(trace: Trace) -> None:
    out = trace.out
    s = TaskSupervisorRef(await TaskSupervisor.start_link())

    def item(result: object) -> None:
        out(f"item {say(result)}")

    def item_then_raise(result: object) -> None:
        item(result)
        raise RuntimeError("consumer")

    out("-- ordered nolink")
    await each(s.async_stream_nolink(INPUT, job, **BASE), item)
    out(f"children left {len(await s.children())} mailbox {len(await flush(20))}")
    out("-- ordered nolink zip_input_on_exit")
    await each(s.async_stream_nolink(INPUT, job, **ZIPPED), item)
    out("-- unordered nolink sorted")
    lines: list[str] = []
    stream = s.async_stream_nolink(INPUT, job, **UNORDERED)
    await each(stream, lambda result: lines.append(say(result)))
    for line in sorted(lines):
        out(f"item {line}")
    out("-- unordered completion order")
    await each(async_stream([150, 10, 80], nap, ordered=False, max_concurrency=3), item)
    out("-- linked, trapping caller")
    await each(async_stream(WITH_EXIT, job, **BASE), item)
    out(f"mailbox {len(await flush(20))}")
    out("-- linked, non-trapping caller dies with the task")

    async def caller() -> None:
        await each(async_stream(WITH_EXIT, job, max_concurrency=1, timeout=0.08), item)

    out(f"caller down {say(await died(caller))}")
    out(
        "-- on_timeout exit: earlier items delivered, then caller exit is raised; "
        "stragglers are gone"
    )
    stream = s.async_stream_nolink(WITH_SLOW, job, timeout=0.06, max_concurrency=3)
    out(f"result {await attempt(partial(each, stream, item))}")
    await settle(30)
    out(f"children left {len(await s.children())}")
    out("-- consumer raises: tasks are killed")
    stream = s.async_stream_nolink(WITH_SLOW, job, timeout=5, max_concurrency=3)
    out(f"result {await attempt(partial(each, stream, item_then_raise))}")
    await settle(30)
    out(f"children left {len(await s.children())} mailbox {len(await flush(20))}")
    out("-- max_children smaller than max_concurrency")
    s2 = TaskSupervisorRef(await TaskSupervisor.start_link(max_children=1))
    stream = s2.async_stream_nolink(["slow", "slow"], job, **BASE)
    result = await attempt(partial(each, stream, item))
    out(f"result {result[:60]}")
    out(f"children left {len(await s2.children())}")
