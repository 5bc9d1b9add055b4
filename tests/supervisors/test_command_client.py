"""The blocking client against a console played by the test."""

from __future__ import annotations

import struct
import threading
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

import msgspec
import pytest

from runtime.console.frames import (
    MAX_ANSWER,
    AskInfo,
    AskTree,
    Complete,
    Completions,
    Done,
    Evaluate,
    Failed,
    Goodbye,
    Interrupt,
    Output,
    Refused,
    ToService,
)
from runtime.inspection.views import Snapshot
from supervisors.command import client as client_module
from supervisors.command.client import STILL_THERE, Client, connect
from supervisors.command.problems import (
    Abandoned,
    Declined,
    NoService,
    NotAnswered,
    Problem,
    ServiceGone,
)
from tests.supervisors.fake_console import WELCOME, FakeConsole, Said, answer, fake_console
from tests.supervisors.seen import SNAPSHOT

CLIENTS: list[Client] = []


@pytest.fixture(autouse=True)
def closed_afterwards() -> Iterator[None]:
    yield
    while CLIENTS:
        CLIENTS.pop().close()


def connected(path: Path, heard: list[str] | None = None) -> Client:
    CLIENTS.append(connect(path, (heard if heard is not None else []).append))
    return CLIENTS[-1]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "s"


# ---------------------------------------------------------------------- connecting


def test_a_welcome_says_who_is_there(path: Path) -> None:
    with fake_console(path):
        client = connected(path)
        assert client.welcome == WELCOME


def test_no_socket_is_said(path: Path) -> None:
    with pytest.raises(NoService, match="there is no such socket"):
        connected(path)


def test_a_socket_that_was_left_behind_is_said(path: Path) -> None:
    with fake_console(path):
        pass
    with pytest.raises(NoService, match="nobody answers there: the service has ended"):
        connected(path)


def test_what_is_no_socket_is_said(path: Path) -> None:
    path.mkdir()
    with pytest.raises(NoService, match="nobody answers there"):
        connected(path)


def test_a_path_that_is_too_long_is_said(path: Path) -> None:
    with pytest.raises(NoService, match="too long"):
        connected(path / ("x" * 200))


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (PermissionError(13, "Permission denied"), "it belongs to another user"),
        (OSError(5, "Input/output error"), "Input/output error"),
        (OSError("strange"), "strange"),
    ],
)
def test_other_reasons_are_said(error: OSError, said: str) -> None:
    assert client_module._why(error) == said


def test_another_version_is_said(path: Path) -> None:
    with fake_console(path) as console:
        console.welcome = [msgspec.structs.replace(WELCOME, version=99)]
        with pytest.raises(NoService, match=r"speaks version 99 .* this command version 1"):
            connected(path)


def test_a_refusal_is_said(path: Path) -> None:
    with fake_console(path) as console:
        console.welcome = [Refused("you are user 7"), b""]
        with pytest.raises(ServiceGone, match="the service refused: you are user 7"):
            connected(path)


def test_an_end_without_a_word_is_said(path: Path) -> None:
    with fake_console(path) as console:
        console.welcome = [b""]
        with pytest.raises(ServiceGone, match="has closed the connection"):
            connected(path)


def test_what_is_no_welcome_is_said(path: Path) -> None:
    with fake_console(path) as console:
        console.welcome = [Done(1, None)]
        with pytest.raises(NoService, match="does not understand: Done"):
            connected(path)


def test_a_service_that_says_nothing_is_left(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "ANSWER_WITHIN", 0.01)
    with fake_console(path) as console:
        console.welcome = []
        with pytest.raises(NotAnswered, match=r"no answer within 0\.01 s"):
            connected(path)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (struct.pack("!I", MAX_ANSWER + 1), f"a frame of {MAX_ANSWER + 1} bytes"),
        (struct.pack("!I", 3) + b"abc", "does not understand"),
    ],
)
def test_garbage_is_said(path: Path, said: bytes, why: str) -> None:
    with fake_console(path) as console:
        console.welcome = [said]
        with pytest.raises(Problem, match=why):
            connected(path)


