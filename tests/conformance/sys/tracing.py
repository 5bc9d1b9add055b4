"""Rows of SYS about following a server: its log and its debug functions."""

from __future__ import annotations

from runtime import TraceEvent, trace, untrace
from tests.conformance.scenarios import row
from tests.runtime.counting import Add, Counter, Get


@row("SYS-015")
async def a_list_is_the_log_of_a_server() -> None:
    server = await Counter.start()
    log: list[TraceEvent] = []
    await trace(server, log.append)
    await server.call(Get())
    assert [(one.what, one.text) for one in log] == [("call", "Get()"), ("reply", None)]


@row("SYS-016")
async def a_function_sees_what_goes_in_and_out_until_it_is_removed() -> None:
    server = await Counter.start()
    seen: list[str] = []

    def see(event: TraceEvent) -> None:
        seen.append(event.what)

    await trace(server, see)
    await server.call(Get())
    server.cast(Add())
    server.send("an info")
    await server.call(Get())
    assert seen == ["call", "reply", "cast", "noreply", "info", "noreply", "call", "reply"]
    await untrace(server)
    await server.call(Get())
    assert len(seen) == 8
