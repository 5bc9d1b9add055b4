"""Rows of BW about what becomes of a message in a processor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from runtime import BadResult, ProcessExit, Shutdown
from supervisors.pipeline import Batcher, Message, Processors
from tests.conformance.bw.parts import Callbacks, Line, Log, Messages, data_of
from tests.conformance.scenarios import row

FOUR_TWO = Processors(1, max_demand=4, min_demand=2)


@row("BW-03")
async def without_batchers_each_chunk_is_acknowledged() -> None:
    line = await Line(range(1, 8)).start(None, FOUR_TWO)
    assert line.log == [
        ("ack", [1, 2], []),
        ("ack", [3, 4], []),
        ("ack", [5, 6], []),
        ("ack", [7], []),
    ]
    await line.stop()


@row("BW-04")
async def with_batchers_every_message_goes_to_one() -> None:
    def handle(message: Message[int]) -> Message[int]:
        return message.to_batcher("nowhere") if message.data == 3 else message

    line = await Line(range(1, 4), handle).start(None, None, {"default": Batcher(2)})
    assert line.log == [
        ("ack", [], [3]),
        ("size", "default", [1, 2]),
        ("ack", [1, 2], []),
    ]
    await line.stop()


@row("BW-13")
async def what_is_returned_goes_on() -> None:
    line = await Line("ab", lambda message: message.replace(message.data * 2)).start()
    assert line.log == [("ack", ["aa", "bb"], [])]
    await line.stop()


@row("BW-14")
async def what_is_marked_failed_goes_nowhere() -> None:
    def handle(message: Message[str]) -> Message[str]:
        return message.fail("no") if message.data == "b" else message

    line = await Line("abc", handle).start(None, None, {"default": Batcher(2)})
    assert line.log == [
        ("ack", [], ["b"]),
        ("size", "default", ["a", "c"]),
        ("ack", ["a", "c"], []),
    ]
    await line.stop()


async def failures_of(handle: Callable[[Message[str]], Any], **options: Any) -> list[object]:
    """Why ``b`` of ``abc`` has failed, which its neighbours must not."""
    failures: list[object] = []

    class Seeing(Callbacks):
        async def handle_failed(self, messages: Messages) -> Messages:
            failures.extend(message.failure for message in messages)
            return messages

    def only_b(message: Message[str]) -> Any:
        return handle(message) if message.data == "b" else message

    line = Line("abc", callbacks=lambda log: Seeing(log, only_b))
    await line.start(**options)
    assert (line.told_of("ok"), line.told_of("failed")) == (["a", "c"], ["b"])
    await line.stop()
    return failures


@row("BW-15")
async def what_a_handler_raises_is_the_failure_of_its_message() -> None:
    error = ValueError("no")

    def raises(message: Message[str]) -> Message[str]:
        raise error

    async def raises_later(message: Message[str]) -> Message[str]:
        raise error

    def leaves(message: Message[str]) -> Message[str]:
        raise ProcessExit(Shutdown("enough"))

    assert await failures_of(raises) == [error]
    assert await failures_of(raises_later) == [error]
    assert await failures_of(leaves) == [Shutdown("enough")]


@row("BW-16")
async def what_is_no_message_is_a_failure() -> None:
    (failure,) = await failures_of(lambda message: "b")
    assert isinstance(failure, BadResult)
    assert str(failure).startswith("handle_message returned 'b', allowed is the message it was")


@row("BW-17")
async def an_unknown_batcher_is_a_failure() -> None:
    batchers = {"default": Batcher(2), "sql": Batcher(2)}
    (failure,) = await failures_of(lambda message: message.to_batcher("mail"), batchers=batchers)
    assert str(failure) == "handle_message: got the batcher 'mail', allowed are 'default', 'sql'"


def preparing(prepare: Callable[[Messages], Any]) -> Callable[[Log], Callbacks]:
    """Callbacks that prepare, and write down what they prepare and handle."""

    class Preparing(Callbacks):
        async def prepare_messages(self, messages: Messages) -> Messages:
            self.log.append(("prepare", data_of(messages)))
            result: Messages = prepare(messages)
            return result

        async def handle_message(self, message: Message[Any]) -> Message[Any]:
            self.log.append(message.data)
            return message

    return lambda log: Preparing(log)


@row("BW-22")
async def a_chunk_is_prepared_as_a_whole() -> None:
    line = Line("abc", callbacks=preparing(lambda ms: [m.replace(m.data * 2) for m in ms]))
    await line.start(None, FOUR_TWO)
    assert line.log == [
        ("prepare", ["a", "b"]), "aa", "bb", ("ack", ["aa", "bb"], []),
        ("prepare", ["c"]), "cc", ("ack", ["cc"], []),
    ]  # fmt: skip
    await line.stop()


@row("BW-23")
async def a_chunk_that_is_not_prepared_has_failed() -> None:
    def raises(messages: Messages) -> Messages:
        raise ValueError("no")

    for prepare in (raises, lambda messages: messages[:1]):
        line = await Line("ab", callbacks=preparing(prepare)).start()
        assert line.log == [("prepare", ["a", "b"]), ("ack", [], ["a", "b"])]
        await line.stop()


@row("BW-24")
async def what_was_marked_failed_before_is_handled_all_the_same() -> None:
    line = Line("ab", callbacks=preparing(lambda ms: [ms[0].fail("no"), ms[1]]))
    await line.start()
    assert line.log == [("prepare", ["a", "b"]), "a", "b", ("ack", ["b"], ["a"])]
    await line.stop()
