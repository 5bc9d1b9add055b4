"""A sitting before ``otp top``: keys and answers played by the test."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from runtime.console.frames import (
    Act,
    AskInfo,
    AskStack,
    AskTop,
    Done,
    Evaluate,
    Failed,
    Goodbye,
    Output,
    StackView,
    StopTop,
    ToService,
)
from supervisors.command import top as top_module
from supervisors.command.client import Client, connect
from supervisors.command.problems import ServiceGone
from supervisors.command.top import LIMIT, Top
from tests.supervisors.fake_console import FakeConsole, Said, answer, fake_console
from tests.supervisors.seen import INFO, SNAPSHOT

STUCK = StackView(3, "Counter", "counter", "Counter.add", ("a.py:1 f",), 4.5)


class Service:
    """What the console answers, which a test can change."""

    def __init__(self) -> None:
        self.stuck = False
        self.refusing = False

    def reply(self, frame: ToService) -> Iterable[Said]:
        match frame:
            case AskStack(id):
                return [answer(id, STUCK)]
            case _ if self.stuck:
                return []
            case AskTop(id):
                return [answer(id, SNAPSHOT)]
            case AskInfo(id) | Act(id) | Evaluate(id) if self.refusing:
                return [Failed(id, "NoProcess", "it has ended")]
            case AskInfo(id):
                return [answer(id, INFO)]
            case Act(id, action, target):
                return [answer(id, f"{action} done to {target}")]
            case Evaluate(id):
                return [Output(id, "in Add(by=1)\n"), Done(id, None)]
            case StopTop(id):
                return [answer(id, None)]
            case other:
                raise AssertionError(other)


Step = str | Callable[[], object]


class Played:
    """A keyboard: each step is keys, or something that happens before the time is over."""

    def __init__(self, screen: StringIO, *steps: Step) -> None:
        self.steps = list(steps)
        self.shown: list[str] = []
        self.waits: list[float | None] = []
        self._screen = screen

    def wait(self, seconds: float | None) -> list[str]:
        self.shown.append(self._screen.getvalue())
        self._screen.truncate(0)
        self.waits.append(seconds)
        step = self.steps.pop(0)
        if isinstance(step, str):
            return step.split()
        step()
        return []


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def console(service: Service, tmp_path: Path) -> Iterator[FakeConsole]:
    with fake_console(tmp_path / "s", service.reply) as found:
        yield found


@pytest.fixture
def client(console: FakeConsole, tmp_path: Path) -> Iterator[Client]:
    found = connect(tmp_path / "s", lambda text: None)
    yield found
    found.close()


def sit(client: Client, *steps: Step) -> Played:
    screen = StringIO()
    keyboard = Played(screen, *steps)
    rich = Console(
        file=screen, width=130, height=40, color_system=None, force_terminal=True, highlight=False
    )
    Top(client, rich, keyboard).run()
    return keyboard


def test_it_looks_draws_and_leaves(client: Client, console: FakeConsole) -> None:
    played = sit(client, "q")
    assert console.asked == [AskTop(1, "mailbox", LIMIT, ""), StopTop(2)]
    assert "shop  2 processes" in played.shown[0]


def test_it_looks_again_when_the_time_has_come(
    client: Client, console: FakeConsole, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(top_module, "EVERY", 0.0)
    played = sit(client, "", "down", "c-c")
    assert console.asked == [*(AskTop(n, "mailbox", LIMIT, "") for n in (1, 2, 3)), StopTop(4)]
    assert played.waits == [0.0, 0.0, 0.0]


def test_paused_it_waits_for_keys_alone(client: Client, console: FakeConsole) -> None:
    played = sit(client, "p", "down", "q")
    assert played.waits[1:] == [None, None]
    assert [type(one) for one in console.asked] == [AskTop, AskTop, StopTop]
    assert "paused" in played.shown[1]


def test_sorting_and_finding_ask_again_at_once(client: Client, console: FakeConsole) -> None:
    sit(client, "c", "/ x enter", "q")
    assert console.asked[:3] == [
        AskTop(1, "mailbox", LIMIT, ""), AskTop(2, "cpu", LIMIT, ""), AskTop(3, "cpu", LIMIT, "x"),
    ]  # fmt: skip


def test_a_deed_is_done_after_a_yes(client: Client, console: FakeConsole) -> None:
    played = sit(client, "down k", "n", "k y", "q")
    assert "kill counter <3>? y or n" in played.shown[1]
    assert "kill done to 3" in played.shown[3]
    assert [one for one in console.asked if isinstance(one, Act)] == [Act(2, "kill", "3")]


def test_a_deed_that_fails_is_said(client: Client, service: Service) -> None:
    service.refusing = True
    assert "it has ended" in sit(client, "R y", "q").shown[1]


def test_a_process_in_detail_and_its_trace(client: Client, console: FakeConsole) -> None:
    played = sit(client, "down enter", "t", "q", "q")
    assert "{'count': 1}" in played.shown[1]
    assert "in Add(by=1)" in played.shown[2]
    sources = [one.source for one in console.asked if isinstance(one, Evaluate)]
    assert sources == ["trace(3)", "untrace(3)"]
    assert [one.target for one in console.asked if isinstance(one, AskInfo)] == ["3", "3"]


def test_a_process_that_has_ended_is_no_failure(client: Client, service: Service) -> None:
    service.refusing = True
    played = sit(client, "enter", "t", "q", "q")
    assert "this process has ended" in played.shown[1]
    assert "NoProcess" in played.shown[2]


def test_while_the_loop_is_stuck_what_it_does_is_seen(
    client: Client, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(top_module, "PATIENCE", 0.0)
    service.stuck = True
    played = sit(client, "q")
    assert "! the loop has not turned for 4.5 s" in played.shown[0]
    assert "in Counter.add" in played.shown[0]


def test_the_end_of_the_service_ends_it(client: Client, console: FakeConsole) -> None:
    with pytest.raises(ServiceGone, match="the service is stopping"):
        sit(client, lambda: console.say(Goodbye("the service is stopping")), "", "")
