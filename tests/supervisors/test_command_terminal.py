"""Which command asks what, against a console played by the test."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from contextlib import contextmanager
from io import StringIO
from pathlib import Path

import msgspec
import pytest

from runtime.console.frames import (
    AskCrashes,
    AskInfo,
    AskStack,
    AskTree,
    Done,
    Evaluate,
    StackView,
    ToService,
)
from runtime.console.places import SOCKETS
from supervisors.command import terminal
from supervisors.command.arguments import Arguments, parse
from supervisors.command.problems import Problem
from supervisors.command.services import ServiceView
from supervisors.command.terminal import perform
from tests.supervisors.fake_console import Said, answer, fake_console
from tests.supervisors.seen import CRASH, INFO, SNAPSHOT


def reply(frame: ToService) -> Iterable[Said]:
    match frame:
        case AskTree(id):
            return [answer(id, SNAPSHOT)]
        case AskInfo(id):
            return [answer(id, INFO)]
        case AskStack(id):
            return [answer(id, StackView(None, None, None, None, (), 0.0))]
        case AskCrashes(id):
            return [answer(id, [CRASH])]
        case Evaluate(id):
            return [Done(id, "3")]
        case other:
            raise AssertionError(other)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    found = tmp_path / "s"
    found.mkdir(mode=0o700)
    monkeypatch.setenv(SOCKETS, str(found))
    return found


@pytest.mark.parametrize(
    ("line", "asked"),
    [
        ("tree", AskTree(1)),
        ("info counter shop", AskInfo(1, "counter")),
        ("stack", AskStack(1)),
        ("crashes --limit 3", AskCrashes(1, 3)),
        ("eval 1+2", Evaluate(1, "1+2")),
        ("eval -", Evaluate(1, "typed()")),
    ],
)
def test_a_question_is_asked(
    home: Path, line: str, asked: ToService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", StringIO("typed()"))
    with fake_console(home / "shop.sock", reply) as console:
        perform(parse(line.split()))
    assert console.asked == [asked]


def test_the_services_are_listed(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with fake_console(home / "shop.sock"):
        perform(parse(["list", "--json"]))
    (found,) = msgspec.json.decode(capsys.readouterr().out, type=list[ServiceView])
    assert (found.name, found.os_pid) == ("shop", 4711)


@pytest.mark.parametrize("line", ["attach", "top", "repl a:b"])
def test_what_needs_a_terminal_says_so(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", StringIO())
    with pytest.raises(Problem, match="needs a terminal"):
        perform(parse(line.split()))


class AtTerminal(StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("line", ["attach", "top", "repl a:b --name x"])
def test_on_a_terminal_it_sits_down(line: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sat: list[object] = []

    class Sitting:
        def __init__(self, *args: object, **kwargs: object) -> None:
            sat.append(args[0])

        def run(self) -> None:
            sat.append("run")

    @contextmanager
    def keyboard(socket: int) -> Generator[None]:
        yield None

    monkeypatch.setattr("sys.stdin", AtTerminal())
    monkeypatch.setattr("sys.stdout", AtTerminal())
    monkeypatch.setattr(terminal, "Prompt", Sitting)
    monkeypatch.setattr(terminal, "Top", Sitting)
    monkeypatch.setattr(terminal, "terminal_keyboard", keyboard)
    monkeypatch.setattr(terminal, "run_repl", lambda *args: sat.extend(args))
    monkeypatch.setattr(terminal, "history_file", lambda: home / "history" / "h")
    with fake_console(home / "shop.sock"):
        perform(parse(line.split()))
    wanted: Arguments = parse(line.split())
    assert sat[-1] == ("x" if wanted.command == "repl" else "run")
