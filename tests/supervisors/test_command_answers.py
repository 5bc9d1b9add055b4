"""The commands that ask once and print, against a console played by the test."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterable, Iterator
from io import StringIO
from pathlib import Path

import msgspec
import pytest
from rich.console import Console

from runtime.console.frames import (
    AskCrashes,
    AskInfo,
    AskStack,
    AskTree,
    Done,
    Evaluate,
    Failed,
    Interrupt,
    Output,
    StackView,
    ToService,
)
from runtime.inspection.views import CrashView
from supervisors.command import answers
from supervisors.command.client import Client, connect
from supervisors.command.problems import Declined
from supervisors.command.services import ServiceView
from tests.supervisors.fake_console import FakeConsole, Said, answer, fake_console
from tests.supervisors.seen import CRASH, INFO, ROOT, SNAPSHOT, process, snapshot

STACK = StackView(3, "Counter", "counter", "Counter.add", ("a.py:1 f",), 4.5)
MANY = snapshot(ROOT, *(process(n) for n in range(2, 40)))


def reply(frame: ToService) -> Iterable[Said]:
    match frame:
        case AskTree(id):
            return [answer(id, SNAPSHOT)]
        case AskInfo(id, "counter"):
            return [answer(id, INFO)]
        case AskStack(id):
            return [answer(id, STACK)]
        case AskCrashes(id, limit):
            return [answer(id, [CRASH][:limit])]
        case Evaluate(id, "print(1); 2"):
            return [Output(id, "1\n"), Done(id, "2")]
        case Evaluate(id, "nothing"):
            return [Done(id, None)]
        case Evaluate():
            return []
        case Interrupt(id):
            return [Failed(id, "KeyboardInterrupt", "KeyboardInterrupt")]
        case other:
            return [Failed(getattr(other, "id", 0), "NoProcess", "nobody")]


@pytest.fixture
def service(tmp_path: Path) -> Iterator[FakeConsole]:
    with fake_console(tmp_path / "s", reply) as console:
        yield console


@pytest.fixture
def client(service: FakeConsole, tmp_path: Path) -> Iterator[Client]:
    client = connect(tmp_path / "s", answers.write)
    yield client
    client.close()


@pytest.fixture
def screen() -> Console:
    return Console(file=StringIO(), width=100, color_system=None, highlight=False)


def text_of(screen: Console) -> str:
    assert isinstance(screen.file, StringIO)
    return screen.file.getvalue()


def test_on_a_terminal_the_screen_is_drawn_as_it_is() -> None:
    terminal = Console(file=StringIO(), width=100, force_terminal=True, highlight=False)
    answers.show_services([ServiceView("shop", "/s/shop.sock", problem="no")], terminal, json=False)
    assert "\x1b[1mservice" in text_of(terminal)


def test_the_tree_is_drawn_or_encoded(
    client: Client, screen: Console, capsys: pytest.CaptureFixture[str]
) -> None:
    answers.show_tree(client, screen, json=False, everything=False)
    assert text_of(screen).startswith("shop  2 processes")
    answers.show_tree(client, screen, json=True, everything=False)
    assert msgspec.json.decode(capsys.readouterr().out, type=type(SNAPSHOT)) == SNAPSHOT


def test_all_of_the_tree_is_drawn_on_request(
    tmp_path: Path, screen: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    with fake_console(tmp_path / "m", lambda frame: [answer(frame_id(frame), MANY)]):
        client = connect(tmp_path / "m", answers.write)
        answers.show_tree(client, screen, json=False, everything=False)
        assert "… and 18 more" in text_of(screen)
        answers.show_tree(client, screen, json=False, everything=True)
        assert text_of(screen).count("├── Counter") + text_of(screen).count("└── Counter") == 58
        client.close()


def frame_id(frame: ToService) -> int:
    found = getattr(frame, "id", None)
    assert isinstance(found, int)
    return found


def test_one_process_is_drawn_or_encoded(
    client: Client, screen: Console, capsys: pytest.CaptureFixture[str]
) -> None:
    answers.show_info(client, screen, json=False, target="counter")
    assert text_of(screen).startswith("counter <3>\n")
    answers.show_info(client, screen, json=True, target="counter")
    assert msgspec.json.decode(capsys.readouterr().out, type=type(INFO)) == INFO
    with pytest.raises(Declined, match="nobody"):
        answers.show_info(client, screen, json=False, target="x")


def test_the_stack_is_drawn_or_encoded(
    client: Client, screen: Console, capsys: pytest.CaptureFixture[str]
) -> None:
    answers.show_stack(client, screen, json=False)
    assert text_of(screen).startswith("counter <3>  Counter  in Counter.add\n")
    answers.show_stack(client, screen, json=True)
    assert msgspec.json.decode(capsys.readouterr().out, type=StackView) == STACK


def test_crashes_are_drawn_or_encoded(
    client: Client, screen: Console, capsys: pytest.CaptureFixture[str]
) -> None:
    answers.show_crashes(client, screen, json=False, limit=0)
    assert text_of(screen) == "no crashes\n"
    answers.show_crashes(client, screen, json=True, limit=5)
    assert msgspec.json.decode(capsys.readouterr().out, type=list[CrashView]) == [CRASH]


def test_services_are_drawn_or_encoded(screen: Console, capsys: pytest.CaptureFixture[str]) -> None:
    found = [
        ServiceView("shop", "/s/shop.sock", 7, "3.11.7", 65.0),
        ServiceView("ship", "/s/ship.sock", problem="no"),
    ]
    answers.show_services(found, screen, json=False)
    assert text_of(screen).splitlines() == [
        "service  os pid  python  up    socket",
        "shop     7       3.11.7  1m05  /s/shop.sock",
        "ship     -       -       -     no",
    ]
    answers.show_services(found, screen, json=True)
    assert msgspec.json.decode(capsys.readouterr().out) == msgspec.to_builtins(found)


def test_output_and_value_are_printed(client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    answers.evaluate(client, "print(1); 2")
    answers.evaluate(client, "nothing")
    assert capsys.readouterr().out == "1\n2\n"


def test_ctrl_c_is_passed_on_and_ends_only_the_evaluation(
    client: Client, service: FakeConsole
) -> None:
    before = signal.getsignal(signal.SIGINT)

    def press() -> None:
        service.came.acquire()
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=press)
    thread.start()
    with pytest.raises(Declined, match="KeyboardInterrupt"):
        answers.evaluate(client, "while True: pass")
    thread.join()
    assert signal.getsignal(signal.SIGINT) is before
    assert service.asked == [Evaluate(1, "while True: pass"), Interrupt(1)]
