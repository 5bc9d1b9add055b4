"""A tree and a prompt on it in one process, with the keys played by the test."""

from __future__ import annotations

import io
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from prompt_toolkit.application import create_app_session
from prompt_toolkit.input import PipeInput, create_pipe_input
from prompt_toolkit.output import DummyOutput

from runtime import ChildSpec, GenServer
from runtime.console.places import SOCKETS
from supervisors.children import ChildSource
from supervisors.command import repl
from supervisors.command.problems import NoService, Problem
from supervisors.command.repl import AbovePrompt, load_tree, run_repl
from tests.supervisors.fake_console import fake_console

HERE = "tests.supervisors.test_command_repl"


class Counter(GenServer):
    """Something to look at."""

    def __init__(self) -> None:
        self.count = 7


class Broken(GenServer):
    """Never starts."""

    def init(self) -> None:
        raise ValueError("broken")


SPEC = Counter.child_spec().replace(name="counter")
CHILDREN: list[ChildSource] = [SPEC]
BROKEN = [Broken]
NUMBER = 5


def made() -> list[ChildSource]:
    return CHILDREN


def made_one() -> ChildSpec:
    return SPEC


# ---------------------------------------------------------------------- what is started


@pytest.mark.parametrize(
    ("attribute", "children"),
    [
        ("CHILDREN", [SPEC]),
        ("made", [SPEC]),
        ("SPEC", [SPEC]),
        ("made_one", [SPEC]),
        ("Counter", [Counter]),
    ],
)
def test_a_tree_is_found_by_its_name(attribute: str, children: list[ChildSource]) -> None:
    sys.modules[HERE] = sys.modules[__name__]
    assert load_tree(f"{HERE}:{attribute}") == children


@pytest.mark.parametrize(
    ("where", "why"),
    [
        ("nothing", "'nothing' is not MODULE:TREE"),
        (":x", "':x' is not MODULE:TREE"),
        ("no_such_module:x", "no_such_module:x: No module named 'no_such_module'"),
        (f"{HERE}:nothing", "has no attribute 'nothing'"),
        ("not a name:x", "invalid format"),
        (f"{HERE}:run_repl", "missing a required argument: 'where'; write a function"),
        (f"{HERE}:AbovePrompt", "missing a required argument: 'stream'; write a function"),
        (f"{HERE}:NUMBER", "is 5, allowed are a list of children"),
    ],
)
def test_what_is_no_tree_is_said(where: str, why: str) -> None:
    sys.modules[HERE] = sys.modules[__name__]
    with pytest.raises(Problem, match=why):
        load_tree(where)


def test_modules_beside_the_user_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "beside_the_user.py").write_text("children = []")
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.chdir(tmp_path)
    assert load_tree("beside_the_user:children") == []
    assert load_tree("beside_the_user:children") == []
    assert sys.path.count(str(tmp_path)) == 1


# ---------------------------------------------------------------------- the prompt


@pytest.fixture
def keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PipeInput]:
    sys.modules[HERE] = sys.modules[__name__]
    monkeypatch.setenv(SOCKETS, str(tmp_path / "s"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    with create_pipe_input() as pipe, create_app_session(input=pipe, output=DummyOutput()):
        yield pipe
    structlog.reset_defaults()


def test_a_prompt_on_a_tree(keys: PipeInput, capsys: pytest.CaptureFixture[str]) -> None:
    stdout = sys.stdout
    keys.send_text("state('counter')\r\x04")
    run_repl(f"{HERE}:CHILDREN", None)
    shown = capsys.readouterr().out
    assert "test_command_repl: os pid " in shown
    assert "{'count': 7}" in shown
    assert sys.stdout is stdout


def test_a_tree_that_gives_up_ends_the_prompt(
    keys: PipeInput, capsys: pytest.CaptureFixture[str]
) -> None:
    keys.send_text("import trio\rfor _ in range(9):\rkill('counter'); await trio.sleep(0.05)\r\r")
    with pytest.raises(Problem, match="shop ran out of restarts"):
        run_repl(f"{HERE}:CHILDREN", "shop")
    assert "shop: os pid " in capsys.readouterr().out


def test_a_tree_that_does_not_start_is_said(keys: PipeInput) -> None:
    with pytest.raises(Problem, match="BROKEN: "):
        run_repl(f"{HERE}:BROKEN", None)


def test_without_a_console_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "s"
    home.mkdir(mode=0o700)
    monkeypatch.setenv(SOCKETS, str(home))
    with fake_console(home / "of_another.sock"):
        with pytest.raises(NoService, match="the tree has no console"):
            repl._own_client(print)


def test_ctrl_c_is_for_the_evaluation_once_there_is_a_prompt() -> None:
    interrupts, told = repl._Interrupts(), list[str]()
    with interrupts.taken():
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
        interrupts.told = lambda: told.append("interrupt")
        os.kill(os.getpid(), signal.SIGINT)
    assert told == ["interrupt"]


class Stream(io.StringIO):
    """A terminal of number 5."""

    def isatty(self) -> bool:
        return True

    def fileno(self) -> int:
        return 5


class Shown:
    """A prompt that keeps what is written."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def write(self, text: str) -> None:
        self.texts.append(text)


def test_lines_go_above_the_prompt_while_there_is_one() -> None:
    stream, prompt = Stream(), Shown()
    errors = AbovePrompt(stream)
    output = AbovePrompt(stream, errors)
    output.write("before\n")
    errors.prompt = prompt  # type: ignore[assignment]
    assert (errors.write("\x1b[2mone\x1b[0m\n"), output.write("two\n")) == (12, 4)
    errors.prompt = None
    output.write("after\n")
    output.flush()
    assert prompt.texts == ["one\n", "two\n"]
    assert stream.getvalue() == "before\nafter\n"
    assert (output.isatty(), output.fileno()) == (True, 5)