# ---------------------------------------------------------------------- questions


def test_an_answer_is_decoded_as_what_was_asked_for(path: Path) -> None:
    with fake_console(path, lambda frame: [answer(1, SNAPSHOT)]) as console:
        client = connected(path)
        assert client.ask(AskTree, Snapshot) == SNAPSHOT
        assert console.asked == [AskTree(1)]


def test_an_answer_to_an_earlier_question_is_passed_over(path: Path) -> None:
    def reply(frame: ToService) -> Iterable[Said]:
        return [] if frame == AskTree(1) else [answer(1, SNAPSHOT), answer(2, "yes")]

    with fake_console(path, reply):
        client = connected(path)
        with pytest.raises(NotAnswered):
            client.ask(AskTree, Snapshot, 0.0)
        assert client.ask(partial(AskInfo, target="x"), str) == "yes"


def test_an_answer_may_come_in_pieces(path: Path) -> None:
    with fake_console(path) as console:
        client = connected(path)
        body = msgspec.msgpack.encode(answer(1, "long"))
        console.say(struct.pack("!I", len(body))[:2])
        client.poll()
        console.say(struct.pack("!I", len(body))[2:] + body[:3])
        client.poll()
        console.say(body[3:])
        assert client.ask(AskTree, str) == "long"


def test_an_error_is_raised(path: Path) -> None:
    with fake_console(path, lambda frame: [Failed(1, "NoProcess", "nobody is called x")]):
        client = connected(path)
        with pytest.raises(Declined, match="nobody is called x") as declined:
            client.ask(partial(AskInfo, target="x"), str)
        assert (declined.value.kind, declined.value.status) == ("NoProcess", 1)


def test_an_answer_of_another_kind_is_said(path: Path) -> None:
    with fake_console(path, lambda frame: [answer(1, 5)]):
        client = connected(path)
        with pytest.raises(NoService, match="does not understand: Expected"):
            client.ask(AskTree, Snapshot)


def test_a_frame_of_another_kind_is_said(path: Path) -> None:
    replies: dict[type, Said] = {AskTree: Completions(1, ()), Complete: answer(2, None)}
    with fake_console(path, lambda frame: [replies[type(frame)]]):
        client = connected(path)
        with pytest.raises(NoService, match="does not understand: Completions"):
            client.ask(AskTree, Snapshot)
        with pytest.raises(NoService, match="does not understand: Answer"):
            client.complete("x")


def test_words_are_completed(path: Path) -> None:
    with fake_console(path, lambda frame: [Completions(1, ("state", "start"))]) as console:
        client = connected(path)
        assert client.complete("st") == ("state", "start")
        assert console.asked == [Complete(1, "st")]


def test_a_goodbye_is_raised_with_its_words(path: Path) -> None:
    with fake_console(path, lambda frame: [Goodbye("the service stops"), b""]):
        client = connected(path)
        with pytest.raises(ServiceGone, match="said goodbye: the service stops"):
            client.ask(AskTree, Snapshot)


def test_a_question_to_one_that_is_gone_hears_why(path: Path) -> None:
    with fake_console(path) as console:
        client = connected(path)
        console.say(Goodbye("enough"))
        console.close()
        with pytest.raises(ServiceGone, match="enough"):
            client.ask(AskTree, Snapshot)


