"""What reports and ``process_info`` may show of messages and state: what ``redact`` passes."""

from __future__ import annotations

from typing import Any, Literal

import pytest
import trio

from runtime import (
    Cast,
    Crashed,
    GenServer,
    MailboxLimit,
    MessageDropped,
    MessageUnexpected,
    Node,
    ProcessCrashed,
    UnhandledMessage,
    handles,
    monitor,
    process_info,
    ref,
    self_,
    send,
    wait_exit,
)
from tests.conftest import Recorder

BOOM = ValueError("boom")


class Add(Cast):
    by: int = 1


class Bare(GenServer):
    """Defines nothing."""


class Typed(GenServer):
    def __init__(self) -> None:
        self.count = 0

    def handle_cast(self, message: Add) -> None:
        self.count += message.by


class Secret(Cast):
    password: str


class Vault(GenServer):
    """Shows the class of a message only, and part of its state."""

    mailbox = MailboxLimit(1, "drop_newest")

    def __init__(self, shown: object = "count=1") -> None:
        self.password = "hunter2"
        self.shown = shown

    def redact(self, what: Literal["message", "state"], value: Any) -> object:
        if what == "state":
            assert value is self
            return self.shown
        return type(value).__name__ if isinstance(value, Secret) else value

    @handles(Secret)
    async def secret(self, message: Secret) -> None:
        await trio.sleep(1)
        if message.password == "wrong":
            raise BOOM


async def test_what_is_redacted_is_shown_nowhere(node: Node, events: Recorder) -> None:
    server = await Vault.start()
    server.cast(Secret(password="wrong"))
    await trio.sleep(0.5)
    info = process_info(server)
    assert info is not None
    assert info.current == "'Secret'"
    server.cast(Secret(password="hunter2"))
    server.cast(Secret(password="hunter2"))
    await trio.sleep(1)
    (dropped,) = events.of(MessageDropped)
    (crash,) = events.of(ProcessCrashed)
    assert dropped.message == "'Secret'"
    assert (crash.last_message, crash.state) == ("'Secret'", "'count=1'")
    assert (crash.mailbox_length, crash.handled) == (1, 1)
    assert "hunter2" not in repr(list(events))


@pytest.mark.parametrize(("shown", "text"), [(None, None), ({}, "{}"), ("", "''"), (0, "0")])
async def test_nothing_of_the_state_is_shown_if_redact_says_none(
    node: Node, events: Recorder, shown: object, text: str | None
) -> None:
    server = await Vault.start(shown)
    server.cast(Secret(password="wrong"))
    await wait_exit(server)
    (crash,) = events.of(ProcessCrashed)
    assert crash.state == text


async def test_by_default_messages_are_shown_and_the_state_is_not(
    node: Node, events: Recorder
) -> None:
    server = await Typed.start()
    send(server, Add(by="x"))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await wait_exit(server)
    (crash,) = events.of(ProcessCrashed)
    assert (crash.last_message, crash.state) == ("Add(by='x')", None)


async def test_a_redact_that_raises_shows_nothing_and_harms_nobody(
    node: Node, events: Recorder, capsys: pytest.CaptureFixture[str]
) -> None:
    class Broken(Bare):
        def redact(self, what: Literal["message", "state"], value: Any) -> object:
            raise KeyError(what)

    server = await Broken.start()
    server.send("hunter2")
    server.cast(Add())
    reason = await wait_exit(server)
    assert isinstance(reason, Crashed)
    assert isinstance(reason.exception, UnhandledMessage), "the crash is what it was"
    (crash,) = events.of(ProcessCrashed)
    assert (crash.last_message, crash.state) == ("<not shown>", None)
    assert [event.message for event in events.of(MessageUnexpected)] == ["<not shown>"]
    assert "KeyError" in capsys.readouterr().err


async def test_what_is_dropped_before_there_is_an_instance_is_not_shown(
    node: Node, events: Recorder
) -> None:
    class Eager(Vault):
        def __init__(self) -> None:
            for _ in range(3):
                ref(self_()).cast(Secret(password="hunter2"))
            super().__init__()

    await Eager.start()
    assert len(events.of(MessageDropped)) == 2
    assert "hunter2" not in repr(events.of(MessageDropped))


async def test_a_long_message_is_cut(node: Node, events: Recorder) -> None:
    server = await Bare.start()
    server.send("x" * 10_000)
    await trio.sleep(1)
    (unexpected,) = events.of(MessageUnexpected)
    assert len(unexpected.message) < 600
    assert unexpected.message.endswith("(10002 characters)")


async def test_a_down_without_a_handler_is_unexpected_too(node: Node, events: Recorder) -> None:
    other = await Bare.start()

    class Watches(GenServer):
        def init(self) -> None:
            monitor(other)

    await Watches.start()
    await other.stop("boom")
    await trio.sleep(1)
    (event,) = events.of(MessageUnexpected)
    assert event.message.startswith("Down(")
