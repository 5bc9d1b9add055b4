"""Rows of BW about messages that a test sends."""

from __future__ import annotations

import trio

from supervisors.pipeline import Batcher, Message, Processors, RateLimit
from tests.conformance.bw.parts import Line, data_of
from tests.conformance.scenarios import row


@row("BW-55")
async def they_pass_the_limit_the_transformer_and_the_demand_by() -> None:
    line = Line()
    line.items += ["a", "b"]
    producers = line.producers(
        rate_limit=RateLimit(1, 60.0), transform=lambda event: Message(event.upper(), line.told)
    )
    await line.start(producers, Processors(1, max_demand=1))
    assert line.told_of("ok") == ["A"]
    acked = await line.ref.test_batch(["x", "y", "z"]).all()
    assert data_of(acked.successful) == ["x", "y", "z"]
    assert trio.current_time() == 0
    assert line.told_of("ok") == ["A"]
    line.items.clear()
    await line.stop()


@row("BW-63")
async def one_message_waits_for_no_batch() -> None:
    line = await Line().start(None, None, {"default": Batcher(100, timeout=60.0)})
    acked = await line.ref.test_message("a").all()
    assert data_of(acked.successful) == ["a"]
    assert line.log == [("flush", "default", ["a"])]
    assert trio.current_time() == 0
    await line.stop()


@row("BW-64")
async def several_wait_for_their_batches() -> None:
    line = await Line().start(None, None, {"default": Batcher(2, timeout=60.0)})
    seen = [data_of(acked.successful) async for acked in line.ref.test_batch("abc")]
    assert seen == [["a", "b"], ["c"]]
    assert trio.current_time() == 60
    await line.stop()


@row("BW-65")
async def they_may_have_metadata_and_an_acknowledger_of_their_own() -> None:
    line = await Line().start()
    (message,) = (await line.ref.test_message("a", metadata={"file": 7}).all()).successful
    assert message.metadata == {"file": 7}
    own = Message("b", line.told, metadata={"line": 3})
    (message,) = (await line.ref.test_message(own).all()).successful
    assert (message.metadata, message.acknowledger) == ({"line": 3}, line.told)
    assert line.log == [("ack", ["b"], [])]
    await line.stop()