def test_a_send_to_one_that_is_gone_without_a_word(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with fake_console(path):
        client = connected(path)
        monkeypatch.setattr(Client, "poll", lambda self: None)
        client.hang_up()
        client.hang_up()
        with pytest.raises(ServiceGone, match="has closed the connection"):
            client.ask(AskTree, Snapshot)


def test_a_service_that_reads_nothing_is_said(path: Path) -> None:
    blocked = threading.Event()

    def reply(frame: ToService) -> Iterable[Said]:
        blocked.wait()
        return []

    with fake_console(path, reply):
        client = connected(path)
        client._socket.settimeout(0.01)
        with pytest.raises(NotAnswered, match="takes nothing more"):
            while True:
                client._send(Evaluate(1, "x" * 500_000))
        blocked.set()


# ---------------------------------------------------------------------- evaluations


def test_output_is_told_and_the_value_returned(path: Path) -> None:
    heard: list[str] = []
    said: list[Said] = [Output(1, "one\n"), Output(1, "two"), Done(1, "3")]
    with fake_console(path, lambda frame: said) as console:
        client = connected(path, heard)
        assert client.evaluate("1 + 2") == "3"
        assert console.asked == [Evaluate(1, "1 + 2")]
    assert heard == ["one\n", "two"]


def test_a_failure_is_raised_with_its_text(path: Path) -> None:
    with fake_console(path, lambda frame: [Done(7, "of another"), Failed(1, "NameError", "x?")]):
        client = connected(path)
        with pytest.raises(Declined, match="x") as failed:
            client.evaluate("x")
        assert failed.value.kind == "NameError"


def test_output_of_a_task_is_told_at_a_poll(path: Path) -> None:
    heard: list[str] = []
    with fake_console(path) as console:
        client = connected(path, heard)
        client.poll()
        assert heard == []
        console.say(Output(1, "late"))
        client._selector.select()
        client.poll()
        assert heard == ["late"]
        console.say(Goodbye("over"))
        with pytest.raises(ServiceGone, match="over"):
            while True:
                client.poll()


def test_a_poll_passes_over_what_comes_too_late(path: Path) -> None:
    heard: list[str] = []
    with fake_console(path) as console:
        client = connected(path, heard)
        console.say(answer(1, "late"), Output(1, "on"))
        while not heard:
            client.poll()
    assert heard == ["on"]


def test_a_connection_that_is_reset_has_ended(path: Path) -> None:
    with fake_console(path) as console:
        client = connected(path)
        client._send(AskTree(1))
        assert console.came.acquire(timeout=30)

        class Reset:
            def recv(self, size: int) -> bytes:
                raise ConnectionResetError

        selector, client._socket = client._selector, Reset()  # type: ignore[assignment]
        client._selector = Ready(client._socket)  # type: ignore[assignment]
        with pytest.raises(ServiceGone, match="has closed the connection"):
            client.poll()
        client._selector = selector


class Ready:
    """A selector by which one thing is always readable."""

    def __init__(self, fileobj: object) -> None:
        self.fileobj = fileobj

    def select(self, _seconds: float | None) -> list[tuple[Ready, int]]:
        return [(self, 1)]


def interrupted(console: FakeConsole, client: Client) -> None:
    """Interrupt the evaluation once it is there."""
    console.came.acquire()
    client.interrupt()


def test_an_interrupt_is_passed_on(path: Path) -> None:
    def reply(frame: ToService) -> Iterable[Said]:
        return [Failed(1, "Interrupted", "ended")] if isinstance(frame, Interrupt) else []

    with fake_console(path, reply) as console:
        client = connected(path)
        client.interrupt()  # of nothing: forgotten when an evaluation begins
        thread = threading.Thread(target=interrupted, args=(console, client))
        thread.start()
        with pytest.raises(Declined, match="ended"):
            client.evaluate("while True: pass")
        thread.join()
        assert console.asked == [Evaluate(1, "while True: pass"), Interrupt(1)]
        client.close()
        client.interrupt()  # of one that is closed: nothing


def test_an_interrupt_that_does_not_help_is_said_and_the_next_one_leaves(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "END_WITHIN", 0.05)
    said: list[str] = []

    def hear(text: str) -> None:
        said.append(text)
        client.interrupt()

    with fake_console(path) as console:
        client = connected(path)
        client.tell = hear

        def twice() -> None:
            interrupted(console, client)
            interrupted(console, client)  # of the same: it was told already

        thread = threading.Thread(target=twice)
        thread.start()
        with pytest.raises(Abandoned) as left:
            client.evaluate("time.sleep(100)")
        thread.join()
        assert left.value.status == 130
        assert said == [STILL_THERE]
        assert console.asked == [Evaluate(1, "time.sleep(100)"), Interrupt(1)]
